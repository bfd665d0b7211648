"""Shapes, types and numbers of rows, checked once, where arrays enter the core.

The core itself sees to what takes a walk through the values (sizes of steps, numbers of rows and tags): its functions
come back with an outcome, which `conclude` turns into an exception.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Sizes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
FLOAT32, INT64, INT32, INT16 = (np.dtype(name) for name in ("float32", "int64", "int32", "int16"))
_addressof, _from_buffer = (
    ctypes.addressof,
    cast(Callable[[Array], ctypes.Array[ctypes.c_char]], (ctypes.c_char * 0).from_buffer),
)
DONE, NO_MEMORY, BAD_SIZES, OUT_OF_RANGE = range(4)


def rows(array: Array) -> int:
    """The length of an array; 0 of what has none, for `check` to refuse."""
    return array.shape[0] if array.shape else 0


def check(name: str, array: Array, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """The same array, of this type and shape and without gaps.

    Raises:
        ValueError: it is another.
    """
    if array.dtype != dtype or array.shape != shape:
        expected = f"{dtype.name} {list(shape)}"
        raise ValueError(f"{name} is {array.dtype.name} {list(array.shape)}, expected {expected}")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name} {list(shape)} has gaps between its values, expected none")
    return array


def address(name: str, array: Array, dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """Where the values of an array lie that is of this type and shape and has no gaps.

    Raises:
        ValueError: it is another.
    """
    flags = array.flags
    if array.dtype == dtype and array.shape == shape and flags.c_contiguous and flags.writeable:  # nearly always
        return _addressof(_from_buffer(array))
    return place(check(name, array, dtype, shape))


def place(array: Array) -> int:
    """Where the values of an array lie."""
    flags = array.flags
    if flags.writeable and flags.c_contiguous:  # takes a quarter of the time of what NumPy offers
        return _addressof(_from_buffer(array))
    found: int = array.__array_interface__["data"][0]
    return found


def conclude(outcome: int, *, sizes: Sizes, count: int, numbers: Array | None = None, end: int = 0) -> None:
    """Raise what an outcome of the core stands for.

    Raises:
        ValueError: ``sizes`` are not those of ``count`` packed rows, or a number is not from 0 to ``end`` - 1.
        MemoryError: there was not enough memory.
    """
    if outcome == DONE:
        return
    if outcome == NO_MEMORY:
        raise MemoryError(f"the native core found no memory for {count} rows")
    if outcome == BAD_SIZES:
        raise ValueError(
            f"sizes of steps {_shown(sizes.tolist())}, expected positive numbers, none above the one before it, "
            f"that sum to {count}"
        )
    assert numbers is not None
    raise _out_of_range(numbers, end)


def check_features(numbers: Numbers, of_own: int, entries: tuple[int, int]) -> None:
    """Raises ValueError where numbers of features are none of rows of two tables with so many entries."""
    for some, end in zip(np.split(numbers, [of_own], axis=1), entries, strict=True):
        if not within(some, end):
            raise _out_of_range(some.ravel(), end)


def bad_lengths(lengths: Sizes, count: int) -> ValueError:
    """What to raise where lengths are not those of sequences that have ``count`` items together."""
    return ValueError(f"lengths {_shown(lengths.tolist())}, expected positive numbers that sum to {count}")


def fit(sizes: Sizes, count: int) -> bool:
    """Whether sizes of steps are those of ``count`` packed rows."""
    falling = bool((sizes[1:] <= sizes[:-1]).all())
    return int(sizes.sum()) == count and (not len(sizes) or (falling and sizes[-1] > 0))


def within(numbers: Array, end: int) -> bool:
    """Whether all numbers are within 0 and ``end`` - 1."""
    return not numbers.size or bool(numbers.min() >= 0 and numbers.max() < end)


def _out_of_range(numbers: Numbers, end: int) -> ValueError:
    index = int(np.flatnonzero((numbers < 0) | (numbers >= end))[0])
    return ValueError(f"number {numbers[index]} at row {index}, expected 0 to {end - 1}")


def _shown(numbers: Sequence[int]) -> str:
    return f"{numbers}" if len(numbers) <= 12 else f"[{', '.join(map(str, numbers[:10]))}, ... ({len(numbers)})]"
