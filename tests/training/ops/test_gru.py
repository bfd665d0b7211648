"""The GRU kernels: the fast form against the reference, the reference against ONNX Runtime and torch.nn.GRU."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from polytag.training import ops
from polytag.training.ops.gru import packed
from tests.oracles import Packing, pack, packing, poisoned, unpack
from tests.training.ops import gru_reference as reference

Form = Callable[..., Tensor]

FORMS = pytest.mark.parametrize("form", [reference.gru, packed.gru], ids=["reference", "packed"])
RESET_AFTER = pytest.mark.parametrize("reset_after", [False, True], ids=["reset_before", "reset_after"])
BIAS = pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
LENGTHS = ((1,), (6,), (1, 1, 1), (4, 4, 4), (7, 1, 3, 3, 2), ())


@dataclass(frozen=True)
class Layer:
    """The tensors that `gru` takes; ``bias`` may be missing."""

    packed: Packing
    x: Tensor
    input_weight: Tensor
    recurrent_weight: Tensor
    bias: Tensor | None

    @property
    def tensors(self) -> list[Tensor]:
        return [t for t in (self.x, self.input_weight, self.recurrent_weight, self.bias) if t is not None]

    def map(self, change: Callable[[Tensor], Tensor]) -> "Layer":
        return Layer(self.packed, *(t if t is None else change(t) for t in self._arguments()))

    def run(self, form: Form, *, reset_after: bool) -> Tensor:
        return form(*self._arguments(), self.packed.batch_sizes, self.packed.reverse, reset_after=reset_after)

    def _arguments(self) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        return self.x, self.input_weight, self.recurrent_weight, self.bias


def random_layer(
    lengths: tuple[int, ...],
    *,
    bias: bool,
    seed: int = 0,
    d: int = 4,
    h: int = 3,
    scale: float = 1.0,
    dtype: torch.dtype = torch.float64,
) -> Layer:
    generator = torch.Generator().manual_seed(seed)
    packed = packing(lengths)
    shapes = ((packed.n, d), (2, d, 3 * h), (2, h, 3 * h), (2, 3 * h))
    x, w, u, b = (torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) * scale for shape in shapes)
    return Layer(packed, x, w, u, b if bias else None)


def output_and_gradients(form: Form, layer: Layer, *, reset_after: bool) -> list[Tensor]:
    """States [N, 2H] and the gradients of all inputs, each state weighted differently."""
    layer = layer.map(lambda t: t.detach().requires_grad_())
    y = layer.run(form, reset_after=reset_after)
    if not y.requires_grad:  # the reference has no graph over no rows
        return [y, *(torch.zeros_like(t) for t in layer.tensors)]
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return [y.detach(), *torch.autograd.grad(y, layer.tensors, weights.to(y.dtype))]


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-9) -> None:
    torch.testing.assert_close(actual.detach(), expected.detach(), rtol=tolerance, atol=tolerance)


def all_close(actual: list[Tensor], expected: list[Tensor], tolerance: float = 1e-9) -> None:
    for ours, theirs in zip(actual, expected, strict=True):
        close(ours, theirs, tolerance)


@RESET_AFTER
@BIAS
class TestFastFormEqualsReference:
    @pytest.mark.parametrize("lengths", LENGTHS, ids=str)
    @pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
    def test_states_and_gradients(
        self, lengths: tuple[int, ...], dtype: torch.dtype, tolerance: float, bias: bool, reset_after: bool
    ) -> None:
        layer = random_layer(lengths, bias=bias, dtype=dtype)
        assert layer.run(packed.gru, reset_after=reset_after).shape == (sum(lengths), 6)
        expected = output_and_gradients(reference.gru, layer, reset_after=reset_after)
        all_close(output_and_gradients(packed.gru, layer, reset_after=reset_after), expected, tolerance)

    @settings(max_examples=12)
    @given(
        lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5).map(tuple),
        d=st.integers(1, 5),
        h=st.integers(1, 5),
        seed=st.integers(0, 1000),
    )
    def test_any_shape(
        self, bias: bool, reset_after: bool, lengths: tuple[int, ...], d: int, h: int, seed: int
    ) -> None:
        layer = random_layer(lengths, bias=bias, seed=seed, d=d, h=h)
        expected = output_and_gradients(reference.gru, layer, reset_after=reset_after)
        all_close(output_and_gradients(packed.gru, layer, reset_after=reset_after), expected)

    def test_gradcheck(self, bias: bool, reset_after: bool) -> None:
        layer = random_layer((3, 1), bias=bias, d=2, h=2).map(torch.Tensor.requires_grad_)

        def run(*tensors: Tensor) -> Tensor:
            return Layer(layer.packed, *tensors[:3], tensors[3] if bias else None).run(
                packed.gru, reset_after=reset_after
            )

        assert torch.autograd.gradcheck(run, layer.tensors)

    def test_saturated_gates(self, bias: bool, reset_after: bool) -> None:
        layer = random_layer((5, 2, 1), bias=bias, scale=1e4, dtype=torch.float32)
        expected = output_and_gradients(reference.gru, layer, reset_after=reset_after)
        all_close(output_and_gradients(packed.gru, layer, reset_after=reset_after), expected, 1e-4)

    @pytest.mark.parametrize("frozen", [(0,), (1, 2, 3), (0, 2)], ids=["x", "weights", "mixed"])
    def test_frozen_inputs_leave_the_other_gradients_alone(
        self, frozen: tuple[int, ...], bias: bool, reset_after: bool
    ) -> None:
        layer = random_layer((5, 3, 1), bias=bias)
        expected = output_and_gradients(packed.gru, layer, reset_after=reset_after)[1:]
        live = [i for i in range(len(layer.tensors)) if i not in frozen]
        for i in live:
            layer.tensors[i].requires_grad_()
        y = layer.run(packed.gru, reset_after=reset_after)
        weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=y.dtype)
        y.backward(weights)
        for i, tensor in enumerate(layer.tensors):
            assert (tensor.grad is not None) == (i in live)
            if tensor.grad is not None:
                close(tensor.grad, expected[i])

    def test_without_gradients_the_states_are_the_same(self, bias: bool, reset_after: bool) -> None:
        layer = random_layer((5, 3, 1), bias=bias)
        training = layer.map(lambda t: t.clone().requires_grad_()).run(packed.gru, reset_after=reset_after)
        assert torch.equal(layer.run(packed.gru, reset_after=reset_after), training)
        assert torch.equal(layer.run(ops.gru, reset_after=reset_after), training)

    @pytest.mark.usefixtures("uninitialised_is_nan")
    def test_no_row_is_read_beside_the_batch_or_before_it_is_written(self, bias: bool, reset_after: bool) -> None:
        layer = random_layer((7, 1, 3, 3, 2), bias=bias)
        expected = output_and_gradients(reference.gru, layer, reset_after=reset_after)
        poison = layer.map(poisoned)
        assert not poison.x.is_contiguous()
        close(poison.run(packed.gru, reset_after=reset_after), expected[0])
        all_close(output_and_gradients(packed.gru, poison, reset_after=reset_after), expected)

    def test_inputs_are_left_as_they_were(self, bias: bool, reset_after: bool) -> None:
        layer = random_layer((4, 2), bias=bias)
        before = [t.clone() for t in layer.tensors]
        output_and_gradients(packed.gru, layer, reset_after=reset_after)
        assert all(torch.equal(a, b) for a, b in zip(layer.tensors, before, strict=True))


@FORMS
@RESET_AFTER
class TestSentencesAreIndependent:
    LENGTHS = (4, 1, 6, 4, 2)

    def test_a_sentence_alone(self, form: Form, reset_after: bool) -> None:
        layer = random_layer(self.LENGTHS, bias=True)
        together = layer.run(form, reset_after=reset_after)
        for rows in layer.packed.rows:
            alone = replace(layer, packed=packing([len(rows)]), x=layer.x[rows])
            close(alone.run(form, reset_after=reset_after), together[rows], 1e-12)

    def test_the_order_of_sentences(self, form: Form, reset_after: bool) -> None:
        layer = random_layer(self.LENGTHS, bias=True)
        shuffle = (3, 0, 4, 2, 1)
        other = packing([self.LENGTHS[i] for i in shuffle])
        sentences = unpack(layer.x, layer.packed)
        shuffled = replace(layer, packed=other, x=pack([sentences[i] for i in shuffle], other))
        here = unpack(layer.run(form, reset_after=reset_after), layer.packed)
        there = unpack(shuffled.run(form, reset_after=reset_after), other)
        for place, index in enumerate(shuffle):
            close(there[place], here[index], 1e-12)

    def test_nan_stays_in_its_sentence(self, form: Form, reset_after: bool) -> None:
        layer = random_layer(self.LENGTHS, bias=True)
        clean = output_and_gradients(form, layer, reset_after=reset_after)
        bad, *good = layer.packed.rows
        layer.x[bad] = torch.nan
        dirty = output_and_gradients(form, layer, reset_after=reset_after)
        for which in (0, 1):  # states and the gradient of x; those of the weights sum over all sentences
            assert dirty[which][bad].isnan().all()
            close(dirty[which][torch.cat(good)], clean[which][torch.cat(good)], 1e-12)


@FORMS
@BIAS
@pytest.mark.parametrize("seed", range(2))
class TestOutsideTools:
    LENGTHS = (4, 1, 7, 3, 7, 2)

    @RESET_AFTER
    def test_onnx_runtime(self, form: Form, bias: bool, reset_after: bool, seed: int) -> None:
        layer = random_layer(self.LENGTHS, bias=bias, seed=seed, d=5, h=4, scale=0.7, dtype=torch.float32)
        close(layer.run(form, reset_after=reset_after), onnx_gru(layer, reset_after=reset_after), 1e-5)

    def test_torch(self, form: Form, bias: bool, seed: int) -> None:
        layer = random_layer(self.LENGTHS, bias=bias, seed=seed, d=5, h=4)
        all_close(output_and_gradients(form, layer, reset_after=True), torch_gru(layer))


def test_packing_is_that_of_torch() -> None:
    packed = packing((2, 5, 1, 5, 2))
    sequences = [torch.arange(length) + 10 * i for i, length in enumerate((2, 5, 1, 5, 2))]
    theirs = torch.nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False)
    assert packed.batch_sizes == tuple(theirs.batch_sizes.tolist())
    assert torch.equal(
        pack([sequences[i] for i in theirs.sorted_indices.tolist()], packing(packed.lengths)), theirs.data
    )
    rows = pack(sequences, packed)
    assert all(torch.equal(a, b) for a, b in zip(unpack(rows, packed), sequences, strict=True))
    assert all(torch.equal(a, b.flip(0)) for a, b in zip(unpack(rows[packed.reverse], packed), sequences, strict=True))


def torch_gru(layer: Layer) -> list[Tensor]:
    """`output_and_gradients` of torch.nn.GRU, whose gates are reset, update, candidate, as ours."""
    d, h = layer.x.shape[1], layer.recurrent_weight.shape[1]
    module = torch.nn.GRU(d, h, bidirectional=True, bias=layer.bias is not None, dtype=layer.x.dtype)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")[: len(layer.tensors) - 1]
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()  # the recurrent side has a bias of its own, which ours lacks
        for name, tensor in zip(names, layer.tensors[1:], strict=True):
            for direction, suffix in enumerate(("", "_reverse")):
                getattr(module, name + suffix).copy_(tensor[direction].movedim(0, -1))
    x = layer.x.clone().requires_grad_()
    y = module(torch.nn.utils.rnn.PackedSequence(x, torch.tensor(layer.packed.batch_sizes)))[0].data
    y.backward(torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=y.dtype))
    gradients = [torch.stack([getattr(module, n + s).grad.movedim(0, -1) for s in ("", "_reverse")]) for n in names]
    return [y.detach(), x.grad, *gradients]


def onnx_gru(layer: Layer, *, reset_after: bool) -> Tensor:
    """States [N, 2H] by ONNX Runtime's bidirectional GRU over a padded batch whose padding is not zero."""
    packed, h = layer.packed, layer.recurrent_weight.shape[1]
    padded = torch.full((max(packed.lengths), len(packed.lengths), layer.x.shape[1]), 9.0)
    for b, rows in enumerate(packed.rows):
        padded[: len(rows), b] = layer.x[rows]
    bias = torch.zeros(2, 3 * h) if layer.bias is None else layer.bias
    feeds = {
        "x": padded,
        "w": onnx_gates(layer.input_weight).transpose(1, 2),
        "r": onnx_gates(layer.recurrent_weight).transpose(1, 2),
        "b": torch.cat((onnx_gates(bias), torch.zeros(2, 3 * h)), dim=1),
        "lengths": torch.tensor(packed.lengths, dtype=torch.int32),
    }
    session = onnx_session(h, linear_before_reset=int(reset_after))
    (y,) = session.run(None, {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in feeds.items()})
    states = torch.from_numpy(y).permute(2, 0, 1, 3).flatten(2)  # T 2 B H -> B T 2H
    out = torch.empty(packed.n, 2 * h)
    for b, rows in enumerate(packed.rows):
        out[rows] = states[b, : len(rows)]
    return out


def onnx_gates(weights: Tensor) -> Tensor:
    """Reset, update, candidate -> ONNX's update, reset, candidate, along the last dimension."""
    r, z, c = weights.chunk(3, dim=-1)
    return torch.cat((z, r, c), dim=-1)


@cache
def onnx_session(h: int, *, linear_before_reset: int) -> onnxruntime.InferenceSession:
    """One bidirectional GRU node; ``linear_before_reset`` 1 is our reset after the product."""
    node = onnx.helper.make_node(
        "GRU",
        ["x", "w", "r", "b", "lengths"],
        ["y"],
        hidden_size=h,
        direction="bidirectional",
        linear_before_reset=linear_before_reset,
    )
    real, whole = onnx.TensorProto.FLOAT, onnx.TensorProto.INT32
    ranks = {"x": (real, 3), "w": (real, 3), "r": (real, 3), "b": (real, 2), "lengths": (whole, 1)}
    graph = onnx.helper.make_graph(
        [node],
        "gru",
        [onnx.helper.make_tensor_value_info(name, kind, [None] * rank) for name, (kind, rank) in ranks.items()],
        [onnx.helper.make_tensor_value_info("y", real, [None] * 4)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
