"""A GRU layer with its weights packed for tagging, in one of the precisions of the native core."""

import weakref
from collections.abc import Sequence

import torch
from torch import Tensor

from polytag.native import PRECISIONS, Precision, core, library


def supports(precision: Precision) -> bool:
    """Whether the native core is there and this processor has instructions for a precision."""
    found = core()
    return found is not None and bool(found.polytag_can_tag(PRECISIONS.index(precision)))


def prefers_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 at least twice as fast as float32 (AMX, or AMD's AVX-512)."""
    found = core()
    return found is not None and bool(found.polytag_prefers_bfloat16())


class PackedLayer:
    """One bidirectional GRU layer that can only be applied; see `polytag.training.ops.gru.reference.gru` for what it computes.

    bfloat16: inputs, states and weights are rounded to 8 bits of mantissa, sums and gates stay float32.
    int8: weights have a scale per column, inputs one per row, states are multiples of 1/127; sums are exact.
    """

    def __init__(
        self,
        input_weight: Tensor,
        recurrent_weight: Tensor,
        bias: Tensor | None,
        *,
        reset_after: bool,
        precision: Precision,
    ) -> None:
        _, self.inputs, _ = input_weight.shape
        self.units = recurrent_weight.shape[1]
        self._bias = None if bias is None else bias.detach().float().contiguous().clone()  # the layer keeps its address
        weights = [weight.detach().float().contiguous() for weight in (input_weight, recurrent_weight)]
        self._handle = library().polytag_layer(
            PRECISIONS.index(precision), self.inputs, self.units, reset_after,
            *(weight.data_ptr() for weight in weights), None if self._bias is None else self._bias.data_ptr(),
        )  # fmt: skip
        weakref.finalize(self, library().polytag_layer_free, self._handle)

    def __call__(self, x: Tensor, batch_sizes: Sequence[int]) -> Tensor:
        """Packed rows [N, D] of float32 -> states [N, 2H]."""
        x = x.contiguous()
        states = x.new_empty(x.shape[0], 2 * self.units)
        sizes = torch.tensor(batch_sizes, dtype=torch.long)
        library().polytag_states(
            self._handle, x.data_ptr(), len(sizes), sizes.data_ptr(), states.data_ptr(), torch.get_num_threads()
        )
        return states
