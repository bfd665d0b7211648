"""Which precision the matrix products of tagging are computed in."""

import warnings

from polytag import native
from polytag.errors import PolytagError, PolytagWarning, nearest
from polytag.native import PRECISIONS, Precision

NAMES = ("auto", *PRECISIONS)


def choose_precision(wanted: str | None, *, own: str) -> Precision:
    """The precision of that name; None is the model's ``own``, "auto" what this processor is fast at.

    "auto" is bfloat16 where the processor multiplies it at least twice as fast as float32, and float32 elsewhere. A
    model whose own precision has no instructions here is computed in float32, with a `PolytagWarning`.

    Raises:
        PolytagError: the name is unknown, or there are no instructions for it here: nothing is emulated in silence.
    """
    if wanted is not None and wanted not in NAMES:
        raise PolytagError(f"unknown precision '{wanted!s:.60}'{nearest(str(wanted), NAMES)}")
    if wanted == "auto":
        return "bfloat16" if native.prefers_bfloat16() else "float32"
    name = own if wanted is None else wanted
    precision = next(precision for precision in PRECISIONS if precision == name)
    if precision == "float32" or native.supports(precision):
        return precision
    if wanted is None:
        warnings.warn(f"the model is of {name}, but {lacking()}: it is computed in float32", PolytagWarning, 2)
        return "float32"
    raise PolytagError(f"precision {name}: {lacking()}, expected 'float32' or 'auto'")


def lacking() -> str:
    """Why there is no other precision than float32."""
    if native.available():
        return "this machine has not instructions for it"
    if not native.is_wanted():
        return "POLYTAG_NATIVE=0 leaves polytag's native core unused"
    return "this machine has not polytag's native core, which needs a C++ compiler"
