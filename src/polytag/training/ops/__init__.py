"""Kernels, one folder per operation: a plain reference and the fast forms with the same signature."""

from polytag.native import Precision as Precision
from polytag.native.layer import PackedLayer as PackedLayer
from polytag.native.layer import prefers_bfloat16 as prefers_bfloat16
from polytag.native.layer import supports as supports
from polytag.native.matrix import PackedMatrix as PackedMatrix
from polytag.native.matrix import project as project
from polytag.training.ops import crf as crf
from polytag.training.ops.gru import gru as gru
