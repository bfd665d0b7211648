"""The loss of a linear-chain CRF: `reference` is the specification, `cpu` the fast form, `native` faster still.

The fast form is plain tensor code, so it serves every device. What decoding needs is `polytag.tagger.chain`.
"""

from collections.abc import Sequence

from torch import Tensor

from polytag.training.ops.crf import cpu, native
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
