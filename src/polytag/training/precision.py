"""Which precision matrix products are computed in, while tagging and while training."""

from typing import get_args

import torch

from polytag.training import ops
from polytag.errors import PolytagError, nearest

PRECISIONS: tuple[ops.Precision, ...] = get_args(ops.Precision)
NAMES = ("auto", *PRECISIONS)


def choose_precision(name: str) -> ops.Precision | None:
    """The precision of that name, "auto" being the one for this processor; None is float32 without the native core.

    "auto" is bfloat16 where the processor multiplies it at least twice as fast as float32, and float32 elsewhere; int8
    is for those who ask for it.

    Raises:
        PolytagError: the name is unknown, or there are no instructions for it here: nothing is emulated in silence.
    """
    if name not in NAMES:
        raise PolytagError(f"unknown precision '{name}'{nearest(name, NAMES)}")
    automatic = "bfloat16" if ops.prefers_bfloat16() else "float32"
    wanted = automatic if name == "auto" else name
    precision = next(precision for precision in PRECISIONS if precision == wanted)
    if ops.supports(precision):
        return precision
    if precision == "float32":
        return None
    raise PolytagError(f"precision {precision}: this machine has not {_lacking()}, expected 'float32' or 'auto'")


def training_precision(precision: ops.Precision, device: torch.device) -> ops.Precision:
    """The same precision, seen to be possible for training on a device.

    Raises:
        PolytagError: it is not: nothing is emulated in silence.
    """
    if precision == "float32" or (device.type == "cpu" and ops.supports(precision)):
        return precision
    why = f"this machine has not {_lacking()}" if device.type == "cpu" else f"it is for CPUs, not for {device}"
    raise PolytagError(f"training.precision = '{precision}': {why}, expected 'float32'")


def _lacking() -> str:
    return "instructions for it" if ops.supports("float32") else "polytag's native core, which needs a C++ compiler"
