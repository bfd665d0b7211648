"""The linear-chain CRF: `reference` is the specification, `cpu` the fast form, `native` faster still for Viterbi.

The fast form is plain tensor code, so it serves every device.
"""

from collections.abc import Sequence

from torch import Tensor

from polytag.ops.crf import cpu, native
from polytag.ops.crf.cpu import forward_backward as forward_backward
from polytag.ops.crf.cpu import log_partition as log_partition
from polytag.ops.crf.cpu import marginals as marginals
from polytag.ops.crf.cpu import softmax_margin as softmax_margin


def viterbi(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Best tag sequence [N] and its score [B]; `polytag.ops.crf.reference.viterbi` holds the contract."""
    form = native.viterbi if native.usable(emissions) else cpu.viterbi
    return form(emissions, transitions, start, batch_sizes)
