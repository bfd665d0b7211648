"""Projections, scores of features and best paths: the core against numpy, numpy against enumeration and plain loops."""

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polytag import native
from polytag.native import Precision, reference
from polytag.native.checks import Floats, Numbers
from tests.native.ragged import Batch, Draw, batch_of, beside_nan, ones

EXAMPLES = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FORMS = (native, reference) if native.available() else (reference,)
LENGTHS = [(), (1,), (4, 4), (2, 5, 1, 3, 3)]


def rounded(values: Floats, precision: Precision, *, along: int) -> Floats:
    """What is left of a matrix in a precision, in float64; int8 has a scale per row (``along`` 1) or per column (0)."""
    if precision == "int8":
        unit = np.maximum(np.abs(values).max(along, keepdims=True, initial=0), 1e-30) / 127
        return np.rint(values / unit).astype(float) * unit
    if precision == "bfloat16":
        bits = values.view(np.uint32)
        return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(float)
    return values.astype(float)


class TestProject:
    @EXAMPLES
    @given(
        n=st.integers(0, 300),
        d=st.integers(1, 130),
        columns=st.lists(st.integers(1, 150), min_size=1, max_size=20),
        seed=st.integers(0, 1000),
    )
    def test_any_shape(self, precision: Precision, n: int, d: int, columns: list[int], seed: int) -> None:
        draw = Draw(seed)
        x, weights = draw.floats(n, d), [draw.floats(d, k, scale=d**-0.5) for k in columns]
        matrices = [native.Matrix(weight, precision=precision) for weight in weights]
        # int8 may round a value half-way between two steps to the other one: a few steps of 1/127.
        tolerance = 0.03 if precision == "int8" else 1e-5
        products = native.project(x, matrices)
        for found, weight in zip(products, weights, strict=True):
            exact = rounded(x, precision, along=1) @ rounded(weight, precision, along=0)
            np.testing.assert_allclose(found, exact, rtol=0, atol=tolerance)
        for row in range(0, n, 17):
            for alone, together in zip(native.project(x[row : row + 1], matrices), products, strict=True):
                np.testing.assert_array_equal(alone[0], together[row])

    @pytest.mark.usefixtures("instructions")
    def test_numpy_gives_the_same(self) -> None:
        x, weight = Draw(0).floats(9, 7), Draw(1).floats(7, 20)
        (ours,), (theirs,) = (
            form.project(x, [form.Matrix(weight, precision="float32")]) for form in (native, reference)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)

    def test_nothing_is_read_beside_the_rows(self, precision: Precision) -> None:
        x, weight = Draw(0).floats(37, 21), Draw(1).floats(21, 9)
        (expected,) = native.project(x, [native.Matrix(weight, precision=precision)])
        (found,) = native.project(beside_nan(x), [native.Matrix(beside_nan(weight), precision=precision)])
        np.testing.assert_array_equal(found, expected)

    def test_a_matrix_of_zeros_gives_zeros(self, precision: Precision) -> None:
        matrix = native.Matrix(np.zeros((8, 3), np.float32), precision=precision)
        assert not native.project(Draw(0).floats(5, 8), [matrix])[0].any()

    @pytest.mark.parametrize("form", FORMS)
    def test_what_does_not_fit_is_refused(self, form: type[native]) -> None:
        matrix = form.Matrix(np.zeros((8, 3), np.float32), precision="float32")
        with pytest.raises(ValueError, match=r"x is float32 \[5, 7\], expected float32 \[5, 8\]"):
            form.project(np.zeros((5, 7), np.float32), [matrix])
        with pytest.raises(ValueError, match="values is float64"):
            form.Matrix(np.zeros((8, 3)), precision="float32")
        assert form.project(np.zeros((5, 7), np.float32), []) == []


def with_features(emissions: Floats, scores: Floats, edge: Floats, words: Numbers, batch: Batch) -> Floats:
    """Word by word, in float64."""
    out, reach = emissions.astype(float), len(edge) // 2
    for rows in batch.rows:
        for at, row in enumerate(rows):
            out[row] += scores[words[row], 0]
            for place in range(len(edge)):
                there = at + place - reach
                inside = 0 <= there < len(rows)
                out[row] += scores[words[rows[there]], 1 + place] if inside else edge[place]
    return out


class TestFeatures:
    @EXAMPLES
    @given(
        lengths=st.lists(st.integers(1, 9), max_size=12).map(tuple),
        tags=st.integers(1, 20),
        reach=st.integers(0, 3),
        seed=st.integers(0, 1000),
    )
    def test_any_shape(self, lengths: tuple[int, ...], tags: int, reach: int, seed: int) -> None:
        batch, draw, places = batch_of(lengths), Draw(seed), 2 * reach + 1
        emissions, scores, edge = (
            draw.floats(batch.n, tags),
            draw.floats(6, 1 + places, tags),
            draw.floats(places, tags),
        )
        words = draw.numbers(batch.n, end=6)
        expected = with_features(emissions, scores, edge, words, batch)
        results = [emissions.copy() for _ in FORMS]
        for form, result in zip(FORMS, results, strict=True):
            form.add_features(result, scores, edge, words, batch.sizes)
            np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)
            np.testing.assert_array_equal(result, results[0])

    @pytest.mark.parametrize("form", FORMS)
    def test_what_does_not_fit_is_refused(self, form: type[native]) -> None:
        emissions, scores, edge = (np.zeros(shape, np.float32) for shape in ((3, 2), (4, 6, 2), (5, 2)))
        words, sizes = np.zeros(3, np.int32), np.array([2, 1])
        for bad, message in (
            ((emissions.astype(float), scores, edge, words, sizes), "emissions is float64"),
            ((emissions, scores[:, :5].copy(), edge, words, sizes), r"scores is float32 \[4, 5, 2\], expected"),
            ((emissions, scores, edge[:, :1].copy(), words, sizes), r"expected float32 \[3, 1\]"),
            ((emissions, scores, edge, words.astype(np.int64), sizes), "words is int64"),
            ((emissions, scores, edge, words + np.int32(4), sizes), "number 4 at row 0, expected 0 to 3"),
            ((emissions, scores, edge, words - np.int32(1), sizes), "number -1 at row 0, expected 0 to 3"),
            ((emissions, scores, edge, words, np.array([1, 2])), "sizes of steps"),
        ):
            with pytest.raises(ValueError, match=message):
                form.add_features(*bad)
        emissions.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            form.add_features(emissions, scores, edge, words, sizes)


