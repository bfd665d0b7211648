"""The native core: kernels in C++ and what they compute in numpy (`reference`), for running and for training.

The core is compiled when polytag is installed and loaded by ctypes, so it depends on no version of Python. Nothing
needs it: without it, or with ``POLYTAG_NATIVE=0`` in the environment, `reference` does the same in float32, slowly.

Legend: N packed rows, step t owns ``sizes[t]`` of them, non-increasing, as in torch's PackedSequence; B sequences,
U distinct words, D inputs, H units of one direction, K tags. Arrays are float32 without gaps, numbers of rows and tags
int32, sizes int64; what is not is refused, nothing is converted in silence. Whatever is made here never changes, and
any number of threads may use it.
"""

import sys
import warnings
from functools import cache
from typing import Any

from polytag.errors import PolytagWarning
from polytag.native import reference as reference
from polytag.native.checks import Floats
from polytag.native.loader import PRECISIONS as PRECISIONS
from polytag.native.loader import Precision as Precision
from polytag.native.loader import available as available
from polytag.native.loader import core as core
from polytag.native.loader import description as description
from polytag.native.loader import instructions as instructions
from polytag.native.loader import is_wanted as is_wanted
from polytag.native.loader import prefers_bfloat16 as prefers_bfloat16
from polytag.native.loader import select as select
from polytag.native.loader import supports as supports
from polytag.native.tagging import Layer as Layer
from polytag.native.tagging import Matrix as Matrix
from polytag.native.tagging import add_features as add_features
from polytag.native.tagging import ends as ends
from polytag.native.tagging import feature_scores as feature_scores
from polytag.native.tagging import project as project
from polytag.native.tagging import viterbi as viterbi


def kernels() -> Any:
    """What computes here while tagging: this package, or `reference` where there is no core, which is told once."""
    if available():
        return sys.modules[__name__]
    if is_wanted():
        _tell_once("polytag has no compiled core here: numpy does its work, many times slower")
    return reference


def lstm_layer(input_weight: Floats, recurrent_weight: Floats, bias: Floats | None) -> reference.LstmLayer:
    """An LSTM layer, which the core has not: numpy computes it in float32, which is told once."""
    if available():
        _tell_once("polytag's compiled core has no LSTM: numpy computes it in float32, many times slower than a GRU")
    return reference.LstmLayer(input_weight, recurrent_weight, bias)


@cache
def _tell_once(what: str) -> None:
    warnings.warn(what, PolytagWarning, 2)
