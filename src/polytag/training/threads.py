"""CPU threads of one training, which leave those of others alone."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from polytag.native.training import use_openmp

_LOCK = threading.Lock()


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Compute with so many threads while the context is open, in this thread alone; None: as many as it has.

    PyTorch keeps a number for each thread, and one that a thread takes over when it first computes. Setting the former
    sets the latter too, so it is set back by a thread that ends at once.
    """
    use_openmp()
    with _LOCK:
        before = torch.get_num_threads()
        if count is not None:
            _set(count)
    try:
        yield
    finally:
        if count is not None and not sys.is_finalizing():  # no thread starts any more once the interpreter ends
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
