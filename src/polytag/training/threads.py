"""CPU threads of one training, which leave those of others alone."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from polytag.plan import Plan

# batch_sentences x layers x hidden^2 of a word GRU, from which on a second thread is worth it. Words/s of two by
# those of one (`benchmarks.training_threads`, 2 cores): 1x100 in batches of 16 and 32 0.94 and 0.92, 1x200 in 16 0.92,
# 2x150 in 10 0.86; 2x300 in 10 1.02, 1x300 in 16 1.19, 2x150 in 32 1.30, 2x300 in 16 1.42 and in 32 1.51.
WORTH_A_THREAD = 1_200_000
_LOCK = threading.Lock()


def threads_for(plan: Plan) -> int | None:
    """CPU threads that a training computes with: the plan's, else 1 for a small network; None: as PyTorch chooses."""
    if plan.training.threads is not None:
        return plan.training.threads
    largest = max(part.layers * part.hidden**2 for part in plan.words.values())
    return None if plan.training.batch_sentences * largest >= WORTH_A_THREAD else 1


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Compute with so many threads while the context is open, in this thread alone; None: as many as it has.

    PyTorch keeps a number for each thread, and one that a thread takes over when it first computes. Setting the former
    sets the latter too, so it is set back by a thread that ends at once.
    """
    with _LOCK:
        before = torch.get_num_threads()
        if count is not None:
            _set(count)
    try:
        yield
    finally:
        if count is not None:
            with _LOCK:
                _set(before)


def _set(count: int) -> None:
    numbers: list[int] = []
    _elsewhere(lambda: numbers.append(torch.get_num_threads()))
    torch.set_num_threads(count)
    _elsewhere(lambda: torch.set_num_threads(numbers[0]))


def _elsewhere(action: Callable[[], None]) -> None:
    thread = threading.Thread(target=action)
    thread.start()
    thread.join()
