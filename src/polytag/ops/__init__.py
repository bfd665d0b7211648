"""Kernels, one folder per operation: a plain reference and the fast forms with the same signature."""

from polytag.ops import crf as crf
from polytag.ops.gru import gru as gru
