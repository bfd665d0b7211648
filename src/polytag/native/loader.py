"""Finding the compiled library, seeing that it is the one these files are for, and what it can do on this processor."""

import ctypes
import os
import struct
from collections.abc import Iterator
from ctypes import POINTER, c_char_p, c_float, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from polytag.errors import PolytagError

Precision = Literal["float32", "bfloat16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
ABI = 5  # of the library's functions and structures; native.h has the same
FOLDER = Path(__file__).parent
_NAMES = ("core.so", "core.dylib", "core.dll", "core.*.so", "core.*.pyd")


class Scan(ctypes.Structure):
    """The recurrence of one direction of a layer; native.h says what each field is."""

    _fields_ = (
        ("units", c_int64), ("rows", c_int64), ("steps", c_int64), ("sizes", c_void_p), ("backward", c_int64),
        ("reset_after", c_int64), ("weights", c_void_p * 3), ("gates", c_void_p), ("states", c_void_p),
        ("stride", c_int64), ("previous", c_void_p), ("reset", c_void_p), ("d_gates", c_void_p), ("d_reset", c_void_p),
        ("scratch", c_void_p),
    )  # fmt: skip


class Product(ctypes.Structure):
    """A product of two matrices in a precision of its own; native.h says what each field is."""

    _fields_ = (
        ("m", c_int64), ("k", c_int64), ("n", c_int64), ("a", c_void_p), ("a_down", c_int64), ("a_right", c_int64),
        ("b", c_void_p), ("b_down", c_int64), ("b_right", c_int64), ("bias", c_void_p), ("out", c_void_p),
        ("stride", c_int64), ("adds", c_int64),
    )  # fmt: skip


class Crf(ctypes.Structure):
    """The loss of a CRF and its gradients; native.h says what each field is."""

    _fields_ = (
        ("tags", c_int64), ("rows", c_int64), ("steps", c_int64), ("sizes", c_void_p), ("emissions", c_void_p),
        ("gold", c_void_p), ("transitions", c_void_p), ("factors", c_void_p), ("backward_factors", c_void_p),
        ("start", c_void_p), ("margin", c_float), ("local", c_void_p), ("prefixes", c_void_p), ("scales", c_void_p),
        ("losses", c_void_p), ("weights", c_void_p), ("d_emissions", c_void_p), ("d_transitions", c_void_p),
        ("d_start", c_void_p),
    )  # fmt: skip


STRUCTURES = (Scan, Product, Crf)
_HANDLE, _ARRAY, _NUMBER = c_void_p, c_void_p, c_int64
_SIGNATURES = {  # name of a function: what it returns, its arguments
    "name": (c_char_p, [_NUMBER]),
    "selected": (_NUMBER, []),
    "select": (_NUMBER, [_NUMBER]),
    "supports": (_NUMBER, [_NUMBER]),
    "prefers_bfloat16": (_NUMBER, []),
    "layer": (_HANDLE, [*[_NUMBER] * 4, *[_ARRAY] * 3]),
    "layer_free": (None, [_HANDLE]),
    "gates": (_NUMBER, [_HANDLE, _NUMBER, _ARRAY, _NUMBER, _ARRAY]),
    "states": (_NUMBER, [_HANDLE, _NUMBER, _ARRAY, _NUMBER, _NUMBER, _ARRAY, _ARRAY]),
    "states_of": (_NUMBER, [_HANDLE, _NUMBER, _ARRAY, _NUMBER, _ARRAY, _NUMBER, _NUMBER, _ARRAY, _ARRAY]),
    "ends": (_NUMBER, [c_void_p, _NUMBER, _NUMBER, _ARRAY, _NUMBER, _ARRAY, _NUMBER, _ARRAY, _NUMBER, _ARRAY]),
    "matrix": (_HANDLE, [_NUMBER, _NUMBER, _NUMBER, _ARRAY]),
    "matrix_free": (None, [_HANDLE]),
    "project": (_NUMBER, [c_void_p, _NUMBER, _ARRAY, _NUMBER, c_void_p]),
    "feature_scores": (_NUMBER, [*[_ARRAY, *[_NUMBER] * 3] * 2, _ARRAY, _NUMBER, _ARRAY]),
    "add_features": (
        _NUMBER, [_ARRAY, _NUMBER, _ARRAY, _ARRAY, _NUMBER, _NUMBER, _ARRAY, _NUMBER, _NUMBER, _ARRAY],
    ),
    "viterbi": (_NUMBER, [_ARRAY, _NUMBER, _ARRAY, _ARRAY, _NUMBER, _ARRAY, _NUMBER, _ARRAY, _ARRAY]),
    "forward": (_NUMBER, [_NUMBER, _ARRAY, POINTER(Scan), _NUMBER]),
    "backward": (_NUMBER, [_NUMBER, _ARRAY, POINTER(Scan), _NUMBER]),
    "multiply": (_NUMBER, [_NUMBER, POINTER(Product), _NUMBER]),
    "use_openmp": (None, [c_void_p]),
    "width": (_NUMBER, []),
    "crf_forward": (_NUMBER, [POINTER(Crf)]),
    "crf_backward": (_NUMBER, [POINTER(Crf)]),
}  # fmt: skip


@cache
def core() -> ctypes.CDLL | None:
    """The compiled library, or None where there is none or POLYTAG_NATIVE=0.

    Raises:
        PolytagError: there is a file, but it is not the library that these files are for; it is not called.
    """
    if not is_wanted():
        return None
    file = next(_files(FOLDER), None)
    return None if file is None else load(file)


def is_wanted() -> bool:
    """Whether the core is to be used where there is one: POLYTAG_NATIVE=0 in the environment says no."""
    return os.environ.get("POLYTAG_NATIVE") != "0"


def library() -> ctypes.CDLL:
    """The compiled library, where there is one."""
    found = core()
    assert found is not None, "the native core is not there"
    return found


def available() -> bool:
    """Whether the native core is there."""
    return core() is not None


def description() -> str:
    """What computes, for people: "native core, AVX-512 (VNNI, bfloat16)" or "no native core: numpy"."""
    if core() is None:
        return "no native core: numpy"
    return f"native core, {_name(library().polytag_selected())}"


def supports(precision: Precision) -> bool:
    """Whether the native core is there and this processor has instructions for a precision."""
    return available() and bool(library().polytag_supports(PRECISIONS.index(precision)))


def prefers_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 at least twice as fast as float32 (AMX, or AMD's AVX-512)."""
    return available() and bool(library().polytag_prefers_bfloat16())


def instructions() -> tuple[str, ...]:
    """The instruction sets that the core has and this processor too, the best last."""
    if not available():
        return ()
    selected = library().polytag_selected()
    names = tuple(name for number, name in enumerate(_names()) if library().polytag_select(number))
    library().polytag_select(selected)
    return names


def select(name: str) -> None:
    """Use one of `instructions` from now on, for tests: what is packed already stays as it is.

    Raises:
        ValueError: it is none of them.
    """
    names = list(_names()) if available() else []
    if name not in names or not library().polytag_select(names.index(name)):
        raise ValueError(f"instructions '{name}', expected one of {', '.join(instructions()) or 'none'}")


def load(file: Path) -> ctypes.CDLL:
    """A library, seen to be the one that these files are for.

    Raises:
        PolytagError: it is not.
    """
    try:
        if _is_cut(file):
            raise _refusal(file, "is cut short")
        loaded = ctypes.CDLL(str(file))
    except OSError as error:
        raise _refusal(file, f"cannot be loaded ({error})") from None
    abi = _number(loaded, "polytag_abi")
    if abi is None:
        raise _refusal(file, "is another library")
    if abi != ABI:
        raise _refusal(file, f"has version {abi} of its functions, not {ABI}")
    for which, structure in enumerate(STRUCTURES):
        size = _number(loaded, "polytag_struct_size", which)
        if size != ctypes.sizeof(structure):
            raise _refusal(file, f"has {size} bytes for {structure.__name__}, not {ctypes.sizeof(structure)}")
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, f"polytag_{name}")
        function.restype, function.argtypes = result, arguments
    return loaded


def _is_cut(file: Path) -> bool:
    """Whether a library of Linux ends before its table of sections does: loading it would kill the process."""
    with file.open("rb") as opened:
        begin = opened.read(64)  # the header
    if len(begin) < 64 or not begin.startswith(b"\x7fELF\x02\x01"):  # of 64 bits, little-endian
        return False
    place, size, count = struct.unpack_from("<Q10xHH", begin, 40)
    return file.stat().st_size < int(place + size * count)


def _number(loaded: ctypes.CDLL, name: str, *arguments: int) -> int | None:
    """What a function says, None where there is no such function."""
    function = getattr(loaded, name, None)
    if function is None:
        return None
    function.restype, function.argtypes = c_int64, [c_int64] * len(arguments)
    return int(function(*arguments))


def _refusal(file: Path, what: str) -> PolytagError:
    return PolytagError(
        f"{file}: {what}, expected the native core of this polytag: install polytag again, or set POLYTAG_NATIVE=0"
    )


def _files(folder: Path) -> Iterator[Path]:
    for name in _NAMES:
        yield from sorted(folder.glob(name))


def _names() -> Iterator[str]:
    number = 0
    while (name := _name(number)) is not None:
        yield name
        number += 1


def _name(number: int) -> str | None:
    name: bytes | None = library().polytag_name(number)
    return None if name is None else name.decode()
