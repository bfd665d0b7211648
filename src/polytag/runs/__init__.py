"""Runs: several trainings of one plan, each a process that can be killed and goes on where it was."""

from polytag.runs.repeats import Repeated as Repeated
from polytag.runs.repeats import repeat as repeat
