"""The fast form of the bidirectional GRU layer in tensors: no padding, backward through time written by hand.

Why it is fast: all input projections of a layer are one product over the packed rows; step t touches only the
sequences still running; both directions advance together (the backward one reads its rows mirrored, so that both start
at step 0); whatever does not depend on the recurrence (derivatives of the gates, weight gradients) is one large
operation outside the loop; a step computes in place, on views that are made once, for fresh memory costs more than
the arithmetic on it.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


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
    """One bidirectional GRU layer over packed rows; see `polytag.training.ops.gru.reference.gru` for the contract."""
    both = torch.stack((x, x.index_select(0, reverse)))  # 2 N D
    gates = both.bmm(input_weight) if bias is None else torch.baddbmm(bias.unsqueeze(1), both, input_weight)  # 2 N 3H
    states: Tensor = _Scan.apply(gates, recurrent_weight, tuple(batch_sizes), reset_after)  # type: ignore[no-untyped-call]
    return torch.cat((states[0], states[1].index_select(0, reverse)), dim=1)


def _views(batch_sizes: Sequence[int], *packed: Tensor) -> list[tuple[Tensor, ...]]:
    """For each step its rows in each of the tensors [2, N, ...]."""
    return list(zip(*(torch.split(rows, list(batch_sizes), dim=1) for rows in packed), strict=True))


def _tanh_of_half_(x: Tensor) -> Tensor:
    """In-place tanh(x / 2) as 2 sigmoid(x) - 1: on some processors a fifth of the time of `torch.tanh`."""
    return x.sigmoid_().mul_(2).sub_(1)


class _Scan(torch.autograd.Function):
    """The recurrence: projected inputs [2, N, 3H], which are overwritten, -> states [2, N, H]; 2 is the direction."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, u: Tensor, batch_sizes: tuple[int, ...], reset_after: bool) -> Tensor:
        states = gates.new_empty(2, gates.shape[1], u.shape[1])
        recurrent = torch.empty_like(states) if reset_after else None
        h = states.new_zeros(2, batch_sizes[0] if batch_sizes else 0, u.shape[1])
        scan = _scan_reset_after if reset_after else _scan_reset_before
        scan(gates, u, batch_sizes, h, states, recurrent)
        ctx.save_for_backward(u, gates, states, recurrent)
        ctx.batch_sizes = batch_sizes
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        u, gates, states, recurrent = ctx.saved_tensors
        d_states, previous = grad_outputs[0].clone(), _previous(states, ctx.batch_sizes)
        if recurrent is None:
            d_gates, d_u = _back_reset_before(d_states, gates, previous, u, ctx.batch_sizes)
        else:
            d_gates, d_u = _back_reset_after(d_states, gates, previous, recurrent, u, ctx.batch_sizes)
        return d_gates, d_u, None, None


def _scan_reset_before(
    gates: Tensor, u: Tensor, batch_sizes: Sequence[int], h: Tensor, states: Tensor, recurrent: Tensor | None
) -> None:
    """Run the recurrence from ``h`` [2, B, H]; ``gates`` [2, N, 3H] come in projected and go out as r, z, candidate."""
    del recurrent
    u_rz, u_c = (part.contiguous() for part in _parts(u))
    for rz, r, z, c, out in _views(batch_sizes, _parts(gates)[0], *gates.chunk(3, dim=2), states):
        h = h[:, : out.shape[1]]
        rz.baddbmm_(h, u_rz).sigmoid_()
        _tanh_of_half_(c.baddbmm_(r * h, u_c, beta=2, alpha=2))
        h = torch.lerp(c, h, z, out=out)


def _scan_reset_after(
    gates: Tensor, u: Tensor, batch_sizes: Sequence[int], h: Tensor, states: Tensor, recurrent: Tensor | None
) -> None:
    """The same with the reset gate after the product; ``recurrent`` [2, N, H] keeps h @ W_hh for the backward pass."""
    u_rz, u_c = (part.contiguous() for part in _parts(u))
    products = [None] * len(batch_sizes) if recurrent is None else torch.split(recurrent, list(batch_sizes), dim=1)
    steps = _views(batch_sizes, _parts(gates)[0], *gates.chunk(3, dim=2), states)
    for (rz, r, z, c, out), product in zip(steps, products, strict=True):
        h = h[:, : out.shape[1]]
        rz.baddbmm_(h, u_rz).sigmoid_()
        _tanh_of_half_(c.addcmul_(r, torch.bmm(h, u_c, out=product)).mul_(2))
        h = torch.lerp(c, h, z, out=out)


def _parts(x: Tensor) -> tuple[Tensor, Tensor]:
    """The columns of the two gates together [2, N, 2H] and those of the candidate [2, N, H]."""
    width = x.shape[2] // 3
    return x[:, :, : 2 * width], x[:, :, 2 * width :]


