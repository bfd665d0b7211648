"""Whether two taggers differ by more than chance, and how sure a score is: resampling of sentences."""

from collections.abc import Iterator, Sequence

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
    for random, size in _draws(len(a), times=trials, seed=seed):
        swapped = random.integers(0, 2, (size, len(a))) @ difference
        found = np.abs(_f1(first.sum(0) - swapped) - _f1(second.sum(0) + swapped))
        as_large += int((found >= observed - 1e-12).sum())
    return (1 + as_large) / (1 + trials)


def bootstrap_interval(
    counts: Sequence[Triple], *, confidence: float = 0.95, trials: int = 1_000, seed: int = 0
) -> tuple[float, float]:
    """The interval, as fractions, that holds F1 in a share ``confidence`` of samples of as many sentences.

    Raises:
        ValueError: there is no sentence, no trial is asked for, or the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence}, expected one between 0 and 1")
    array = _array(counts)
    scores = np.concatenate(
        [
            _f1(array[random.integers(0, len(array), (size, len(array)))].sum(1))
            for random, size in _draws(len(array), times=trials, seed=seed)
        ]
    )
    low, high = np.quantile(scores, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _draws(sentences: int, *, times: int, seed: int) -> Iterator[tuple["np.random.Generator", int]]:
    if times < 1 or not sentences:
        raise ValueError(f"{times} trials over {sentences} sentences, expected at least 1 of each")
    random, size = np.random.default_rng(seed), max(1, CELLS // sentences)
    for done in range(0, times, size):
        yield random, min(size, times - done)


def _array(counts: Sequence[Triple]) -> NDArray[np.int64]:
    return np.array(counts, dtype=np.int64).reshape(-1, 3)


def _f1(totals: NDArray[np.int64]) -> NDArray[np.float64]:
    correct, predicted, gold = np.moveaxis(totals, -1, 0)
    scores: NDArray[np.float64] = 2.0 * correct / np.maximum(predicted + gold, 1)
    return scores
