"""How sure scores are: percentile intervals from resampled sentences, for many groups of spans at once."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag import scoring

Counts = NDArray[np.float64]  # S G 3: correct, predicted and gold items of each sentence and group
Rates = NDArray[np.float64]  # ... 3: precision, recall and F1, as fractions
CELLS = 1 << 20  # random numbers drawn at a time, so that memory stays at tens of megabytes
TRIALS = 1_000


class Interval(NamedTuple):
    """A score and the interval around it, 0 to 100."""

    value: float
    low: float
    high: float


def rates(counts: NDArray[np.float64]) -> Rates:
    """Precision, recall and F1 of counts ``[..., 3]``; 0 where undefined."""
    correct, predicted, gold = np.moveaxis(counts, -1, 0)
    found: Rates = np.stack(
        [
            correct / np.maximum(predicted, 1),
            correct / np.maximum(gold, 1),
            2 * correct / np.maximum(predicted + gold, 1),
        ],
        axis=-1,
    )
    return found


def bootstrap(counts: Counts, *, trials: int = TRIALS, seed: int = 0) -> NDArray[np.float64]:
    """Ends of the 95 % interval of each rate of each group, ``[G, 3, 2]``, over samples of as many sentences."""
    totals = np.concatenate(list(resampled(counts, trials=trials, seed=seed)))
    low, high = np.quantile(rates(totals), [0.025, 0.975], axis=0)
    return np.stack([low, high], axis=-1)


def resampled(counts: Counts, *, trials: int = TRIALS, seed: int = 0) -> Iterator[NDArray[np.float64]]:
    """Summed counts ``[trials, G, 3]`` of random samples of sentences, some trials at a time."""
    sentences = len(counts)
    if not sentences or trials < 1:
        raise ValueError(f"{trials} trials over {sentences} sentences, expected at least 1 of each")
    flat, random, size = counts.reshape(sentences, -1), np.random.default_rng(seed), max(1, CELLS // sentences)
    for done in range(0, trials, size):
        rows = min(size, trials - done)
        drawn = random.integers(0, sentences, (rows, sentences)) + sentences * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * sentences).reshape(rows, sentences).astype(np.float64)
        yield (times @ flat).reshape(rows, *counts.shape[1:])


def interval_of(scores: scoring.Counts) -> Interval:
    """The score with its 95 % interval.

    Raises:
        ValueError: nothing was counted.
    """
    return intervals(np.array(scores.by_sentence, np.float64).reshape(-1, 1, 3))[0][2]


def intervals(counts: Counts, *, trials: int = TRIALS, seed: int = 0) -> list[tuple[Interval, Interval, Interval]]:
    """Precision, recall and F1 of each group, each with its 95 % interval."""
    values, ends = 100 * rates(counts.sum(0)), 100 * bootstrap(counts, trials=trials, seed=seed)
    return [
        (_interval(v[0], e[0]), _interval(v[1], e[1]), _interval(v[2], e[2])) for v, e in zip(values, ends, strict=True)
    ]


def _interval(value: float, ends: NDArray[np.float64]) -> Interval:
    return Interval(float(value), float(ends[0]), float(ends[1]))
