"""Layers of the native core against numpy: float32 is the same, bfloat16 and int8 differ by no more than they round.

And to the last bit: a row's result depends on its sequence alone, and known gates give the states that rows give.
"""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polytag import native
from polytag.native import Precision, reference
from polytag.native.checks import Floats
from tests.native.ragged import Batch, Draw, batch_of, beside_nan, ones

# Rounding of inputs, states and weights: 2 ** -9 and 1 / 254 of the largest, over the few steps of these sequences.
TOLERANCES: dict[Precision, float] = {"float32": 5e-6, "bfloat16": 0.03, "int8": 0.08}
RESET_AFTER = pytest.mark.parametrize("reset_after", [False, True], ids=["reset_before", "reset_after"])
LENGTHS = [(), (1,), (1, 1, 1), (4, 4), (5, 3, 3, 1), (2, 7)]
EXAMPLES = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SHAPES = {
    "lengths": st.lists(st.integers(1, 6), min_size=1, max_size=70).map(tuple),
    "d": st.integers(1, 70),
    "h": st.integers(1, 140),
    "seed": st.integers(0, 1000),
}


def close(found: Floats, expected: Floats, precision: Precision) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCES[precision])


def check(
    batch: Batch, d: int, h: int, precision: Precision, *, reset_after: bool, bias: bool = True, seed: int = 0
) -> None:
    """Gates, states, and states of known gates."""
    draw = Draw(seed)
    weights, x = draw.layer(d, h, bias=bias), draw.floats(batch.n, d)
    ours = native.Layer(**weights, reset_after=reset_after, precision=precision)
    plain = reference.Layer(**weights, reset_after=reset_after)
    states, plain_states = ours.states(x, batch.sizes), plain.states(x, batch.sizes)
    close(states, plain_states, precision)
    gates, plain_gates = ours.gates(x), plain.gates(x)
    np.testing.assert_allclose(gates, plain_gates, rtol=0, atol=2 * TOLERANCES[precision] + 1e-5)
    places = np.arange(batch.n, dtype=np.int32)[::-1].copy()
    np.testing.assert_array_equal(ours.states_of(gates[places], places, batch.sizes), states)
    np.testing.assert_array_equal(plain.states_of(plain_gates[places], places, batch.sizes), plain_states)


