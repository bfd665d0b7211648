"""Kernels, one folder per operation: a plain reference and the fast forms with the same signature."""

from polytag.native import Precision as Precision
from polytag.native import supports as supports
from polytag.training.ops import crf as crf
from polytag.training.ops.gru import gru as gru
