"""What the core makes of words: ends of sequences of characters, bit by bit those of each alone; sums of features."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polytag import native
from polytag.native import Precision, reference
from polytag.native.checks import Floats
from tests.native.ragged import Draw, ones

EXAMPLES = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FORMS = (native, reference) if native.available() else (reference,)


def stack(form: Any, draw: Draw, *units: int, precision: Precision = "float32", threads: int = 1) -> list[Any]:
    """Layers upon each other, of 4 inputs."""
    widths = [4, *(2 * h for h in units)]
    return [
        form.Layer(**draw.layer(d, h), reset_after=bool(h % 2), precision=precision, threads=threads)
        for d, h in zip(widths, units, strict=False)
    ]


def end_of(layers: list[Any], gates: Floats) -> Floats:
    """Of one sequence."""
    places, sizes = np.arange(len(gates), dtype=np.int32), ones(len(gates))
    states = layers[0].states_of(gates, places, sizes)
    for layer in layers[1:]:
        states = layer.states(states, sizes)
    half = states.shape[1] // 2
    return np.concatenate((states[-1, :half], states[0, half:]))


class TestEnds:
    @EXAMPLES
    @given(
        lengths=st.lists(st.integers(1, 9), max_size=40),
        units=st.lists(st.integers(1, 40), min_size=1, max_size=3),
        seed=st.integers(0, 1000),
    )
    def test_each_sequence_alone_gives_the_same_bits(
        self, precision: Precision, lengths: list[int], units: list[int], seed: int
    ) -> None:
        draw = Draw(seed)
        layers = stack(native, draw, *units, precision=precision)
        table, items = draw.floats(7, 6 * units[0]), draw.numbers(sum(lengths), end=7)
        found = native.ends(layers, table, items, np.array(lengths, np.int64))
        alone = np.split(items, np.cumsum(lengths)[:-1]) if lengths else []
        assert found.shape == (len(lengths), 2 * units[-1])
        for end, sequence in zip(found, alone, strict=True):
            np.testing.assert_array_equal(end, end_of(layers, table[sequence]))

    @pytest.mark.usefixtures("instructions")
    @pytest.mark.parametrize("lengths", [[], [3], [1, 5, 2, 5, 1], [2] * 300], ids=str)
    def test_numpy_gives_the_same(self, lengths: list[int]) -> None:
        table, items = Draw(1).floats(7, 6 * 5), Draw(2).numbers(sum(lengths), end=7)
        ours, theirs = (
            form.ends(stack(form, Draw(3), 5, 6), table, items, np.array(lengths, np.int64))
            for form in (native, reference)
        )
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6)

    @pytest.mark.parametrize("form", FORMS)
    def test_more_items_than_are_held_at_once(self, form: Any) -> None:
        layers, table = stack(form, Draw(0), 1), Draw(1).floats(7, 6)
        longest = 70_000 if form is native else 700  # numpy takes it step by step
        lengths = np.array([2] * 30_000 + [longest] + [1] * 70_000)
        items = Draw(2).numbers(int(lengths.sum()), end=7)
        found = form.ends(layers, table, items, lengths)
        starts = np.cumsum(lengths) - lengths
        for sequence in (0, 29_999, 30_001, 100_000):
            some = items[starts[sequence] : starts[sequence] + lengths[sequence]]
            np.testing.assert_allclose(found[sequence], end_of(layers, table[some]), rtol=0, atol=1e-6)

    def test_a_thread_for_each_direction_gives_the_same_bits(self, precision: Precision) -> None:
        table, items, lengths = Draw(0).floats(7, 600), Draw(1).numbers(3_160, end=7), np.arange(1, 80)
        one, two = (
            native.ends(stack(native, Draw(2), 100, 90, precision=precision, threads=threads), table, items, lengths)
            for threads in (1, 2)
        )
        np.testing.assert_array_equal(one, two)

    @pytest.mark.parametrize("form", FORMS)
    def test_what_does_not_fit_is_refused(self, form: Any) -> None:
        layers, table, items = stack(form, Draw(0), 3), np.zeros((5, 18), np.float32), np.zeros(3, np.int32)
        for lengths in ([], [2], [4], [3, 0], [4, -1], [2**62, 2**62, 3]):
            with pytest.raises(ValueError, match=r"lengths .* expected positive numbers that sum to 3"):
                form.ends(layers, table, items, np.array(lengths, np.int64))
        fitting = np.array([1, 2])
        for bad, message in (
            ((table[:, :9].copy(), items, fitting), r"table is float32 \[5, 9\], expected float32 \[5, 18\]"),
            ((table, items.astype(np.int64), fitting), "is int64"),
            ((table, items + np.int32(5), fitting), "number 5 at row 0, expected 0 to 4"),
            ((table, items, fitting.astype(np.int32)), "lengths is int32"),
        ):
            with pytest.raises(ValueError, match=message):
                form.ends(layers, *bad)
        with pytest.raises(ValueError, match=r"fit|expected float32"):
            form.ends([*layers, *layers], table, items, fitting)


class TestFeatureScores:
    @EXAMPLES
    @given(
        words=st.integers(0, 20),
        of_own=st.integers(0, 4),
        of_around=st.integers(0, 3),
        tags=st.integers(1, 20),
        seed=st.integers(0, 1000),
    )
    def test_any_shape(self, words: int, of_own: int, of_around: int, tags: int, seed: int) -> None:
        draw = Draw(seed)
        own, around = draw.floats(4, tags), draw.floats(4, 5 * tags)
        numbers = draw.numbers(words * (of_own + of_around), end=4).reshape(words, of_own + of_around)
        expected = [
            np.concatenate([
                sum((table[number].astype(float) for number in some if number), np.zeros(table.shape[1]))
                for table, some in ((own, row[:of_own]), (around, row[of_own:]))
            ])
            for row in numbers
        ]  # fmt: skip
        for form in FORMS:
            found = form.feature_scores(own, around, numbers, of_own=of_own)
            assert found.shape == (words, 6 * tags)
            np.testing.assert_allclose(found, np.reshape(expected, found.shape), rtol=0, atol=1e-5)

    @pytest.mark.parametrize("form", FORMS)
    def test_what_does_not_fit_is_refused(self, form: Any) -> None:
        own, around, numbers = (np.zeros(shape, np.float32) for shape in ((4, 2), (9, 10), (3, 3)))
        numbers = numbers.astype(np.int32)
        for place, number, end in (((1, 1), 4, 3), ((2, 0), -1, 3), ((1, 2), 9, 8)):
            wrong = numbers.copy()
            wrong[place] = number
            with pytest.raises(ValueError, match=f"number {number} at row .*, expected 0 to {end}"):
                form.feature_scores(own, around, wrong, of_own=2)
        with pytest.raises(ValueError, match="is int64"):
            form.feature_scores(own, around, numbers.astype(np.int64), of_own=2)
        with pytest.raises(ValueError, match="is float64"):
            form.feature_scores(own.astype(float), around, numbers, of_own=2)
