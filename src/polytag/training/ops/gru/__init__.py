"""The bidirectional GRU layer: `packed` is plain tensor code for any device, `native` the fast form for CPUs.

Tests hold both against the equations of the paper, written one sequence and one step at a time, and against outside
tools.
"""

from collections.abc import Sequence

from torch import Tensor

from polytag.native import Precision
from polytag.training.ops.gru import native, packed


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
    """One bidirectional GRU layer over packed rows (paper, section 3.1).

    Rows are packed as `torch.nn.utils.rnn.PackedSequence` packs them: sequences sorted by length, longest first;
    step t owns ``batch_sizes[t]`` rows, one for each sequence that is still running.

    Args:
        x: ``[N, D]`` packed input rows.
        input_weight: ``[2, D, 3H]`` W_rx, W_zx, W_hx side by side; forward direction first.
        recurrent_weight: ``[2, H, 3H]`` W_rh, W_zh, W_hh side by side.
        bias: ``[2, 3H]`` or None (the paper has none), added to the input side.
        batch_sizes: running sequences at each step, non-increasing; their sum is N.
        reverse: ``[N]`` the row of the mirrored position in the same sequence.
        reset_after: apply the reset gate after the recurrent product, as Lasagne, torch.nn.GRU and cuDNN do.
        precision: "bfloat16" rounds what enters each product, forward and backward, in the native core alone; sums,
            gates, weights and gradients stay as they are.

    Returns:
        ``[N, 2H]`` packed states, forward direction in the first H columns.
    """
    arguments = (x, input_weight, recurrent_weight, bias, batch_sizes, reverse)
    if native.usable(x):
        return native.gru(*arguments, reset_after=reset_after, precision=precision)
    assert precision == "float32", "the native core is not there"
    return packed.gru(*arguments, reset_after=reset_after)
