"""Random ragged batches in packed rows, for the tests of kernels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.native.checks import Floats, Numbers, Sizes


@dataclass(frozen=True)
class Batch:
    """``sizes`` of the steps of sequences of these lengths, longest first, and the packed rows of each sequence."""

    lengths: tuple[int, ...]
    sizes: Sizes
    rows: tuple[npt.NDArray[np.int64], ...]

    @property
    def n(self) -> int:
        return sum(self.lengths)


def batch_of(lengths: tuple[int, ...]) -> Batch:
    ranked = tuple(sorted(lengths, reverse=True))
    sizes = np.array([sum(length > t for length in ranked) for t in range(max(ranked, default=0))], np.int64)
    starts = np.cumsum(sizes) - sizes
    return Batch(ranked, sizes, tuple(starts[:length] + b for b, length in enumerate(ranked)))


def ones(n: int) -> Sizes:
    """The sizes of one sequence alone."""
    return np.ones(n, np.int64)


class Draw:
    """Random arrays of the core's types from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def floats(self, *shape: int, scale: float = 1.0) -> Floats:
        return (self._random.standard_normal(shape) * scale).astype(np.float32)

    def numbers(self, n: int, *, end: int) -> Numbers:
        return self._random.integers(0, end, n).astype(np.int32)

    def layer(self, d: int, h: int, *, bias: bool = True) -> dict[str, Any]:
        """Weights whose sums are of order 1 whatever their size."""
        return {
            "input_weight": self.floats(2, d, 3 * h, scale=d**-0.5),
            "recurrent_weight": self.floats(2, h, 3 * h, scale=h**-0.5),
            "bias": self.floats(2, 3 * h) if bias else None,
        }


def beside_nan(array: Floats) -> Floats:
    """The same values in the middle of NaN: whoever reads beside them reads NaN."""
    storage = np.full(array.size + 128, np.nan, np.float32)
    view = storage[64 : 64 + array.size].reshape(array.shape)
    view[...] = array
    return view
