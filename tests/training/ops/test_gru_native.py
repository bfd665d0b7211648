"""The recurrence of the native core against the reference in double precision, on every instruction set of this CPU."""

import os
import subprocess
import sys
from functools import partial

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from polytag.native import Precision, core, training
from polytag.native.loader import library
from polytag.native.training import multiply
from polytag.training import ops
from polytag.training.ops.gru import native, packed
from tests.oracles import poisoned
from tests.training.ops import gru_reference as reference
from tests.training.ops.test_gru import (
    BIAS,
    LENGTHS,
    RESET_AFTER,
    Form,
    Layer,
    all_close,
    output_and_gradients,
    random_layer,
)

pytestmark = pytest.mark.skipif(core() is None, reason="the native core was not built (no C++ compiler?)")


PANEL = 32  # columns that a product computes at a time
PRECISION = pytest.mark.parametrize("precision", ["float32", "bfloat16"])


@pytest.fixture
def form(instructions: str, precision: Precision) -> Form:
    """The native form in a precision, on one instruction set."""
    del instructions
    if not ops.supports(precision):
        pytest.skip(f"these instructions have no {precision}")
    return partial(native.gru, precision=precision)


# Numbers that differ in the last bit of float32 may be rounded to two bfloat16 that are neighbours.
TOLERANCE = {"float32": 2e-5, "bfloat16": 5e-3}


def equal_to_reference(form: Form, layer: Layer, *, reset_after: bool, tolerance: float = 0.0) -> None:
    """States and all gradients against those of the reference in float64, with the same inputs of products rounded."""
    assert isinstance(form, partial)
    tolerance = max(tolerance, TOLERANCE[form.keywords["precision"]])
    found = output_and_gradients(form, layer, reset_after=reset_after)
    rounding = partial(reference.gru, **form.keywords)
    expected = output_and_gradients(rounding, layer.map(Tensor.double), reset_after=reset_after)
    scale = max(1.0, *(float(tensor.abs().max()) for tensor in expected if tensor.numel()))
    all_close([tensor.double() / scale for tensor in found], [tensor / scale for tensor in expected], tolerance)


@PRECISION
@RESET_AFTER
@BIAS
class TestNativeEqualsReference:
    @pytest.mark.parametrize("lengths", LENGTHS, ids=str)
    def test_states_and_gradients(self, lengths: tuple[int, ...], form: Form, bias: bool, reset_after: bool) -> None:
        equal_to_reference(form, random_layer(lengths, bias=bias, dtype=torch.float32), reset_after=reset_after)

    @settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        lengths=st.lists(st.integers(1, 5), min_size=1, max_size=30).map(tuple),
        d=st.integers(1, 5),
        h=st.integers(1, 2 * PANEL + 5),
        seed=st.integers(0, 1000),
    )
    def test_any_shape(
        self, form: Form, bias: bool, reset_after: bool, lengths: tuple[int, ...], d: int, h: int, seed: int
    ) -> None:
        layer = random_layer(lengths, bias=bias, seed=seed, d=d, h=h, scale=0.3, dtype=torch.float32)
        equal_to_reference(form, layer, reset_after=reset_after)

    @pytest.mark.parametrize("sentences", [13, 24, 25, 33, 77])
    def test_steps_of_more_rows_than_are_computed_at_a_time(
        self, form: Form, bias: bool, reset_after: bool, sentences: int
    ) -> None:
        lengths = tuple(1 + 7 * i % 5 for i in range(sentences))
        layer = random_layer(lengths, bias=bias, d=3, h=PANEL + 2, scale=0.3, dtype=torch.float32)
        equal_to_reference(form, layer, reset_after=reset_after)

    @pytest.mark.parametrize("h", [3, 40])
    def test_saturated_gates(self, form: Form, bias: bool, reset_after: bool, h: int) -> None:
        layer = random_layer((5, 2, 1), bias=bias, scale=1e4, h=h, dtype=torch.float32)
        equal_to_reference(form, layer, reset_after=reset_after, tolerance=1e-4)


