"""Layers packed for tagging: float32 equals the reference; bfloat16 and int8 differ by no more than they round."""

import gc
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polytag import native
from polytag.native import PRECISIONS, Precision, supports
from polytag.ops import PackedLayer
from polytag.ops.gru import reference
from tests.ops.test_gru import BIAS, LENGTHS, RESET_AFTER, Layer, random_layer
from tests.oracles import poisoned

pytestmark = pytest.mark.skipif(native.core() is None, reason="the native core was not built (no C++ compiler?)")
# Rounding of inputs, states and weights: 2 ** -9 and 1 / 254 of the largest, over the few steps of these sequences.
TOLERANCES: dict[Precision, float] = {"float32": 2e-6, "bfloat16": 0.03, "int8": 0.08}
PRECISION = pytest.mark.parametrize("precision", PRECISIONS)


def sized(lengths: tuple[int, ...], *, d: int, h: int, bias: bool = True, seed: int = 0) -> Layer:
    """A layer whose sums are of order 1 whatever its size."""
    layer = random_layer(lengths, bias=bias, d=d, h=h, seed=seed, dtype=torch.float32)
    return Layer(layer.packed, layer.x, layer.input_weight / d**0.5, layer.recurrent_weight / h**0.5, layer.bias)


def packed(layer: Layer, precision: Precision, *, reset_after: bool) -> PackedLayer:
    if not supports(precision):
        pytest.skip(f"this processor has no instructions for {precision}")
    return PackedLayer(
        layer.input_weight, layer.recurrent_weight, layer.bias, reset_after=reset_after, precision=precision
    )


def close_to_reference(layer: Layer, precision: Precision, *, reset_after: bool) -> None:
    found = packed(layer, precision, reset_after=reset_after)(layer.x, layer.packed.batch_sizes)
    expected = layer.map(torch.Tensor.double).run(reference.gru, reset_after=reset_after)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=TOLERANCES[precision])


@pytest.mark.usefixtures("instructions")
@PRECISION
@RESET_AFTER
class TestPackedLayer:
    @BIAS
    @pytest.mark.parametrize("lengths", LENGTHS, ids=str)
    def test_states(self, lengths: tuple[int, ...], bias: bool, reset_after: bool, precision: Precision) -> None:
        close_to_reference(sized(lengths, d=4, h=3, bias=bias), precision, reset_after=reset_after)

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        lengths=st.lists(st.integers(1, 6), min_size=1, max_size=70).map(tuple),
        d=st.integers(1, 70),
        h=st.integers(1, 70),
        seed=st.integers(0, 1000),
    )
    def test_any_shape(
        self, reset_after: bool, precision: Precision, lengths: tuple[int, ...], d: int, h: int, seed: int
    ) -> None:
        close_to_reference(sized(lengths, d=d, h=h, seed=seed), precision, reset_after=reset_after)

    def test_saturated_gates(self, reset_after: bool, precision: Precision) -> None:
        layer = sized((5, 2, 1), d=8, h=40).map(lambda t: t * 300)
        found = packed(layer, precision, reset_after=reset_after)(layer.x, layer.packed.batch_sizes)
        assert found.isfinite().all()
        assert found.abs().max() <= 1

    @pytest.mark.usefixtures("uninitialised_is_nan")
    def test_no_row_is_read_beside_the_batch(self, reset_after: bool, precision: Precision) -> None:
        layer = sized((7, 1, 3, 3, 2), d=5, h=37)
        ours = packed(layer, precision, reset_after=reset_after)
        assert torch.equal(
            ours(layer.map(poisoned).x, layer.packed.batch_sizes), ours(layer.x, layer.packed.batch_sizes)
        )

    def test_more_rows_than_are_held_at_once(self, reset_after: bool, precision: Precision) -> None:
        lengths = (40, 38, *[12] * 90, *[3] * 70)  # a run of steps holds 512 rows
        close_to_reference(sized(lengths, d=6, h=18), precision, reset_after=reset_after)

    def test_a_sentence_alone_gets_the_same_states(self, reset_after: bool, precision: Precision) -> None:
        layer = sized((9, 4, 4, 1), d=5, h=20)
        ours = packed(layer, precision, reset_after=reset_after)
        together = ours(layer.x, layer.packed.batch_sizes)
        for rows in layer.packed.rows:
            torch.testing.assert_close(ours(layer.x[rows], [1] * len(rows)), together[rows], rtol=0, atol=1e-6)

    def test_two_threads_change_nothing(self, reset_after: bool, precision: Precision) -> None:
        layer = sized((9, 7, 7, 3), d=5, h=33)
        ours = packed(layer, precision, reset_after=reset_after)
        alone = ours(layer.x, layer.packed.batch_sizes)
        threads = torch.get_num_threads()
        try:
            torch.set_num_threads(2)
            assert torch.equal(ours(layer.x, layer.packed.batch_sizes), alone)
        finally:
            torch.set_num_threads(threads)


def test_weights_are_copied() -> None:
    layer = sized((3, 2), d=4, h=5)
    ours = packed(layer, "float32", reset_after=False)
    before = ours(layer.x, layer.packed.batch_sizes)
    for weights in layer.tensors[1:]:
        weights.zero_()
    gc.collect()
    assert torch.equal(ours(layer.x, layer.packed.batch_sizes), before)


@pytest.mark.skipif(sys.platform != "linux", reason="counts pages of Linux")
def test_layers_give_their_memory_back() -> None:
    def pages() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    layer = sized((3,), d=200, h=200)
    packed(layer, "float32", reset_after=False)
    before = pages()
    for _ in range(100):  # 2 MB each
        packed(layer, "float32", reset_after=False)
    assert pages() - before < 10_000
