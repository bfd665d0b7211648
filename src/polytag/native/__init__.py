"""The native core: the recurrences in C++, compiled when polytag is installed where there is a compiler.

Nothing needs it: without it, or with ``POLYTAG_NATIVE=0`` in the environment, the PyTorch forms do the same work.
It is loaded by ctypes, so it depends on no version of Python or PyTorch.
"""

import ctypes
import os
from ctypes import c_float, c_long, c_void_p
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

Precision = Literal["float32", "bfloat16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
PANEL = 32  # columns that a product computes at a time; native.h has the same


class Scan(ctypes.Structure):
    """The recurrence of one direction of a layer; native.h says what each field is."""

    _fields_ = (
        ("units", c_long), ("steps", c_long), ("sizes", c_void_p), ("backward", c_long), ("reset_after", c_long),
        ("weights", c_void_p * 3), ("gates", c_void_p), ("states", c_void_p), ("stride", c_long),
        ("previous", c_void_p), ("reset", c_void_p), ("d_gates", c_void_p), ("d_reset", c_void_p),
        ("scratch", c_void_p),
    )  # fmt: skip


class Product(ctypes.Structure):
    """A product of two matrices in a precision of its own; native.h says what each field is."""

    _fields_ = (
        ("m", c_long), ("k", c_long), ("n", c_long), ("a", c_void_p), ("a_down", c_long), ("a_right", c_long),
        ("b", c_void_p), ("b_down", c_long), ("b_right", c_long), ("bias", c_void_p), ("out", c_void_p),
        ("stride", c_long), ("adds", c_long),
    )  # fmt: skip


class Crf(ctypes.Structure):
    """The loss of a CRF and its gradients; native.h says what each field is."""

    _fields_ = (
        ("tags", c_long), ("steps", c_long), ("sizes", c_void_p), ("emissions", c_void_p), ("gold", c_void_p),
        ("transitions", c_void_p), ("factors", c_void_p), ("backward_factors", c_void_p), ("start", c_void_p),
        ("margin", c_float), ("local", c_void_p), ("prefixes", c_void_p), ("scales", c_void_p), ("losses", c_void_p),
        ("weights", c_void_p), ("d_emissions", c_void_p), ("d_transitions", c_void_p), ("d_start", c_void_p),
    )  # fmt: skip


@cache
def core() -> ctypes.CDLL | None:
    """The compiled library, or None where there is none or the processor is too old for it (it takes AVX2)."""
    if os.environ.get("POLYTAG_NATIVE") == "0":
        return None
    files = (Path(__file__).with_name(f"core{suffix}") for suffix in (".so", ".dylib", ".dll"))
    file = next((file for file in files if file.exists()), None)
    if file is None:
        return None
    library = ctypes.CDLL(str(file))
    library.polytag_select.argtypes = library.polytag_can_tag.argtypes = [c_long]
    library.polytag_layer.argtypes = [*[c_long] * 4, *[c_void_p] * 3]
    library.polytag_layer.restype = c_void_p
    library.polytag_layer_free.argtypes = [c_void_p]
    library.polytag_states.argtypes = [c_void_p, c_void_p, c_long, c_void_p, c_void_p, c_long]
    library.polytag_matrix.argtypes = [*[c_long] * 3, c_void_p]
    library.polytag_matrix.restype = c_void_p
    library.polytag_matrix_free.argtypes = [c_void_p]
    library.polytag_project.argtypes = [c_void_p, c_long, c_void_p, c_long, c_void_p, c_long]
    library.polytag_width.restype = c_long
    library.polytag_crf_forward.argtypes = library.polytag_crf_backward.argtypes = [ctypes.POINTER(Crf)]
    library.polytag_viterbi.argtypes = [*[c_void_p] * 3, c_long, c_void_p, c_long, c_void_p, c_void_p]
    library.polytag_fill.argtypes = [c_long]
    library.polytag_fill.restype = c_long
    library.polytag_pack.argtypes = [c_long, c_void_p, c_long, c_long, c_void_p, c_long]
    library.polytag_forward.argtypes = library.polytag_backward.argtypes = [c_long, c_void_p, c_long]
    library.polytag_multiply.argtypes = [c_long, ctypes.POINTER(Product), c_long]
    return library if library.polytag_usable() else None


def pack(weights: Tensor, *, backward: bool, precision: Precision = "float32") -> Tensor:
    """Recurrent weights [2, H, 3H] of float32 as panels for one pass, [2, 3, S].

    S is H times H, both filled up. Forward, the three are r, z and c; backward, the first two together are the
    transpose of r and z, the last of c.
    """
    weights, units, number = weights.contiguous(), weights.shape[1], PRECISIONS.index(precision)
    fill = library().polytag_fill(number)
    size = -(-units // PANEL) * PANEL * -(-units // fill) * fill
    panels = torch.empty(2, 3, size, dtype=getattr(torch, precision))
    library().polytag_pack(number, weights.data_ptr(), units, backward, panels.data_ptr(), torch.get_num_threads())
    return panels


def multiply(
    a: Tensor, b: Tensor, *, out: Tensor, bias: Tensor | None = None, adds: bool = False, precision: Precision
) -> None:
    """out [m, n] = a [m, k] b [k, n] + bias [n], or ``out`` plus the product where ``adds``, all float32.

    Elements of ``out`` must be neighbours in a row, those of ``a`` and ``b`` in a row or in a column.
    """
    product = Product(
        m=a.shape[0], k=a.shape[1], n=b.shape[1],
        a=a.data_ptr(), a_down=a.stride(0), a_right=a.stride(1),
        b=b.data_ptr(), b_down=b.stride(0), b_right=b.stride(1),
        bias=None if bias is None else bias.data_ptr(), out=out.data_ptr(), stride=out.stride(0), adds=adds,
    )  # fmt: skip
    library().polytag_multiply(PRECISIONS.index(precision), ctypes.byref(product), torch.get_num_threads())


def library() -> ctypes.CDLL:
    """The compiled library, where there is one."""
    found = core()
    assert found is not None, "the native core is not there"
    return found
