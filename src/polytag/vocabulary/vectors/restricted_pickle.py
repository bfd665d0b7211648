"""Read a pickle that holds plain data and numpy arrays, and can make nothing else happen.

A pickle is a program: it may call whatever it can name. Here the program runs with most of its instructions taken
out, and the few names that numpy's arrays need lead to inert stand-ins, so that not even numpy is called on its word:

* only the instructions in ``INSTRUCTIONS`` exist (no INST, OBJ, NEWOBJ, persistent or extension ones, no dicts or
  sets, whose hashing a hostile file could make endless);
* ``ALLOWED`` holds the only global names; every other is an error that says it;
* arrays are made at the end with np.frombuffer, from a float type and a length that agrees with the bytes.

The interpreter is CPython's own in Python: the one in C allocates what a length or memo index merely claims.
"""

import io
import pickle
import pickletools
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.errors import VectorsError

FLOATS = ("f2", "f4", "f8")
INSTRUCTIONS = re.findall(
    r"\w+",
    "PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT "
    "STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8 UNICODE BINUNICODE SHORT_BINUNICODE "
    "BINUNICODE8 EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE GLOBAL STACK_GLOBAL REDUCE BUILD",
)

_OWN: Mapping[int, Callable[[Any], None]] = pickle._Unpickler.dispatch


class Refused(Exception):  # noqa: N818
    """What the pickle asked for is not allowed; becomes a VectorsError with the path."""


@dataclass(frozen=True, slots=True)
class _Callable:
    """A stand-in for a global: may be called, and nothing can be set on it."""

    call: Callable[..., object]

    def __call__(self, *arguments: object) -> object:
        return self.call(*arguments)

    def __setstate__(self, state: object) -> None:
        raise Refused("a state set on a function")


class _DType:
    """A stand-in for numpy.dtype: one of FLOATS, its byte order in its state."""

    def __init__(self, name: object, *_: object) -> None:
        name = _text(name).lstrip("<>=|")
        if name not in FLOATS:
            raise Refused(f"an array of type {name[:20]!r} (allowed are {', '.join(FLOATS)})")
        self.name, self.order = name, "<"

    def __setstate__(self, state: tuple[object, ...]) -> None:
        order = _text(state[1])
        if order not in ("<", ">", "=", "|"):
            raise Refused("an array of an unknown byte order")
        self.order = order


class _Array:
    """A stand-in for numpy.ndarray: what _reconstruct() makes and BUILD fills."""

    filled: npt.NDArray[np.floating] | None = None

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, shape, dtype, fortran, data = state
        self.filled = _array(data, dtype, shape, order="F" if fortran else "C")


def _array(data: object, dtype: object, shape: object, *, order: object = "C") -> npt.NDArray[np.floating]:
    if not isinstance(dtype, _DType) or not isinstance(data, bytes):
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


def _refuse(*_: object) -> object:
    raise Refused("an array made otherwise than by numpy's own reconstruction")


_RECONSTRUCT = _Callable(lambda *_: _Array())
_FROM_BUFFER = _Callable(lambda data, dtype, shape, order: _array(data, dtype, shape, order=order))
_ENCODE = _Callable(_refuse)  # replaced in each load by one with a budget

ALLOWED: Mapping[tuple[str, str], _Callable] = {
    ("numpy", "ndarray"): _Callable(_refuse),  # an argument of _reconstruct(), never called
    ("numpy", "dtype"): _Callable(_DType),
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy.core.numeric", "_frombuffer"): _FROM_BUFFER,  # protocol 5
    ("numpy._core.numeric", "_frombuffer"): _FROM_BUFFER,
    ("_codecs", "encode"): _ENCODE,
}


class _Instructions(dict[int, Callable[[Any], None]]):
    def __missing__(self, code: int) -> Callable[[Any], None]:
        names = [i.name for i in pickletools.opcodes if ord(i.code) == code]
        raise Refused(f"the pickle instruction {names[0]}" if names else "what is no pickle instruction")


def _load_bytearray8(unpickler: Any) -> None:
    # CPython's own makes the whole bytearray before it looks whether the file is that long.
    (length,) = struct.unpack("<Q", unpickler.read(8))
    unpickler.append(unpickler.read(length))


class _RestrictedUnpickler(pickle._Unpickler):
    dispatch = _Instructions({getattr(pickle, name)[0]: _OWN[getattr(pickle, name)[0]] for name in INSTRUCTIONS})
    dispatch[pickle.BYTEARRAY8[0]] = _load_bytearray8

    def __init__(self, data: bytes) -> None:
        # Strings of Python 2 stay bytes: decoded as Latin-1 they could not be told from its unicode strings.
        super().__init__(io.BytesIO(data), encoding="bytes")
        self._encodable = len(data)

    def find_class(self, module: str, name: str) -> _Callable:
        if (module, name) not in ALLOWED:
            raise Refused(f"the global {module}.{name}"[:200])
        found = ALLOWED[module, name]
        return _Callable(self._encode) if found is _ENCODE else found

    def _encode(self, text: object, encoding: object = "latin1") -> bytes:
        # How Python 3 writes bytes in protocols 0 to 2. One text encoded over and over could fill the memory.
        if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
            raise Refused("a text encoded otherwise than in Latin-1")
        self._encodable -= len(text)
        if self._encodable < 0:
            raise Refused("more encoded text than the file holds")
        return text.encode("latin-1")


def restricted_load(data: bytes, *, path: str | PathLike[str] = "") -> object:
    """What the pickle ``data`` holds: tuples, lists, str, bytes, numbers and numpy arrays of floats, no more.

    Arrays are returned where they stand alone or in an outermost tuple or list, and are read-only; deeper ones stay
    inert stand-ins. Strings written by Python 2 as ``str`` come as bytes; an outermost list comes as a tuple.

    Raises:
        VectorsError: the pickle asks for anything else, which is named and not done, or is damaged.
    """
    try:
        value = _RestrictedUnpickler(data).load()
        if isinstance(value, tuple | list):
            return tuple(_finished(item) for item in value)
        return _finished(value)
    except Refused as refused:
        message = f"the pickle holds {refused}, expected only words and one numpy array: nothing of it was run"
        raise VectorsError(message, path=path) from None
    except Exception as error:  # damaged pickles raise almost anything, as the documentation of pickle says
        raise VectorsError(f"the pickle is damaged or truncated ({type(error).__name__})", path=path) from error


def _finished(value: object) -> object:
    if isinstance(value, _DType | _Callable) or (isinstance(value, _Array) and value.filled is None):
        raise Refused("an unfinished array")
    return value.filled if isinstance(value, _Array) else value
