"""The bidirectional GRU layer as the paper writes it: one sequence at a time, one step at a time. The specification.

Slow and plain on purpose; every fast form has the same signature and is tested against this one.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


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
    """One bidirectional GRU layer over packed rows (paper, section 3.1).

    Rows are packed as `torch.nn.utils.rnn.PackedSequence` packs them: sequences sorted by length, longest first;
    step t owns ``batch_sizes[t]`` rows, one for each sequence that is still running.

    Args:
        x: ``[N, D]`` packed input rows.
        input_weight: ``[2, D, 3H]`` W_rx, W_zx, W_hx side by side; forward direction first.
        recurrent_weight: ``[2, H, 3H]`` W_rh, W_zh, W_hh side by side.
        bias: ``[2, 3H]`` or None (the paper has none), added to the input side.
        batch_sizes: running sequences at each step, non-increasing; their sum is N.
        reverse: ``[N]`` the row of the mirrored position in the same sequence (only the fast form needs it).
        reset_after: apply the reset gate after the recurrent product, as Lasagne, torch.nn.GRU and cuDNN do.

    Returns:
        ``[N, 2H]`` packed states, forward direction in the first H columns.
    """
    del reverse
    offsets = [0]
    for size in batch_sizes:
        offsets.append(offsets[-1] + size)
    states: list[list[Tensor]] = [[], []]
    rows: list[int] = []
    for sequence in range(batch_sizes[0] if len(batch_sizes) else 0):
        steps = [offsets[t] + sequence for t, size in enumerate(batch_sizes) if sequence < size]
        rows += steps
        for direction, order in enumerate((steps, steps[::-1])):
            h = x.new_zeros(recurrent_weight.shape[1])
            seen: list[Tensor] = []
            for row in order:
                h = _cell(x[row], h, input_weight[direction], recurrent_weight[direction],
                          None if bias is None else bias[direction], reset_after=reset_after)  # fmt: skip
                seen.append(h)
            states[direction] += seen if direction == 0 else seen[::-1]
    if not rows:
        return x.new_zeros(0, 2 * recurrent_weight.shape[1])
    packed = torch.cat([torch.stack(direction) for direction in states], dim=1)
    return packed[torch.tensor(rows, device=x.device).argsort()]


def _cell(x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor | None, *, reset_after: bool) -> Tensor:
    """One step: ``x`` [D], ``h`` [H] -> the next state [H]."""
    from_x = x @ w if b is None else x @ w + b
    x_r, x_z, x_c = from_x.chunk(3)
    u_r, u_z, u_c = u.chunk(3, dim=1)
    r = torch.sigmoid(x_r + h @ u_r)
    z = torch.sigmoid(x_z + h @ u_z)
    c = torch.tanh(x_c + (r * (h @ u_c) if reset_after else (r * h) @ u_c))
    return z * h + (1 - z) * c
