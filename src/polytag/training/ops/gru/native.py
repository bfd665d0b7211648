"""The fastest CPU form of the bidirectional GRU layer: the recurrence in the native core, all else in PyTorch.

What the core gains over `polytag.training.ops.gru.packed`: weights are packed once per layer and pass, instead of by every small
product; gates and derivatives are applied to sums that are still in the first-level cache; the backward direction
walks the rows from the end, so nothing is mirrored; each direction can have a thread of its own.
"""

from collections.abc import Sequence
from ctypes import c_void_p
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from polytag.native import PRECISIONS, Precision, Scan, core, library, multiply, pack
from polytag.native.layer import PackedLayer


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
    precision: Precision = "float32",
) -> Tensor:
    """One bidirectional GRU layer over packed rows; see `polytag.training.ops.gru.reference.gru` for the contract.

    ``precision`` is that of the products where gradients are wanted, forward and backward; sums, gates, weights and
    gradients are float32.
    """
    del reverse
    learns = (t is not None and t.requires_grad for t in (x, input_weight, recurrent_weight, bias))
    if not (torch.is_grad_enabled() and any(learns)):
        layer = PackedLayer(input_weight, recurrent_weight, bias, reset_after=reset_after, precision="float32")
        return layer(x, batch_sizes)
    sizes = torch.tensor(batch_sizes, dtype=torch.long)
    y: Tensor = _Gru.apply(  # type: ignore[no-untyped-call]
        x, input_weight, recurrent_weight, bias, sizes, reset_after, precision
    )
    return y


class _Gru(torch.autograd.Function):
    """Legend: N packed rows, D input width, H width of one direction; the leading 2 is the direction."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w: Tensor,
        u: Tensor,
        b: Tensor | None,
        sizes: Tensor,
        reset_after: bool,
        precision: Precision,
    ) -> Tensor:
        n, width = x.shape[0], u.shape[1]
        x = x.contiguous()
        gates = x.new_empty(2, n, 3 * width)
        _multiply(x.expand(2, *x.shape), w, out=gates, bias=b, precision=precision)
        states = x.new_empty(n, 2 * width)
        previous, reset = x.new_empty(2, n, width), x.new_empty(2, n, width)
        packed = pack(u, backward=False, precision=precision)
        scans = (Scan * 2)(*(
            Scan(
                units=width, steps=len(sizes), sizes=sizes.data_ptr(), backward=d, reset_after=reset_after,
                weights=_addresses(*packed[d]), gates=gates[d].data_ptr(),
                states=states[:, d * width :].data_ptr(), stride=2 * width,
                previous=previous[d].data_ptr(), reset=reset[d].data_ptr(),
            )
            for d in (0, 1)
        ))  # fmt: skip
        library().polytag_forward(PRECISIONS.index(precision), scans, torch.get_num_threads())
        ctx.save_for_backward(x, w, u, gates, previous, reset, sizes)
        ctx.reset_after, ctx.has_bias, ctx.precision = reset_after, b is not None, precision
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, w, u, gates, previous, reset, sizes = ctx.saved_tensors
        d_states, width = grad_outputs[0].contiguous(), u.shape[1]
        d_gates, d_reset = _scan_back(d_states, u, gates, previous, reset, sizes, ctx.reset_after, ctx.precision)
        entered, d_candidate = (reset, d_gates[:, :, 2 * width :]) if d_reset is None else (previous, d_reset)
        d_u, d_b = torch.empty_like(u), d_gates.sum(1) if ctx.has_bias else None
        d_rz, d_u_rz, d_u_c = d_gates[:, :, : 2 * width], d_u[:, :, : 2 * width], d_u[:, :, 2 * width :]
        _multiply(previous.transpose(1, 2), d_rz, out=d_u_rz, precision=ctx.precision)
        _multiply(entered.transpose(1, 2), d_candidate, out=d_u_c, precision=ctx.precision)
        d_x = d_w = None
        if ctx.needs_input_grad[0]:
            d_x = torch.empty_like(x)
            _multiply_and_add(d_gates, w.transpose(1, 2), out=d_x, precision=ctx.precision)
        if ctx.needs_input_grad[1]:
            d_w = torch.empty_like(w)
            _multiply(x.T.expand(2, *x.T.shape), d_gates, out=d_w, precision=ctx.precision)
        return d_x, d_w, d_u, d_b, None, None, None


def _multiply(a: Tensor, b: Tensor, *, out: Tensor, bias: Tensor | None = None, precision: Precision) -> None:
    """Of each direction: out [2, m, n] = a [2, m, k] b [2, k, n] + bias [2, n]."""
    if precision != "float32":
        for d in (0, 1):
            multiply(a[d], b[d], out=out[d], bias=None if bias is None else bias[d], precision=precision)
    elif bias is None:
        torch.bmm(a, b, out=out)
    else:
        torch.baddbmm(bias.unsqueeze(1), a, b, out=out)


def _multiply_and_add(a: Tensor, b: Tensor, *, out: Tensor, precision: Precision) -> None:
    """Both directions together: out [m, n] = a[0] b[0] + a[1] b[1]."""
    if precision == "float32":
        torch.mm(a[0], b[0], out=out).addmm_(a[1], b[1])
    else:
        for d in (0, 1):
            multiply(a[d], b[d], out=out, adds=d > 0, precision=precision)


def _scan_back(
    d_states: Tensor,
    u: Tensor,
    gates: Tensor,
    previous: Tensor,
    reset: Tensor,
    sizes: Tensor,
    reset_after: bool,
    precision: Precision,
) -> tuple[Tensor, Tensor | None]:
    """Gradients of the projected inputs [2, N, 3H] and, reset after, of the candidate's recurrent product [2, N, H]."""
    width = u.shape[1]
    d_gates = torch.empty_like(gates)
    d_reset = torch.empty_like(reset) if reset_after else None
    scratch = u.new_empty(2, int(sizes[0]) if len(sizes) else 0, width)
    packed = pack(u, backward=True, precision=precision)
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
    library().polytag_backward(PRECISIONS.index(precision), scans, torch.get_num_threads())
    return d_gates, d_reset


def _addresses(*weights: Tensor) -> Any:
    return (c_void_p * 3)(*(tensor.data_ptr() for tensor in weights))
