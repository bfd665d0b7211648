"""The native core: the recurrences in C++, compiled when polytag is installed where there is a compiler.

Nothing needs it: without it, or with ``POLYTAG_NATIVE=0`` in the environment, the PyTorch forms do the same work.
It is loaded by ctypes, so it depends on no version of Python or PyTorch.
"""

import ctypes
import os
from collections.abc import Sequence
from ctypes import c_long, c_void_p
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import torch
from torch import Tensor

PANEL = 32  # columns that a product computes at a time; native.h has the same


class Scan(ctypes.Structure):
    """The recurrence of one direction of a layer; native.h says what each field is."""

    _fields_ = (
        ("units", c_long), ("steps", c_long), ("sizes", c_void_p), ("backward", c_long), ("reset_after", c_long),
        ("weights", c_void_p * 3), ("gates", c_void_p), ("states", c_void_p), ("stride", c_long),
        ("previous", c_void_p), ("reset", c_void_p), ("d_gates", c_void_p), ("d_reset", c_void_p),
        ("scratch", c_void_p),
    )  # fmt: skip


@cache
def core() -> ctypes.CDLL | None:
    """The compiled library, or None where there is none or the processor is too old for it (it takes AVX2)."""
    if os.environ.get("POLYTAG_NATIVE") == "0":
        return None
    files = (Path(__file__).with_name(f"core{suffix}") for suffix in EXTENSION_SUFFIXES)
    file = next((file for file in files if file.exists()), None)
    if file is None:
        return None
    library = ctypes.CDLL(str(file))
    library.polytag_select.argtypes = library.polytag_can_tag.argtypes = [c_long]
    library.polytag_layer.argtypes = [*[c_long] * 4, *[c_void_p] * 3]
    library.polytag_layer.restype = c_void_p
    library.polytag_layer_free.argtypes = [c_void_p]
    library.polytag_states.argtypes = [c_void_p, c_void_p, c_long, c_void_p, c_void_p, c_long]
    library.polytag_viterbi.argtypes = [*[c_void_p] * 3, c_long, c_void_p, c_long, c_void_p, c_void_p]
    library.polytag_pack.argtypes = [c_void_p, c_long, c_long, c_long, c_long, c_void_p]
    library.polytag_forward.argtypes = library.polytag_backward.argtypes = [c_void_p, c_long]
    return library if library.polytag_usable() else None


def pack(matrix: Tensor) -> Tensor:
    """A matrix [k, n] of float32, in any layout, as panels [n / PANEL rounded up, k, PANEL]."""
    k, n = matrix.shape
    panels = torch.empty(-(-n // PANEL), k, PANEL)
    library().polytag_pack(matrix.data_ptr(), k, n, matrix.stride(0), matrix.stride(1), panels.data_ptr())
    return panels


def library() -> ctypes.CDLL:
    """The compiled library, where there is one."""
    found = core()
    assert found is not None, "the native core is not there"
    return found


def pointers(tensors: Sequence[Tensor | None]) -> ctypes.Array[c_void_p]:
    """Up to three addresses for `Scan.weights`."""
    return (c_void_p * 3)(*(None if tensor is None else tensor.data_ptr() for tensor in tensors))
