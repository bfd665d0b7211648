"""How unsure a CRF is of a sentence: three measures, each for the whole sentence or per word."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.errors import PolytagError, nearest
from polytag.tagger.lattice import Lattice

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Measure:
    """Uncertainty of each sentence of a batch [B], in the caller's order; larger is less sure.

    ``per_word`` takes it and the number of words of each sentence [B].
    """

    total: Callable[[Lattice], Floats]
    per_word: Callable[[Floats, Floats], Floats]


def _entropy(lattice: Lattice) -> Floats:
    """Entropy of the tag sequences in units of a word about which nothing is known: at most the number of words."""
    values: Floats = lattice.entropy() / log(max(2, lattice.emissions.shape[1]))
    return values


def _small_margin(lattice: Lattice) -> Floats:
    """One less how much more probable the best tag sequence is than the second best, 0 to 1."""
    return 1.0 - lattice.margin()


def _least_confidence(lattice: Lattice) -> Floats:
    """One less the probability of the best tag sequence, 0 to 1."""
    return 1.0 - np.array([found.probabilities[0] for found in lattice.nbest(1)])


def _mean(values: Floats, words: Floats) -> Floats:
    return values / words


def _geometric(values: Floats, words: Floats) -> Floats:
    """One less the geometric mean over words: what each would have if all were alike and independent."""
    certainty = np.clip(1.0 - values, 0.0, 1.0)
    found: Floats = 1.0 - certainty ** (1.0 / words)
    return found


MEASURES: Mapping[str, Measure] = {  # the first is the default
    "entropy": Measure(_entropy, _mean),
    "margin": Measure(_small_margin, _geometric),
    "least-confidence": Measure(_least_confidence, _geometric),
}


def measure_named(name: str) -> Measure:
    """A row of `MEASURES`.

    Raises:
        PolytagError: there is no such measure.
    """
    if name not in MEASURES:
        raise PolytagError(f"no measure of uncertainty is called '{name}'{nearest(name, MEASURES)}")
    return MEASURES[name]
