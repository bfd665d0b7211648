"""Which sentences each step trains on: a function of seed and epoch alone, so that resuming needs no saved state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, pow
from typing import Literal

import numpy as np

FEWEST_EPOCHS, MOST_EPOCHS = 8, 25
ENOUGH_SENTENCES = 10_000  # for the fewest epochs
RISE = 0.28

EpochOf = Literal["largest", "smallest"]
EPOCH_OF: Mapping[EpochOf, Callable[[Iterable[int]], int]] = {"largest": max, "smallest": min}


@dataclass(frozen=True, slots=True)
class Turn:
    """One step: a mini-batch of one task."""

    task: str
    sentences: Sequence[int]


def epochs_for(sizes: Mapping[str, int], *, epoch_of: EpochOf = "largest") -> int:
    """The epochs that `training.epochs = "auto"` stands for, by the sentences of the task that an epoch goes through.

    Twice the epochs on a twelfth of the sentences: an epoch of few sentences has few steps.
    """
    wanted = round(FEWEST_EPOCHS * pow(ENOUGH_SENTENCES / EPOCH_OF[epoch_of](sizes.values()), RISE))
    return max(FEWEST_EPOCHS, min(MOST_EPOCHS, wanted))


def turns(
    sizes: Mapping[str, int],
    epoch: int,
    *,
    batch_sentences: int,
    seed: int,
    task_sampling: Literal["round", "proportional"] = "round",
    epoch_of: EpochOf = "largest",
) -> list[Turn]:
    """All steps of an epoch (counted from 0).

    ``round``: a mini-batch of each task in turn (paper, section 4); an epoch goes once through the largest task, or the
    smallest. Each task begins anew, in another order, whenever it is through. ``proportional``: once through every
    task, batches shuffled.
    """
    passes = {task: ceil(size / batch_sentences) for task, size in sizes.items()}
    if task_sampling == "proportional":
        steps = [
            _turn(task, i, sizes[task], n * epoch + k, batch_sentences, seed)
            for i, (task, n) in enumerate(passes.items())
            for k in range(n)
        ]
        order = np.random.default_rng([seed, len(sizes), epoch]).permutation(len(steps))
        return [steps[i] for i in order]
    rounds = EPOCH_OF[epoch_of](passes.values())
    return [
        _turn(task, i, sizes[task], epoch * rounds + round_, batch_sentences, seed)
        for round_ in range(rounds)
        for i, task in enumerate(passes)
    ]


def _turn(task: str, number: int, size: int, batch: int, batch_sentences: int, seed: int) -> Turn:
    """The ``batch``-th mini-batch ever of a task: each pass over its sentences has an order of its own."""
    per_pass = ceil(size / batch_sentences)
    order = _permutation(seed, number, batch // per_pass, size)
    first = batch % per_pass * batch_sentences
    return Turn(task, order[first : first + batch_sentences])


@lru_cache(maxsize=64)
def _permutation(seed: int, number: int, pass_: int, size: int) -> Sequence[int]:
    order: list[int] = np.random.default_rng([seed, number, pass_]).permutation(size).tolist()
    return order
