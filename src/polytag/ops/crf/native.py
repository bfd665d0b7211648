"""Viterbi in the native core: the same answers as `polytag.ops.crf.cpu.viterbi`, without a call per step."""

from collections.abc import Sequence

import torch
from torch import Tensor

from polytag.ops.native import core, library


def usable(emissions: Tensor) -> bool:
    """Whether the native core is there and takes these scores."""
    return emissions.device.type == "cpu" and emissions.dtype == torch.float32 and core() is not None


@torch.no_grad()
def viterbi(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Best tag sequence [N] and its score [B]; see `polytag.ops.crf.reference.viterbi`."""
    emissions, transitions, start = emissions.contiguous(), transitions.contiguous(), start.contiguous()
    sizes = torch.tensor(batch_sizes, dtype=torch.long)
    best = torch.empty(emissions.shape[0], dtype=torch.long)
    totals = emissions.new_empty(batch_sizes[0] if len(batch_sizes) else 0)
    library().polytag_viterbi(
        emissions.data_ptr(), transitions.data_ptr(), start.data_ptr(), len(sizes), sizes.data_ptr(),
        transitions.shape[0], best.data_ptr(), totals.data_ptr(),
    )  # fmt: skip
    return best, totals
