"""Matrices packed for tagging, in one of the precisions of the native core."""

import ctypes
import weakref
from collections.abc import Sequence

import torch
from torch import Tensor

from polytag.native import PRECISIONS, Precision, library


class PackedMatrix:
    """A copy of a matrix [D, K] that rows can be multiplied with, see `project`.

    Values are rounded as those of `polytag.training.ops.PackedLayer`: bfloat16 to 8 bits of mantissa, int8 to multiples of 1/127
    of the largest in a column.
    """

    def __init__(self, values: Tensor, *, precision: Precision) -> None:
        self.inputs, self.columns = values.shape
        values = values.detach().float().contiguous()
        self.handle = library().polytag_matrix(
            PRECISIONS.index(precision), self.inputs, self.columns, values.data_ptr()
        )
        weakref.finalize(self, library().polytag_matrix_free, self.handle)


def project(x: Tensor, matrices: Sequence[PackedMatrix]) -> list[Tensor]:
    """Rows [N, D] of float32 by each of the matrices [D, K], all of one precision -> [N, K] of float32 each."""
    x = x.contiguous()
    products = [x.new_empty(x.shape[0], matrix.columns) for matrix in matrices]
    pointers = ctypes.c_void_p * len(matrices)
    library().polytag_project(
        pointers(*(matrix.handle for matrix in matrices)), len(matrices), x.data_ptr(), x.shape[0],
        pointers(*(product.data_ptr() for product in products)), torch.get_num_threads(),
    )  # fmt: skip
    return products
