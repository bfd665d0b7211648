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
    both = torch.stack((x, x.index_select(0, reverse)))  # 2 N D
    gates = both.bmm(w) if b is None else torch.baddbmm(b.unsqueeze(1), both, w)  # 2 N 3H
    hidden = u.shape[1]
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
    forward, backward = torch.cat(states, dim=1)
    return torch.cat((forward, backward.index_select(0, reverse)), dim=1)
