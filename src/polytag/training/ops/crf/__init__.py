"""The loss of a linear-chain CRF: `reference` is the specification, `packed` fast on any device, `native` faster still.

What decoding needs is `polytag.tagger.chain`.
"""

from collections.abc import Sequence

from torch import Tensor

from polytag.training.ops.crf import native, packed
from polytag.training.ops.crf.packed import partial_softmax_margin as partial_softmax_margin


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
    form = native.softmax_margin if native.takes_loss(emissions, transitions) else packed.softmax_margin
    return form(emissions, tags, transitions, start, batch_sizes, margin=margin)
