"""Layers and matrices of the native core for tagging, on tensors."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from polytag import native
from polytag.native import Precision


class PackedLayer:
    """One bidirectional GRU layer that can only be applied; see `polytag.native.Layer`."""

    def __init__(
        self,
        input_weight: Tensor,
        recurrent_weight: Tensor,
        bias: Tensor | None,
        *,
        reset_after: bool,
        precision: Precision,
    ) -> None:
        w, u = (_array(weight) for weight in (input_weight, recurrent_weight))
        b = None if bias is None else _array(bias)
        self._layer = native.Layer(w, u, b, reset_after=reset_after, precision=precision)
        self.inputs, self.units = self._layer.inputs, self._layer.units

    def __call__(self, x: Tensor, batch_sizes: Sequence[int]) -> Tensor:
        """Packed rows [N, D] of float32 -> states [N, 2H]."""
        return torch.from_numpy(self._layer.states(x.contiguous().numpy(), np.array(batch_sizes, np.int64)))


class PackedMatrix:
    """A copy of a matrix [D, K] that rows can be multiplied with, see `project`."""

    def __init__(self, values: Tensor, *, precision: Precision) -> None:
        self.matrix = native.Matrix(_array(values), precision=precision)
        self.inputs, self.columns = self.matrix.inputs, self.matrix.columns


def project(x: Tensor, matrices: Sequence[PackedMatrix]) -> list[Tensor]:
    """Rows [N, D] of float32 by each of the matrices [D, K], all of one precision -> [N, K] of float32 each."""
    products = native.project(x.contiguous().numpy(), [matrix.matrix for matrix in matrices])
    return [torch.from_numpy(product) for product in products]


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    array: npt.NDArray[np.float32] = tensor.detach().float().contiguous().numpy()
    return array
