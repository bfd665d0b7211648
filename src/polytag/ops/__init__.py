"""Kernels, one folder per operation: a plain reference and the fast forms with the same signature."""

from polytag.native import Precision as Precision
from polytag.native import prefers_bfloat16 as prefers_bfloat16
from polytag.native import supports as supports
from polytag.ops import crf as crf
from polytag.ops.gru import gru as gru
from polytag.ops.packed import PackedLayer as PackedLayer
from polytag.ops.packed import PackedMatrix as PackedMatrix
from polytag.ops.packed import project as project
