"""Kernels, one folder per operation: a plain form and the fast ones."""

from polytag.native import Precision as Precision
from polytag.native import supports as supports
from polytag.training.ops import crf as crf
from polytag.training.ops.gru import gru as gru
