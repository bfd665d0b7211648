"""The fastest CPU form of the bidirectional GRU layer: the recurrence in the native core, all else in PyTorch.

What the core gains over `polytag.ops.gru.packed`: weights are packed once per layer and pass, instead of by every small
product; gates and derivatives are applied to sums that are still in the first-level cache; the backward direction
walks the rows from the end, so nothing is mirrored; each direction can have a thread of its own.
"""

from collections.abc import Sequence
from ctypes import c_void_p
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from polytag.ops.native import Scan, core, library, pack
from polytag.ops.native.layer import PackedLayer


def usable(x: Tensor) -> bool:
    """Whether the native core is there and takes these inputs."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and core() is not None


def gru(
    x: Tensor,
    input_weight: Tensor,
    recurrent_weight: Tensor,
    bias: Tensor | None,
    batch_sizes: Sequence[int],
    reverse: Tensor,
    *,
    reset_after: bool = False,
) -> Tensor:
    """One bidirectional GRU layer over packed rows; see `polytag.ops.gru.reference.gru` for the contract."""
    del reverse
    learns = (t is not None and t.requires_grad for t in (x, input_weight, recurrent_weight, bias))
    if not (torch.is_grad_enabled() and any(learns)):
        layer = PackedLayer(input_weight, recurrent_weight, bias, reset_after=reset_after, precision="float32")
        return layer(x, batch_sizes)
    sizes = torch.tensor(batch_sizes, dtype=torch.long)
    y: Tensor = _Gru.apply(x, input_weight, recurrent_weight, bias, sizes, reset_after)  # type: ignore[no-untyped-call]
    return y


class _Gru(torch.autograd.Function):
    """Legend: N packed rows, D input width, H width of one direction; the leading 2 is the direction."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w: Tensor, u: Tensor, b: Tensor | None, sizes: Tensor, reset_after: bool
    ) -> Tensor:
        n, width = x.shape[0], u.shape[1]
        both = x.expand(2, *x.shape)
        gates = torch.bmm(both, w) if b is None else torch.baddbmm(b.unsqueeze(1), both, w)  # 2 N 3H
        states = x.new_empty(n, 2 * width)
        previous, reset = x.new_empty(2, n, width), x.new_empty(2, n, width)
        packed = pack(u, backward=False)
        scans = (Scan * 2)(*(
            Scan(
                units=width, steps=len(sizes), sizes=sizes.data_ptr(), backward=d, reset_after=reset_after,
                weights=_addresses(*packed[d]), gates=gates[d].data_ptr(),
                states=states[:, d * width :].data_ptr(), stride=2 * width,
                previous=previous[d].data_ptr(), reset=reset[d].data_ptr(),
            )
            for d in (0, 1)
        ))  # fmt: skip
        library().polytag_forward(scans, torch.get_num_threads())
        ctx.save_for_backward(x, w, u, gates, previous, reset, sizes)
        ctx.reset_after, ctx.has_bias = reset_after, b is not None
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, w, u, gates, previous, reset, sizes = ctx.saved_tensors
        d_gates, d_reset = _scan_back(grad_outputs[0].contiguous(), u, gates, previous, reset, sizes, ctx.reset_after)
        width = u.shape[1]
        d_u = torch.empty_like(u)
        torch.bmm(previous.transpose(1, 2), d_gates[:, :, : 2 * width], out=d_u[:, :, : 2 * width])
        entered, d_candidate = (reset, d_gates[:, :, 2 * width :]) if d_reset is None else (previous, d_reset)
        torch.bmm(entered.transpose(1, 2), d_candidate, out=d_u[:, :, 2 * width :])
        d_w = torch.bmm(x.expand(2, *x.shape).transpose(1, 2), d_gates) if ctx.needs_input_grad[1] else None
        d_b = d_gates.sum(1) if ctx.has_bias else None
        d_x = torch.mm(d_gates[0], w[0].T).addmm_(d_gates[1], w[1].T) if ctx.needs_input_grad[0] else None
        return d_x, d_w, d_u, d_b, None, None


def _scan_back(
    d_states: Tensor, u: Tensor, gates: Tensor, previous: Tensor, reset: Tensor, sizes: Tensor, reset_after: bool
) -> tuple[Tensor, Tensor | None]:
    """Gradients of the projected inputs [2, N, 3H] and, reset after, of the candidate's recurrent product [2, N, H]."""
    width = u.shape[1]
    d_gates = torch.empty_like(gates)
    d_reset = torch.empty_like(reset) if reset_after else None
    scratch = u.new_empty(2, int(sizes[0]) if len(sizes) else 0, width)
    packed = pack(u, backward=True)
    scans = (Scan * 2)(*(
        Scan(
            units=width, steps=len(sizes), sizes=sizes.data_ptr(), backward=d, reset_after=reset_after,
            weights=_addresses(packed[d, 0], packed[d, 2]), gates=gates[d].data_ptr(),
            states=d_states[:, d * width :].data_ptr(), stride=2 * width,
            previous=previous[d].data_ptr(), reset=reset[d].data_ptr(), d_gates=d_gates[d].data_ptr(),
            d_reset=None if d_reset is None else d_reset[d].data_ptr(), scratch=scratch[d].data_ptr(),
        )
        for d in (0, 1)
    ))  # fmt: skip
    library().polytag_backward(scans, torch.get_num_threads())
    return d_gates, d_reset


def _addresses(*weights: Tensor) -> Any:
    return (c_void_p * 3)(*(tensor.data_ptr() for tensor in weights))
