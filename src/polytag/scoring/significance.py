"""Whether two taggers differ by more than chance: their answers for sentences are swapped at random."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polytag.corpus.schemes import spans

Triple = tuple[int, int, int]  # correct, predicted and gold spans of a sentence; of tags: correct, words and words
CELLS = 1 << 20  # random numbers drawn at a time, so that memory stays at tens of megabytes


def sentence_counts(gold: Sequence[str], predicted: Sequence[str]) -> Triple:
    """Correct, predicted and gold spans of one sentence."""
    expected, found = set(spans(gold)), set(spans(predicted))
    return len(expected & found), len(found), len(expected)


def approximate_randomisation(
    a: Sequence[Triple], b: Sequence[Triple], *, trials: int = 10_000, seed: int = 0
) -> float:
    """The probability of an F1 difference at least as large, either way, if it were chance which tagger said what.

    ``a`` and ``b`` count the same sentences, in one order; each trial swaps the two taggers at random sentences.

    Raises:
        ValueError: the two do not count the same sentences, there is none, or no trial is asked for.
    """
    first, second = _array(a), _array(b)
    if first.shape != second.shape or (first[:, 2] != second[:, 2]).any():
        raise ValueError(f"{len(a)} and {len(b)} sentences with other gold spans, expected the same sentences twice")
    difference = first - second
    observed, as_large = abs(_f1(first.sum(0)) - _f1(second.sum(0))), 0
    if trials < 1 or not a:
        raise ValueError(f"{trials} trials over {len(a)} sentences, expected at least 1 of each")
    random, most = np.random.default_rng(seed), max(1, CELLS // len(a))
    for done in range(0, trials, most):
        size = min(most, trials - done)
        swapped = random.integers(0, 2, (size, len(a))) @ difference
        found = np.abs(_f1(first.sum(0) - swapped) - _f1(second.sum(0) + swapped))
        as_large += int((found >= observed - 1e-12).sum())
    return (1 + as_large) / (1 + trials)


def _array(counts: Sequence[Triple]) -> NDArray[np.int64]:
    return np.array(counts, dtype=np.int64).reshape(-1, 3)


def _f1(totals: NDArray[np.int64]) -> NDArray[np.float64]:
    correct, predicted, gold = np.moveaxis(totals, -1, 0)
    scores: NDArray[np.float64] = 2.0 * correct / np.maximum(predicted + gold, 1)
    return scores
