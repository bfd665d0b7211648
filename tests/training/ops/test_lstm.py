"""The LSTM layer against torch.nn.LSTM, states and gradients, and numpy's form of it against both."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from polytag.native import reference
from polytag.training import ops
from tests.oracles import packing

LENGTHS = [(), (1,), (1, 1, 1), (4, 4), (5, 3, 3, 1), (7, 2)]
D, H = 4, 3
OURS_TO_TORCH = (0, 1, 3, 2)  # i f o c -> i f c o


def weights_of(*, bias: bool, dtype: torch.dtype) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"w": (2, D, 4 * H), "u": (2, H, 4 * H), **({"b": (2, 4 * H)} if bias else {})}
    return {name: torch.randn(shape, generator=generator, dtype=dtype) for name, shape in shapes.items()}


def torch_lstm(weights: dict[str, Tensor]) -> nn.LSTM:
    """torch.nn.LSTM with the same weights; its recurrent side has a bias of its own, which ours has not."""
    theirs = nn.LSTM(D, H, bidirectional=True, dtype=weights["w"].dtype)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.zero_()
        for ours, name in {"w": "weight_ih", "u": "weight_hh", "b": "bias_ih"}.items():
            for direction in (0, 1):
                if ours in weights:
                    getattr(theirs, f"{name}_l0{'_reverse' * direction}").copy_(in_torch(weights[ours][direction]))
    return theirs


def in_torch(values: Tensor) -> Tensor:
    """[D, 4H] or [4H] of one direction, gates in torch's order and in front."""
    gates = values.chunk(4, dim=-1)
    return torch.cat([gates[gate] for gate in OURS_TO_TORCH], dim=-1).movedim(-1, 0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lengths", [lengths for lengths in LENGTHS if lengths], ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_states_and_gradients_are_those_of_torch(
    lengths: tuple[int, ...], dtype: torch.dtype, tolerance: float, bias: bool
) -> None:
    packed, weights = packing(lengths), weights_of(bias=bias, dtype=dtype)
    theirs = torch_lstm(weights)
    x = torch.randn(packed.n, D, generator=torch.Generator().manual_seed(1), dtype=dtype, requires_grad=True)
    expected = theirs(PackedSequence(x, torch.tensor(packed.batch_sizes)))[0].data
    leaves = {name: tensor.requires_grad_() for name, tensor in weights.items()}
    found = ops.lstm(x, leaves["w"], leaves["u"], leaves.get("b"), packed.batch_sizes, packed.reverse)
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
    weigh = torch.randn(found.shape, generator=torch.Generator().manual_seed(2), dtype=dtype)
    d_x, *d_weights = torch.autograd.grad(found, [x, *leaves.values()], weigh)
    expected.backward(weigh)
    torch.testing.assert_close(d_x, x.grad, rtol=tolerance, atol=tolerance)
    for name, gradient in zip(("weight_ih", "weight_hh", "bias_ih"), d_weights, strict=False):
        for direction in (0, 1):
            of_theirs = getattr(theirs, f"{name}_l0{'_reverse' * direction}").grad
            torch.testing.assert_close(in_torch(gradient[direction]), of_theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_numpy_computes_the_same(lengths: tuple[int, ...], bias: bool) -> None:
    packed, weights = packing(lengths), weights_of(bias=bias, dtype=torch.float32)
    x = torch.randn(packed.n, D, generator=torch.Generator().manual_seed(1))
    expected = ops.lstm(x, weights["w"], weights["u"], weights.get("b"), packed.batch_sizes, packed.reverse).numpy()
    arrays = [None if name not in weights else weights[name].numpy() for name in "wub"]
    layer = reference.LstmLayer(*arrays)  # type: ignore[arg-type]
    sizes, places = np.array(packed.batch_sizes, np.int64), np.arange(packed.n, dtype=np.int32)[::-1].copy()
    np.testing.assert_allclose(layer.states(x.numpy(), sizes), expected, rtol=0, atol=1e-6)
    table = layer.gates(x.numpy())[places]
    assert table.shape == (packed.n, 2 * 4 * H)
    np.testing.assert_allclose(layer.states_of(table, places, sizes), expected, rtol=0, atol=1e-6)
