"""Kernels, one folder per operation: a plain reference and the fast forms with the same signature."""

from polytag.ops import crf as crf
from polytag.ops.gru import gru as gru
from polytag.ops.native import Precision as Precision
from polytag.ops.native.layer import PackedLayer as PackedLayer
from polytag.ops.native.layer import prefers_bfloat16 as prefers_bfloat16
from polytag.ops.native.layer import supports as supports
from polytag.ops.native.matrix import PackedMatrix as PackedMatrix
from polytag.ops.native.matrix import project as project