def best_paths(batch: Batch, emissions: Floats, transitions: Floats, start: Floats) -> tuple[list[int], list[float]]:
    """By the score of every path; of equal ones the first in order."""
    best, totals, tags = np.zeros(batch.n, int), [], emissions.shape[1]
    for rows in batch.rows:
        scores = {}
        for path in product(range(tags), repeat=len(rows)):
            steps = sum(float(transitions[a, b]) for a, b in pairwise(path))
            scores[path] = float(start[path[0]]) + steps + float(emissions[rows, path].astype(float).sum())
        path = max(scores, key=scores.__getitem__)
        best[rows] = path
        totals.append(scores[path])
    return best.tolist(), totals


@pytest.mark.usefixtures("instructions")
class TestViterbi:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("lengths", LENGTHS, ids=str)
    @pytest.mark.parametrize("tags", [1, 3])
    @pytest.mark.parametrize("scale", [1.0, 1e4])
    def test_the_best_of_all_paths(self, form: type[native], lengths: tuple[int, ...], tags: int, scale: float) -> None:
        batch, draw = batch_of(lengths), Draw(tags)
        scores = [draw.floats(*shape, scale=scale) for shape in ((batch.n, tags), (tags, tags), (tags,))]
        best, totals = form.viterbi(*scores, batch.sizes)
        expected, expected_totals = best_paths(batch, *scores)
        assert best.dtype == np.int32
        assert best.tolist() == expected
        np.testing.assert_allclose(totals, expected_totals, rtol=1e-5, atol=1e-5)

    @EXAMPLES
    @given(
        lengths=st.lists(st.integers(1, 8), max_size=12).map(tuple),
        tags=st.integers(1, 150),
        seed=st.integers(0, 1000),
        whole=st.booleans(),
    )
    def test_any_shape(self, lengths: tuple[int, ...], tags: int, seed: int, whole: bool) -> None:
        batch, draw = batch_of(lengths), Draw(seed)
        scores = [draw.floats(*shape, scale=2.0) for shape in ((batch.n, tags), (tags, tags), (tags,))]
        if whole:  # many ties
            scores = [np.rint(score) for score in scores]
        (ours, totals), (theirs, their_totals) = (form.viterbi(*scores, batch.sizes) for form in (native, reference))
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(totals, their_totals)
        for b, rows in enumerate(batch.rows):
            alone, total = native.viterbi(scores[0][rows], *scores[1:], ones(len(rows)))
            np.testing.assert_array_equal(alone, ours[rows])
            assert total[0] == totals[b]

    def test_forbidden_transitions(self) -> None:
        batch, draw = batch_of((7, 5, 2)), Draw(3)
        emissions, transitions, start = (draw.floats(*shape) for shape in ((batch.n, 5), (5, 5), (5,)))
        transitions[1:, 2:] = -math.inf
        start[1:3] = -math.inf
        best, totals = native.viterbi(emissions, transitions, start, batch.sizes)
        np.testing.assert_array_equal(best, reference.viterbi(emissions, transitions, start, batch.sizes)[0])
        assert np.isfinite(totals).all()

    def test_nothing_is_read_beside_the_scores(self) -> None:
        batch, draw = batch_of((5, 3, 3, 1)), Draw(0)
        scores = [draw.floats(*shape) for shape in ((batch.n, 4), (4, 4), (4,))]
        best, _ = native.viterbi(*map(beside_nan, scores), batch.sizes)
        np.testing.assert_array_equal(best, reference.viterbi(*scores, batch.sizes)[0])

    @pytest.mark.parametrize("form", FORMS)
    def test_what_does_not_fit_is_refused(self, form: type[native]) -> None:
        emissions, transitions, start = (np.zeros(shape, np.float32) for shape in ((3, 2), (2, 2), (2,)))
        sizes = np.array([2, 1])
        for bad, message in (
            ((emissions, transitions, np.zeros(3, np.float32), sizes), r"emissions is float32 \[3, 2\], expected"),
            ((emissions, np.zeros((2, 3), np.float32), start, sizes), r"transitions is float32 \[2, 3\], expected"),
            ((emissions, transitions, start, np.array([3, 1])), "sizes of steps"),
            ((emissions, transitions, start, np.array([10**12])), "sizes of steps"),
            ((emissions[:, :0].copy(), transitions[:0, :0].copy(), start[:0], sizes), "scores of no tags"),
        ):
            with pytest.raises(ValueError, match=message):
                form.viterbi(*bad)

    @pytest.mark.parametrize("form", FORMS)
    def test_scores_that_are_no_numbers_give_some_path(self, form: type[native]) -> None:
        scores = [np.full(shape, np.nan, np.float32) for shape in ((3, 2), (2, 2), (2,))]
        best, _ = form.viterbi(*scores, np.array([2, 1]))
        assert set(best.tolist()) <= {0, 1}
