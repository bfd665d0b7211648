"""Which sentences to train on: a share of them (the paper's labeling rate, section 5.3), or all but a held-out part.

The generator is numpy's RandomState, whose streams are frozen: a seed draws the same sentences with every version.
"""

import numpy as np

from polytag.errors import CorpusError, PlanError

AUTHORS_SEED = 13


def sample(n: int, rate: float, *, seed: int = AUTHORS_SEED, replacement: bool = False) -> list[int]:
    """Indices of a share ``rate`` of ``n`` sentences, at least one.

    Without replacement, ``round(rate * n)`` indices, ascending; those of a lower rate are among those of a higher one
    with the same seed. With replacement, the authors' draw: ``int(rate * n)`` indices in the order drawn, with
    repeats, and another draw for each rate.

    Raises:
        CorpusError: there is no sentence.
        PlanError: the rate is not above 0 and at most 1.
    """
    if n < 1:
        raise CorpusError("0 sentences to sample from, expected at least 1")
    if not 0 < rate <= 1:
        raise PlanError(f"a labeling rate of {rate} was asked for, expected one above 0 and at most 1")
    random = np.random.RandomState(seed)
    if replacement:
        drawn: list[int] = random.choice(n, max(1, int(rate * n))).tolist()
        return drawn
    return sorted(random.permutation(n)[: max(1, round(rate * n))].tolist())


def holdout(n: int, fraction: float, *, seed: int) -> tuple[list[int], list[int]]:
    """Indices to train on and, disjoint, ``round(fraction * n)`` for development; both ascending, at least one in each.

    Raises:
        CorpusError: there are fewer than two sentences.
        PlanError: the fraction is not between 0 and 1.
    """
    if n < 2:
        raise CorpusError(f"{n} sentences to split in two, expected at least 2")
    if not 0 < fraction < 1:
        raise PlanError(f"a held-out fraction of {fraction} was asked for, expected one between 0 and 1")
    order = np.random.RandomState(seed).permutation(n).tolist()
    size = min(max(1, round(fraction * n)), n - 1)
    return sorted(order[size:]), sorted(order[:size])


def fold(n: int, part: int, parts: int, *, seed: int) -> tuple[list[int], list[int]]:
    """Indices to train on and, disjoint, those of the ``part``-th of ``parts`` (from 1) for development; ascending.

    Each of the ``n`` sentences is in one part; the sizes of parts differ by one at most.
    """
    order = np.random.RandomState(seed).permutation(n).tolist()
    held = set(order[part - 1 :: parts])
    return [i for i in range(n) if i not in held], sorted(held)
