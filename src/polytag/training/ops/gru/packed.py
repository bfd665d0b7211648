"""The fast form of the bidirectional GRU layer in tensors: no padding, on any device.

Why it is fast: all input projections of a layer are one product over the packed rows; step t touches only the
sequences still running; both directions advance together (the backward one reads its rows mirrored, so that both start
at step 0).
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def gru(
    x: Tensor, w: Tensor, u: Tensor, b: Tensor | None, batch_sizes: Sequence[int], reverse: Tensor, *,
    reset_after: bool = False,
) -> Tensor:  # fmt: skip
    """One bidirectional GRU layer over packed rows; see `polytag.training.ops.gru.gru`."""
    gates, hidden = input_side(x, w, b, reverse), u.shape[1]  # 2 N 3H
    (u_rz, u_c), (from_rz, from_c) = (
        (columns[:, :, : 2 * hidden].contiguous(), columns[:, :, 2 * hidden :]) for columns in (u, gates)
    )
    h = x.new_zeros(2, batch_sizes[0] if len(batch_sizes) else 0, hidden)
    states = [h[:, :0]]
    for rz, c in zip(*(torch.split(rows, list(batch_sizes), dim=1) for rows in (from_rz, from_c)), strict=True):
        h = h[:, : c.shape[1]]
        r, z = torch.baddbmm(rz, h, u_rz).sigmoid().chunk(2, dim=2)
        c = torch.addcmul(c, r, h.bmm(u_c)) if reset_after else torch.baddbmm(c, r * h, u_c)
        h = torch.lerp(c.tanh(), h, z)
        states.append(h)
    return side_by_side(states, reverse)


def input_side(x: Tensor, w: Tensor, b: Tensor | None, reverse: Tensor) -> Tensor:
    """What the gates of both directions have of rows x [N, D], the backward one mirrored, [2, N, G H]."""
    both = torch.stack((x, x.index_select(0, reverse)))  # 2 N D
    return both.bmm(w) if b is None else torch.baddbmm(b.unsqueeze(1), both, w)


def side_by_side(states: Sequence[Tensor], reverse: Tensor) -> Tensor:
    """The states of each step [2, n, H], the backward ones mirrored -> [N, 2H]."""
    forward, backward = torch.cat(tuple(states), dim=1)
    return torch.cat((forward, backward.index_select(0, reverse)), dim=1)
