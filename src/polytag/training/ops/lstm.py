"""The bidirectional LSTM layer (Hochreiter and Schmidhuber, 1997; without peepholes), in tensors, for any device.

It is what Ling et al. (2015) read characters and words with. `polytag.training.ops.gru.packed` says how the rows go.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from polytag.training.ops.gru.packed import input_side, side_by_side


def lstm(
    x: Tensor, w: Tensor, u: Tensor, b: Tensor | None, batch_sizes: Sequence[int], reverse: Tensor
) -> Tensor:  # fmt: skip
    """One layer over packed rows: as `polytag.training.ops.gru.gru`, with the gates i, f, o and c side by side, 4H."""
    hidden = u.shape[1]
    gates = input_side(x, w, b, reverse)  # 2 N 4H
    h = memory = x.new_zeros(2, batch_sizes[0] if len(batch_sizes) else 0, hidden)
    states = [h[:, :0]]
    for from_x in torch.split(gates, list(batch_sizes), dim=1):
        running = from_x.shape[1]
        sums = torch.baddbmm(from_x, h[:, :running], u)
        i, f, o = sums[:, :, : 3 * hidden].sigmoid().chunk(3, dim=2)
        memory = torch.addcmul(f * memory[:, :running], i, sums[:, :, 3 * hidden :].tanh())
        h = o * memory.tanh()
        states.append(h)
    return side_by_side(states, reverse)
