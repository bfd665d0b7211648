"""Read a pickle that holds plain data and numpy arrays, and can make nothing else happen.

A pickle is a program: it may call whatever it can name. Here ``find_class`` knows the few names alone that arrays need,
and they lead to inert stand-ins, for numpy itself believes a pickle that says where an array's objects lie. Arrays are
made at the end with np.frombuffer, from a float type and a length that agrees with the bytes.

The instructions are looked through before. Those that no such pickle needs are refused: dicts and sets, whose hashing
a hostile file could make endless, among them. So are lengths and places that the file only claims, for which `pickle`
would take memory at once.
"""

import io
import pickle
import pickletools
import re
from collections.abc import Callable, Mapping
from math import prod
from os import PathLike

import numpy as np
import numpy.typing as npt

from polytag.errors import VectorsError

FLOATS = ("f2", "f4", "f8")
INSTRUCTIONS = frozenset(
    re.findall(
        r"\w+",
        "PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING "
        "BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 UNICODE BINUNICODE SHORT_BINUNICODE "
        "BINUNICODE8 EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 GET BINGET LONG_BINGET "
        "PUT BINPUT LONG_BINPUT MEMOIZE GLOBAL STACK_GLOBAL REDUCE BUILD",
    )
)


class Refused(Exception):  # noqa: N818
    """What the pickle asked for is not allowed; becomes a VectorsError with the path."""


class _DType:
    """A stand-in for numpy.dtype: one of FLOATS, its byte order in its state."""

    def __init__(self, name: object, *_: object) -> None:
        self.name, self.order = _text(name).lstrip("<>=|"), "<"
        if self.name not in FLOATS:
            raise Refused(f"an array of type {self.name[:20]!r} (allowed are {', '.join(FLOATS)})")

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.order = _text(state[1])
        if self.order not in ("<", ">", "=", "|"):
            raise Refused("an array of an unknown byte order")


class _Array:
    """A stand-in for numpy.ndarray: what _reconstruct() makes and BUILD fills."""

    filled: npt.NDArray[np.floating] | None = None

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, shape, dtype, fortran, data = state
        self.filled = _array(data, dtype, shape, "F" if fortran else "C")


def _array(data: object, dtype: object, shape: object, order: object) -> npt.NDArray[np.floating]:
    if not isinstance(dtype, _DType) or not isinstance(data, bytes | bytearray):
        raise Refused("an array that is not made of a float type and bytes")
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape) or len(shape) > 4:
        raise Refused("an array whose shape is not a tuple of up to 4 sizes")
    kind = np.dtype(dtype.order + dtype.name)
    if prod(shape) * kind.itemsize != len(data):
        raise Refused(f"an array of shape {shape} with {len(data):,} bytes of data")
    return np.frombuffer(data, dtype=kind).reshape(shape, order="F" if order == "F" else "C")


def _text(value: object) -> str:
    if not isinstance(value, str | bytes):
        raise Refused("a type or byte order that is not a string")
    return value if isinstance(value, str) else value.decode("latin-1")


ALLOWED: Mapping[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _Array,  # an argument of _reconstruct()
    ("numpy", "dtype"): _DType,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy.core.numeric", "_frombuffer"): _array,  # protocol 5
    ("numpy._core.numeric", "_frombuffer"): _array,
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes) -> None:
        # Strings of Python 2 stay bytes: decoded as Latin-1 they could not be told from its unicode strings.
        super().__init__(io.BytesIO(data), encoding="bytes")
        self._encodable = len(data)

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if (module, name) == ("_codecs", "encode"):
            return self._encode
        if (module, name) not in ALLOWED:
            raise Refused(f"the global {module}.{name}"[:200])
        return ALLOWED[module, name]

    def _encode(self, text: object, encoding: object = "latin1") -> bytes:
        # How Python 3 writes bytes in protocols 0 to 2. One text encoded over and over could fill the memory.
        if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
            raise Refused("a text encoded otherwise than in Latin-1")
        self._encodable -= len(text)
        if self._encodable < 0:
            raise Refused("more encoded text than the file holds")
        return text.encode("latin-1")


def _check(data: bytes) -> None:
    """Look through the instructions, which takes no more memory than there are bytes."""
    short = 1000 + len(data) // 3  # instructions of one byte: a word takes two bytes or more, and perhaps one of these
    for instruction, argument, _ in pickletools.genops(data):
        short -= argument is None
        if short < 0:
            raise Refused("more lists and tuples than words")
        if instruction.name not in INSTRUCTIONS:
            raise Refused(f"the pickle instruction {instruction.name}")
        if "PUT" in instruction.name and argument is not None and argument >= len(data):
            raise Refused(f"an object numbered {argument:,} in {len(data):,} bytes")


def restricted_load(data: bytes, *, path: str | PathLike[str] = "") -> object:
    """What the pickle ``data`` holds: tuples, lists, str, bytes, numbers and numpy arrays of floats, no more.

    Arrays are returned where they stand alone or in an outermost tuple or list; deeper ones stay inert stand-ins.
    Strings written by Python 2 as ``str`` come as bytes; an outermost list comes as a tuple.

    Raises:
        VectorsError: the pickle asks for anything else, which is named and not done, or is damaged.
    """
    try:
        _check(data)
        value = _Unpickler(data).load()
        if isinstance(value, tuple | list):
            return tuple(_finished(item) for item in value)
        return _finished(value)
    except Refused as refused:
        message = f"the pickle holds {refused}, expected only words and one numpy array: nothing of it was run"
        raise VectorsError(message, path=path) from None
    except UnicodeDecodeError:  # which older `pickletools` raise at an array that Python 2 wrote as text
        message = "the pickle is damaged or of Python 2's protocol 0, expected protocol 2 or newer"
        raise VectorsError(message, path=path) from None
    except Exception as error:  # damaged pickles raise almost anything, as the documentation of pickle says
        raise VectorsError(f"the pickle is damaged or truncated ({type(error).__name__})", path=path) from error


def _finished(value: object) -> object:
    if isinstance(value, _DType) or callable(value) or (isinstance(value, _Array) and value.filled is None):
        raise Refused("an unfinished array")
    return value.filled if isinstance(value, _Array) else value
