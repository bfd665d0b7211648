"""Which precision the recurrent layers are computed in while tagging."""

from typing import get_args

from polytag import ops
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
    lacking = "instructions for it" if ops.supports("float32") else "polytag's native core, which needs a C++ compiler"
    raise PolytagError(f"precision {precision}: this machine has not {lacking}, expected 'float32' or 'auto'")