def _reset_and_others(x: Tensor) -> tuple[Tensor, Tensor]:
    """The columns of the reset gate [2, N, H] and those of update gate and candidate [2, N, 2, H]."""
    width = x.shape[2] // 3
    return x[:, :, :width], x[:, :, width:].view(*x.shape[:2], 2, width)


def _previous(states: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """The state that entered each row's step, [2, N, H]."""
    if not batch_sizes:
        return torch.zeros_like(states)
    steps = torch.split(states, list(batch_sizes), dim=1)
    passed_on = (step[:, :size] for step, size in zip(steps, batch_sizes[1:], strict=False))
    return torch.cat((torch.zeros_like(steps[0]), *passed_on), dim=1)


def _local_derivatives(gates: Tensor, previous: Tensor, at_r: Tensor) -> Tensor:
    """Factors [2, N, 3H] for the backward pass.

    They turn the gradient of a state into those of z and c before their nonlinearities, and the gradient of
    r * ``at_r`` into that of r before its own.
    """
    factors = torch.empty_like(gates)
    (_, z, c), (to_r, to_z, to_c) = gates.chunk(3, dim=2), factors.chunk(3, dim=2)
    rz, to_rz = _parts(gates)[0], _parts(factors)[0]
    torch.addcmul(rz, rz, rz, value=-1, out=to_rz)  # the derivative of the sigmoid: r (1 - r), z (1 - z)
    to_r.mul_(at_r)
    to_z.mul_(previous - c)
    new = 1 - z
    torch.mul(c, c, out=to_c)
    torch.addcmul(new, new, to_c, value=-1, out=to_c)  # (1 - z) (1 - c c)
    return factors


def _back_reset_before(
    d_states: Tensor, gates: Tensor, previous: Tensor, u: Tensor, batch_sizes: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Gradients of the input projections [2, N, 3H] and of the recurrent weights [2, H, 3H]."""
    u_rz, u_c = (part.transpose(1, 2).contiguous() for part in _parts(u))
    r, z, _ = gates.chunk(3, dim=2)
    d_gates = _local_derivatives(gates, previous, previous)  # each step turns its factors into gradients
    (d_rz, d_c), (d_r, d_zc) = _parts(d_gates), _reset_and_others(d_gates)
    steps = _views(batch_sizes, d_states, r, z, d_r, d_zc, d_rz, d_c)
    for t in reversed(range(len(steps))):
        d_h, r_t, z_t, d_r_t, d_zc_t, d_rz_t, d_c_t = steps[t]
        d_zc_t.mul_(d_h.unsqueeze(2))
        d_rh = torch.bmm(d_c_t, u_c)
        d_r_t.mul_(d_rh)
        if t:
            before = steps[t - 1][0][:, : d_h.shape[1]]
            before.addcmul_(d_h, z_t).addcmul_(d_rh, r_t).baddbmm_(d_rz_t, u_rz)
    d_u = torch.empty_like(u)
    d_u_rz, d_u_c = _parts(d_u)
    torch.bmm(previous.transpose(1, 2), d_rz, out=d_u_rz)
    torch.bmm(previous.mul_(r).transpose(1, 2), d_c, out=d_u_c)
    return d_gates, d_u


def _back_reset_after(
    d_states: Tensor, gates: Tensor, previous: Tensor, recurrent: Tensor, u: Tensor, batch_sizes: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """As `_back_reset_before`; the recurrent product of the candidate sees the gradient scaled by the reset gate."""
    u_rz, u_c = (part.transpose(1, 2).contiguous() for part in _parts(u))
    r, z, _ = gates.chunk(3, dim=2)
    d_gates = _local_derivatives(gates, previous, recurrent)
    (d_rz, d_c), (d_r, d_zc) = _parts(d_gates), _reset_and_others(d_gates)
    d_recurrent = torch.empty_like(recurrent)
    steps = _views(batch_sizes, d_states, r, z, d_r, d_zc, d_rz, d_c, d_recurrent)
    for t in reversed(range(len(steps))):
        d_h, r_t, z_t, d_r_t, d_zc_t, d_rz_t, d_c_t, d_recurrent_t = steps[t]
        d_zc_t.mul_(d_h.unsqueeze(2))
        d_r_t.mul_(d_c_t)
        torch.mul(d_c_t, r_t, out=d_recurrent_t)
        if t:
            before = steps[t - 1][0][:, : d_h.shape[1]]
            before.addcmul_(d_h, z_t).baddbmm_(d_rz_t, u_rz).baddbmm_(d_recurrent_t, u_c)
    d_u = torch.empty_like(u)
    for d_part, d_product in zip(_parts(d_u), (d_rz, d_recurrent), strict=True):
        torch.bmm(previous.transpose(1, 2), d_product, out=d_part)
    return d_gates, d_u
