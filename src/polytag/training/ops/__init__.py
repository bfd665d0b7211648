"""Kernels: a plain form and, of what must be fast, a folder with the fast ones."""

from polytag.native import Precision as Precision
from polytag.native import supports as supports
from polytag.training.ops import crf as crf
from polytag.training.ops.gru import gru as gru
from polytag.training.ops.lstm import lstm as lstm
