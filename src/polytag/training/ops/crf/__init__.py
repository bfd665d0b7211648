"""The linear-chain CRF: `reference` is the specification, `cpu` the fast form, `native` faster still.

The fast form is plain tensor code, so it serves every device.
"""

from collections.abc import Sequence

from torch import Tensor

from polytag.training.ops.crf import cpu, native
from polytag.training.ops.crf.cpu import forward_backward as forward_backward
from polytag.training.ops.crf.cpu import log_partition as log_partition
from polytag.training.ops.crf.cpu import marginals as marginals
from polytag.training.ops.crf.entropy import entropy as entropy
from polytag.training.ops.crf.nbest import nbest as nbest
from polytag.training.ops.crf.partial import partial_softmax_margin as partial_softmax_margin


def softmax_margin(
    emissions: Tensor,
    tags: Tensor,
    transitions: Tensor,
    start: Tensor,
    batch_sizes: Sequence[int],
    *,
    margin: float = 0.0,
) -> Tensor:
    """Loss of each sentence, [B]; `polytag.training.ops.crf.reference.softmax_margin` holds the contract."""
    form = native.softmax_margin if native.takes_loss(emissions, transitions) else cpu.softmax_margin
    return form(emissions, tags, transitions, start, batch_sizes, margin=margin)


def viterbi(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Best tag sequence [N] and its score [B]; `polytag.training.ops.crf.reference.viterbi` holds the contract."""
    form = native.viterbi if native.usable(emissions) else cpu.viterbi
    return form(emissions, transitions, start, batch_sizes)