@PRECISION
@RESET_AFTER
class TestNative:
    @pytest.mark.usefixtures("uninitialised_is_nan")
    def test_no_row_is_read_beside_the_batch_or_before_it_is_written(self, form: Form, reset_after: bool) -> None:
        layer = random_layer((7, 1, 3, 3, 2), bias=True, h=37, scale=0.3, dtype=torch.float32)
        expected = output_and_gradients(form, layer, reset_after=reset_after)
        found = output_and_gradients(form, layer.map(poisoned), reset_after=reset_after)
        all_close(found, expected, 1e-5)
        equal_to_reference(form, layer, reset_after=reset_after)

    def test_nan_stays_in_its_sentence(self, form: Form, reset_after: bool) -> None:
        layer = random_layer((4, 1, 6, 4, 2), bias=True, h=20, dtype=torch.float32)
        clean = output_and_gradients(form, layer, reset_after=reset_after)
        bad, *good = layer.packed.rows
        layer.x[bad] = torch.nan
        dirty = output_and_gradients(form, layer, reset_after=reset_after)
        for which in (0, 1):  # states and the gradient of x; those of the weights sum over all sentences
            assert dirty[which][bad].isnan().all()
            all_close([dirty[which][torch.cat(good)]], [clean[which][torch.cat(good)]], 1e-6)

    @pytest.mark.parametrize("frozen", [(0,), (1, 2, 3), (0, 2)], ids=["x", "weights", "mixed"])
    def test_frozen_inputs_leave_the_other_gradients_alone(
        self, frozen: tuple[int, ...], form: Form, reset_after: bool
    ) -> None:
        layer = random_layer((5, 3, 1), bias=True, dtype=torch.float32)
        expected = output_and_gradients(form, layer, reset_after=reset_after)[1:]
        live = [i for i in range(len(layer.tensors)) if i not in frozen]
        for i in live:
            layer.tensors[i].requires_grad_()
        y = layer.run(form, reset_after=reset_after)
        y.backward(torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).float())
        for i, tensor in enumerate(layer.tensors):
            assert (tensor.grad is not None) == (i in live)
            if tensor.grad is not None:
                all_close([tensor.grad], [expected[i]], 1e-6)

    @pytest.mark.parametrize("openmp", [False, True], ids=["new", "openmp"])
    def test_two_threads_change_nothing(self, form: Form, reset_after: bool, openmp: bool) -> None:
        if openmp:
            training.use_openmp()
        else:
            library().polytag_use_openmp(None)
        layer = random_layer((9, 7, 7, 3), bias=True, h=33, dtype=torch.float32)
        alone = output_and_gradients(form, layer, reset_after=reset_after)
        threads = torch.get_num_threads()
        try:
            torch.set_num_threads(2)
            together = output_and_gradients(form, layer, reset_after=reset_after)
        finally:
            torch.set_num_threads(threads)
        all_close(together, alone, 1e-6)

    def test_inputs_are_left_as_they_were(self, form: Form, reset_after: bool) -> None:
        layer = random_layer((4, 2), bias=True, dtype=torch.float32)
        before = [t.clone() for t in layer.tensors]
        output_and_gradients(form, layer, reset_after=reset_after)
        assert all(torch.equal(a, b) for a, b in zip(layer.tensors, before, strict=True))


@pytest.mark.parametrize("precision", ["bfloat16"])
@pytest.mark.usefixtures("form", "uninitialised_is_nan")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(m=st.integers(0, 70), k=st.integers(0, 70), n=st.integers(0, 70), seed=st.integers(0, 1000), data=st.data())
def test_products_of_any_shape_lying_any_way(
    precision: Precision, m: int, k: int, n: int, seed: int, data: st.DataObject
) -> None:
    generator = torch.Generator().manual_seed(seed)
    a, b, bias, before = (torch.randn(shape, generator=generator) for shape in ((m, k), (k, n), (n,), (m, n)))
    exact = a.bfloat16().double() @ b.bfloat16().double()
    across, down = data.draw(st.booleans()), data.draw(st.booleans())
    a, b = (
        poisoned(x).T if turned else poisoned(x)
        for x, turned in ((a.T if across else a, across), (b.T if down else b, down))
    )
    out, sums = poisoned(torch.zeros(m, n)), poisoned(before)
    arrays = a.numpy(), b.numpy()
    multiply(*arrays, out=out.numpy(), bias=bias.numpy(), precision=precision, threads=1)
    multiply(*arrays, out=sums.numpy(), adds=True, precision=precision, threads=1)
    all_close([out.double(), sums.double()], [exact + bias, exact + before], 1e-5)


def test_rounded_products_are_not_those_of_float32() -> None:
    layer = random_layer((5, 4, 2), bias=False, d=40, h=40, scale=0.3)
    exact, rounded = (
        torch.cat([t.flatten() for t in output_and_gradients(form, layer, reset_after=False)])
        for form in (reference.gru, partial(reference.gru, precision="bfloat16"))
    )
    assert 1e-3 < (exact - rounded).norm() / exact.norm() < 3e-2


def test_only_float32_goes_there() -> None:
    layer = random_layer((3, 1), bias=False)
    assert not native.usable(layer.x)
    assert native.usable(layer.x.float())
    assert torch.equal(layer.run(ops.gru, reset_after=False), layer.run(packed.gru, reset_after=False))


def test_it_can_be_switched_off() -> None:
    code = "from polytag.native import core; raise SystemExit(core() is not None)"
    assert (
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "POLYTAG_NATIVE": "0"}, check=False).returncode
        == 0
    )