@RESET_AFTER
class TestLayer:
    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize("lengths", LENGTHS, ids=str)
    def test_states(self, lengths: tuple[int, ...], bias: bool, reset_after: bool, precision: Precision) -> None:
        check(batch_of(lengths), 4, 3, precision, reset_after=reset_after, bias=bias)

    @EXAMPLES
    @given(**SHAPES)
    def test_any_shape(
        self, reset_after: bool, precision: Precision, lengths: tuple[int, ...], d: int, h: int, seed: int
    ) -> None:
        check(batch_of(lengths), d, h, precision, reset_after=reset_after, seed=seed)

    @EXAMPLES
    @given(**SHAPES)
    def test_a_sequence_alone_gives_the_same_bits(
        self, reset_after: bool, precision: Precision, lengths: tuple[int, ...], d: int, h: int, seed: int
    ) -> None:
        batch, draw = batch_of(lengths), Draw(seed)
        layer = native.Layer(**draw.layer(d, h), reset_after=reset_after, precision=precision)
        x = draw.floats(batch.n, d)
        states, gates = layer.states(x, batch.sizes), layer.gates(x)
        for rows in batch.rows:
            np.testing.assert_array_equal(layer.states(x[rows], ones(len(rows))), states[rows])
            np.testing.assert_array_equal(layer.gates(x[rows[:1]]), gates[rows[:1]])

    def test_more_rows_than_are_held_at_once(self, reset_after: bool, precision: Precision) -> None:
        check(batch_of((40, 38, *[12] * 90, *[3] * 70)), 6, 18, precision, reset_after=reset_after)

    def test_saturated_gates(self, reset_after: bool, precision: Precision) -> None:
        batch, draw = batch_of((5, 2, 1)), Draw(0)
        weights = {name: weight * 300 for name, weight in draw.layer(8, 40).items()}
        states = native.Layer(**weights, reset_after=reset_after, precision=precision).states(
            draw.floats(batch.n, 8, scale=300), batch.sizes
        )
        assert np.isfinite(states).all()
        assert np.abs(states).max() <= 1

    def test_nothing_is_read_beside_the_rows_or_before_it_is_written(
        self, reset_after: bool, precision: Precision, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch, draw = batch_of((7, 1, 3, 3, 2)), Draw(0)
        weights, x = draw.layer(5, 37), draw.floats(batch.n, 5)
        expected = native.Layer(**weights, reset_after=reset_after, precision=precision).states(x, batch.sizes)
        monkeypatch.setattr(np, "empty", lambda shape, dtype: np.full(shape, 77, dtype))
        weights = {name: beside_nan(weight) for name, weight in weights.items()}
        layer = native.Layer(**weights, reset_after=reset_after, precision=precision)
        np.testing.assert_array_equal(layer.states(beside_nan(x), batch.sizes), expected)

    def test_a_thread_for_each_direction_gives_the_same_bits(self, reset_after: bool, precision: Precision) -> None:
        batch, draw = batch_of(tuple(range(1, 80))), Draw(0)  # long enough for a second thread to be worth it
        weights, x = draw.layer(90, 100), draw.floats(batch.n, 90)
        one, two = (
            native.Layer(**weights, reset_after=reset_after, precision=precision, threads=count) for count in (1, 2)
        )
        gates, places = one.gates(x), np.arange(batch.n, dtype=np.int32)
        np.testing.assert_array_equal(two.gates(x), gates)
        np.testing.assert_array_equal(two.states(x, batch.sizes), one.states(x, batch.sizes))
        np.testing.assert_array_equal(two.states_of(gates, places, batch.sizes), one.states(x, batch.sizes))

    def test_states_lie_in_the_memory_that_is_given(self, reset_after: bool, precision: Precision) -> None:
        batch, draw = batch_of((4, 2)), Draw(0)
        layer = native.Layer(**draw.layer(3, 5), reset_after=reset_after, precision=precision)
        x, out = draw.floats(batch.n, 3), np.empty((batch.n, 10), np.float32)
        assert layer.states(x, batch.sizes, out=out) is out
        np.testing.assert_array_equal(out, layer.states(x, batch.sizes))
        for wrong in (out[:-1], out.astype(np.float64), np.broadcast_to(out[:1], out.shape)):
            with pytest.raises(ValueError, match="out"):
                layer.states(x, batch.sizes, out=wrong)

    def test_threads_give_the_same_bits(self, reset_after: bool, precision: Precision) -> None:
        batch, draw = batch_of((9, 7, 7, 3)), Draw(0)
        layer = native.Layer(**draw.layer(5, 33), reset_after=reset_after, precision=precision)
        x = draw.floats(batch.n, 5)
        alone, found = layer.states(x, batch.sizes), [x] * 8

        def compute(i: int) -> None:
            for _ in range(20):
                found[i] = layer.states(x, batch.sizes)

        threads = [threading.Thread(target=compute, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(np.array_equal(states, alone) for states in found)


@pytest.mark.usefixtures("instructions")
class TestMemory:
    def test_weights_are_copied(self) -> None:
        batch, draw = batch_of((3, 2)), Draw(0)
        weights, x = draw.layer(4, 5), draw.floats(batch.n, 4)
        layers = (
            native.Layer(**weights, reset_after=False, precision="float32"),
            reference.Layer(**weights, reset_after=False),
        )
        before = [layer.states(x, batch.sizes) for layer in layers]
        for weight in weights.values():
            weight[...] = 0
        for layer, states in zip(layers, before, strict=True):
            np.testing.assert_array_equal(layer.states(x, batch.sizes), states)

    @pytest.mark.skipif(sys.platform != "linux", reason="counts pages of Linux")
    def test_layers_give_their_memory_back(self) -> None:
        def pages() -> int:
            return int(Path("/proc/self/statm").read_text().split()[1])

        weights = Draw(0).layer(200, 200)
        native.Layer(**weights, reset_after=False, precision="float32")
        before = pages()
        for _ in range(100):  # 2 MB each
            native.Layer(**weights, reset_after=False, precision="float32")
        assert pages() - before < 10_000


class TestRefusals:
    """Of both forms: what is no shape, type or size is refused before anything is computed."""

    @pytest.fixture(params=["core", "numpy"])
    def layer(self, request: pytest.FixtureRequest) -> native.Layer | reference.Layer:
        if request.param == "numpy":
            return reference.Layer(**Draw(0).layer(4, 3), reset_after=False)
        if not native.available():
            pytest.skip("the native core was not built")
        return native.Layer(**Draw(0).layer(4, 3), reset_after=False, precision="float32")

    @pytest.mark.parametrize(
        ("x", "message"),
        [
            (np.zeros((3, 4)), r"x is float64 \[3, 4\], expected float32 \[3, 4\]"),
            (np.zeros((3, 5), np.float32), r"x is float32 \[3, 5\], expected float32 \[3, 4\]"),
            (np.zeros(3, np.float32), r"x is float32 \[3\], expected float32 \[3, 4\]"),
            (np.zeros((), np.float32), r"x is float32 \[\], expected"),
            (np.zeros((3, 8), np.float32)[:, ::2], "x .* has gaps between its values"),
            (np.zeros((3, 4), ">f4"), "expected float32"),
        ],
        ids=["type", "width", "dimensions", "none", "gaps", "byte-order"],
    )
    def test_rows(self, layer: native.Layer, x: Floats, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            layer.states(x, np.array([2, 1]))
        with pytest.raises(ValueError, match=message):
            layer.gates(x)

    @pytest.mark.parametrize(
        "sizes", [[], [2], [2, 2], [1, 2], [3, 0], [4, -1], [2, 1, 0], [10**15], [-3], [2**62, 2**62, 3]], ids=str
    )
    def test_sizes_of_other_rows(self, layer: native.Layer, sizes: list[int]) -> None:
        with pytest.raises(ValueError, match=r"sizes of steps .* expected positive numbers, .* that sum to 3"):
            layer.states(np.zeros((3, 4), np.float32), np.array(sizes, np.int64))

    def test_sizes_of_another_type(self, layer: native.Layer) -> None:
        with pytest.raises(ValueError, match=r"sizes is int32 \[2\], expected int64 \[2\]"):
            layer.states(np.zeros((3, 4), np.float32), np.array([2, 1], np.int32))

    @pytest.mark.parametrize("place", [-1, 5, 2**31 - 1])
    def test_rows_that_are_not_in_the_table(self, layer: native.Layer, place: int) -> None:
        table, places = np.zeros((5, 18), np.float32), np.array([0, place, 4], np.int32)
        with pytest.raises(ValueError, match=f"number {place} at row 1, expected 0 to 4"):
            layer.states_of(table, places, np.array([2, 1]))

    def test_a_table_of_other_columns(self, layer: native.Layer) -> None:
        with pytest.raises(ValueError, match=r"table is float32 \[5, 9\], expected float32 \[5, 18\]"):
            layer.states_of(np.zeros((5, 9), np.float32), np.zeros(3, np.int32), np.array([2, 1]))

    def test_weights_of_other_shapes(self) -> None:
        for form in (native.Layer, reference.Layer) if native.available() else (reference.Layer,):
            weights = Draw(0).layer(4, 3)
            for name in weights:
                with pytest.raises(ValueError, match=f"{name} is float64"):
                    form(**weights | {name: weights[name].astype(float)}, reset_after=False, precision="float32")
            with pytest.raises(ValueError, match=r"bias is float32 \[2, 6\], expected float32 \[2, 9\]"):
                form(**weights | {"bias": np.zeros((2, 6), np.float32)}, reset_after=False, precision="float32")

    def test_precisions_without_instructions(self) -> None:
        with pytest.raises(ValueError, match="precision 'int8': numpy has float32 only"):
            reference.Layer(**Draw(0).layer(4, 3), reset_after=False, precision="int8")
        if native.available():
            native.select("plain C++")
            try:
                with pytest.raises(ValueError, match="precision 'int8': there are no instructions for it here"):
                    native.Layer(**Draw(0).layer(4, 3), reset_after=False, precision="int8")
            finally:
                native.select(native.instructions()[-1])
