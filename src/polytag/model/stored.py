"""How arrays are stored in a packed file: in float32, in float16, or in int8 with a scale for each column.

What is large goes into the precision asked for: layers, embeddings and the weights of features. Projections,
transitions, START scores, gazetteers and biases are small and stay float32.

    NAME                   as it is, in float16, or in int8
    NAME.deflated          instead of NAME in int8, where that is a good deal smaller: its bytes, compressed with zlib
    NAME.largest           what 127 stands for in each column of NAME in int8
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from math import prod

import numpy as np

from polytag.errors import ModelError
from polytag.model.array_file import Array
from polytag.model.model import Weights
from polytag.model.shapes import Shape

PRECISIONS = ("float32", "float16", "int8")
DEFLATED, LARGEST = ".deflated", ".largest"
STEPS = 127
COARSE = 0.8  # standard deviations: a value takes less than 3 bits, its error is a twentieth of the variance
MOST_RATIO = 50  # text and weights come to a tenth at best; what is made to fill a memory, to a thousandth
WORTHWHILE = 0.8  # share of its bytes that a compressed array may take

_LARGE = re.compile(
    r"(chars|words)\.[^.]+\.embedding\.weight"  # [V, D]
    r"|(chars|words)\.[^.]+\.(gru|lstm)\.(input|recurrent)_weight\.\d+"  # [2, D, 3H] or [2, D, 4H]
    r"|tags\.[^.]+\.features\.(own|around)\.weight"  # [F, K]; most weights are next to nothing, and become nothing
)

_WORD_VECTORS = re.compile(r"words\.[^.]+\.embedding\.weight")


def stored(arrays: Mapping[str, Weights], precision: str, *, coarse: bool = False) -> dict[str, Array]:
    """Arrays as a file holds them; in int8, ``coarse`` rounds word vectors to a few values, which compress well.

    Raises:
        ModelError: a value is not finite, or too large for float16.
    """
    kept: dict[str, Array] = {}
    for name, array in arrays.items():
        if precision == "float32" or not _LARGE.fullmatch(name):
            kept[name] = array
        elif precision == "float16":
            kept[name] = _halves(name, array)
        else:
            is_coarse = coarse and _WORD_VECTORS.fullmatch(name) is not None
            steps, kept[name + LARGEST] = quantised(name, array, coarse=is_coarse)
            kept |= _smaller(name, steps)
    return kept


def rounded(name: str, array: Weights, precision: str) -> Array:
    """A large array in a precision; in int8 without its scales.

    Raises:
        ModelError: as `stored`.
    """
    if precision == "float32":
        return array
    return _halves(name, array) if precision == "float16" else quantised(name, array)[0]


def quantised(name: str, array: Weights, *, coarse: bool = False) -> tuple[Array, Weights]:
    """Multiples [..., D, C] of 1/127 of the largest value of a column, and these largest values [..., C].

    Rounded as the core rounds the weights of layers, so that it makes of `restored` what it makes of the array. Where
    ``coarse``, a step is `COARSE` standard deviations of a column.

    Raises:
        ModelError: a value is not finite.
    """
    largest = np.abs(array).max(-2, initial=0)
    if not np.isfinite(largest).all():
        raise ModelError(f"{name} holds values that are not finite, expected weights of a training that went well")
    if coarse:
        largest = np.maximum(largest, array.std(-2) * np.float32(COARSE * STEPS))
    return np.rint(array / _scale(largest)).astype(np.int8), largest


def stored_shapes(
    arrays: Mapping[str, Array], wanted: Mapping[str, Shape], precision: str
) -> Iterator[tuple[str, tuple[str, Shape]]]:
    """The name, type and shape of each array that a file shall hold for arrays of the ``wanted`` shapes.

    ``arrays`` are those that it holds: they tell which are compressed.
    """
    for name, shape in wanted.items():
        if precision == "float32" or not _LARGE.fullmatch(name):
            yield name, ("float32", shape)
        elif precision == "float16":
            yield name, ("float16", shape)
        else:
            bytes_ = arrays.get(name + DEFLATED)
            yield (name, ("int8", shape)) if bytes_ is None else (name + DEFLATED, ("uint8", (bytes_.size,)))
            yield name + LARGEST, ("float32", shape[:-2] + shape[-1:])


def restored(arrays: Mapping[str, Array], wanted: Mapping[str, Shape]) -> dict[str, Weights]:
    """The inverse of `stored`, in float32: what is stored so stays a view of the file, all else is made anew.

    Raises:
        ValueError: what is compressed is damaged.
    """
    return {name: _float32(_whole(name, arrays, shape), arrays.get(name + LARGEST)) for name, shape in wanted.items()}


def _whole(name: str, arrays: Mapping[str, Array], shape: Shape) -> Array:
    if name in arrays:
        return arrays[name]
    return np.frombuffer(inflated(arrays[name + DEFLATED].tobytes(), prod(shape)), np.int8).reshape(shape)


def _float32(array: Array, largest: Weights | None) -> Weights:
    if array.dtype == np.float32:
        return array
    if largest is None:
        values = array.astype(np.float32)
    else:
        values = np.multiply(array, _scale(largest), dtype=np.float32)
        # 127 steps are the largest value itself, which 127 times a rounded scale need not be: rounded again, by the
        # core, the scale shall be the same.
        for ends in (STEPS, -STEPS):
            *others, column = np.nonzero(array == ends)
            values[(*others, column)] = np.copysign(largest[(*others[:-1], column)], ends)
    values.flags.writeable = False
    return values


def _scale(largest: Weights) -> Weights:
    """What one step of a column is worth, [..., 1, C]."""
    return np.where(largest > 0, largest / np.float32(STEPS), np.float32(1))[..., None, :]


def _smaller(name: str, steps: Array) -> dict[str, Array]:
    packed = deflated(steps.tobytes())
    if len(packed) > WORTHWHILE * steps.size:
        return {name: steps}
    return {name + DEFLATED: np.frombuffer(packed, np.uint8)}


def _halves(name: str, array: Weights) -> Array:
    if array.size and not np.abs(array).max() <= np.finfo(np.float16).max:
        raise ModelError(f"{name} holds values that float16 cannot, expected none beyond 65,504")
    return array.astype(np.float16)


def deflated(content: bytes) -> bytes:
    """The same bytes, compressed as far as `inflated` takes it."""
    packed = zlib.compress(content, 9)
    return packed if len(content) <= MOST_RATIO * len(packed) else zlib.compress(content, 0)


def inflated(packed: bytes, size: int) -> bytes:
    """The inverse of `deflated`, for what shall come to ``size`` bytes.

    Raises:
        ValueError: it is damaged, does not come to that size, or is smaller than `MOST_RATIO` lets it be.
    """
    if not 0 < size <= MOST_RATIO * len(packed):
        raise ValueError(f"{len(packed):,} bytes stand for {size:,}, expected at most {MOST_RATIO} times as many")
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(packed, size)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(content) != size or not unpacking.eof or unpacking.unused_data:
        raise ValueError(f"{len(packed):,} bytes do not stand for {size:,}, as the file says they do")
    return content
