"""The bidirectional GRU layer: `reference` is the specification, `packed` fast on any device, `native` faster still."""

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
    """One bidirectional GRU layer over packed rows; `polytag.training.ops.gru.reference.gru` holds the contract.

    ``precision`` is that of the products where gradients are wanted; only the native core has others than the inputs'.
    """
    arguments = (x, input_weight, recurrent_weight, bias, batch_sizes, reverse)
    if native.usable(x):
        return native.gru(*arguments, reset_after=reset_after, precision=precision)
    assert precision == "float32", "the native core is not there"
    return packed.gru(*arguments, reset_after=reset_after)
