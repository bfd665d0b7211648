"""The fastest CPU form of the bidirectional GRU layer: the recurrence in the native core, all else in PyTorch.

What the core gains over `polytag.training.ops.gru.packed`: weights are packed once per layer and pass, instead of by
every small product; gates and derivatives are applied to sums that are still in the first-level cache; the backward
direction walks the rows from the end, so nothing is mirrored; each direction can have a thread of its own.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from polytag.native import Precision, available, training


def usable(x: Tensor) -> bool:
    """Whether the native core is there and takes these inputs."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and available()


def gru(
    x: Tensor, w: Tensor, u: Tensor, b: Tensor | None, batch_sizes: Sequence[int], reverse: Tensor, *,
    reset_after: bool = False, precision: Precision = "float32",
) -> Tensor:  # fmt: skip
    """One bidirectional GRU layer over packed rows; see `polytag.training.ops.gru.gru`."""
    del reverse
    sizes = torch.tensor(batch_sizes, dtype=torch.long)
    y: Tensor = _Gru.apply(x, w, u, b, sizes, reset_after, precision)  # type: ignore[no-untyped-call]
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
        x, u = x.contiguous(), u.contiguous()
        gates = x.new_empty(2, n, 3 * width)
        _multiply(x.expand(2, *x.shape), w, out=gates, bias=b, precision=precision)
        states = x.new_empty(n, 2 * width)
        previous, reset = x.new_empty(2, n, width), x.new_empty(2, n, width)
        training.forward(
            *_arrays(u, gates, sizes), reset_after=reset_after, precision=precision, threads=torch.get_num_threads(),
            **_named(states=states, previous=previous, reset=reset),
        )  # fmt: skip
        ctx.save_for_backward(x, w, u, gates, previous, reset, sizes)
        ctx.reset_after, ctx.has_bias, ctx.precision = reset_after, b is not None, precision
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, w, u, gates, previous, reset, sizes = ctx.saved_tensors
        d_states, width = grad_outputs[0].contiguous(), u.shape[1]
        d_gates, d_reset = torch.empty_like(gates), torch.empty_like(reset) if ctx.reset_after else None
        training.backward(
            *_arrays(u, gates, sizes), reset_after=ctx.reset_after, precision=ctx.precision,
            threads=torch.get_num_threads(),
            **_named(d_states=d_states, previous=previous, reset=reset, d_gates=d_gates, d_reset=d_reset),
        )  # fmt: skip
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
            _rounded(a[d], b[d], out=out[d], bias=None if bias is None else bias[d], precision=precision)
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
            _rounded(a[d], b[d], out=out, adds=d > 0, precision=precision)


def _rounded(
    a: Tensor, b: Tensor, *, out: Tensor, bias: Tensor | None = None, adds: bool = False, precision: Precision
) -> None:
    """out [m, n] = a [m, k] b [k, n] + bias [n], or added to what is there, with inputs rounded to ``precision``."""
    training.multiply(
        *_arrays(a, b), **_named(out=out, bias=bias), adds=adds, precision=precision, threads=torch.get_num_threads()
    )


def _arrays(*tensors: Tensor) -> Any:
    """The same values for the core, not copied; the tensors must outlive the call."""
    return [tensor.detach().numpy() for tensor in tensors]


def _named(**tensors: Tensor | None) -> dict[str, Any]:
    return {name: None if tensor is None else tensor.detach().numpy() for name, tensor in tensors.items()}
