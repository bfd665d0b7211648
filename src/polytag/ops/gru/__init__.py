"""The bidirectional GRU layer: `reference` is the specification, `packed` fast on any device, `native` faster still."""

from collections.abc import Sequence

from torch import Tensor

from polytag.ops.gru import native, packed


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
    """One bidirectional GRU layer over packed rows; `polytag.ops.gru.reference.gru` holds the contract."""
    form = native.gru if native.usable(x) else packed.gru
    return form(x, input_weight, recurrent_weight, bias, batch_sizes, reverse, reset_after=reset_after)
