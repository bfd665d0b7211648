"""The least sure sentences of a stream, each once, in bounded memory."""

import heapq
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.suggesting.reading import Candidate

Vector = npt.NDArray[np.floating[Any]]


class Pool:
    """Keeps the ``size`` candidates of the highest scores; of several with the same words, and of ties, the first."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._heap: list[tuple[float, int, Candidate, Vector]] = []
        self._words: set[tuple[str, ...]] = set()

    def __len__(self) -> int:
        return len(self._heap)

    def takes(self, score: float) -> bool:
        """Whether a candidate of this score would still come in."""
        return len(self._heap) < self.size or score > self._heap[0][0]

    def offer(self, score: float, candidate: Candidate, vector: Vector, *, order: int) -> None:
        """Take a candidate in if it is among the best so far; ``order`` is its place in the stream."""
        words = candidate.sentence.words
        if not self.takes(score) or words in self._words:
            return
        self._words.add(words)
        entry = (score, -order, candidate, vector.copy())  # a view would hold on to its whole batch
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, entry)
        else:
            *_, gone, _ = heapq.heapreplace(self._heap, entry)
            self._words.remove(gone.sentence.words)

    def ranked(self) -> list[tuple[float, Candidate, Vector]]:
        """All that is kept, highest score first."""
        return [(score, candidate, vector) for score, _, candidate, vector in sorted(self._heap, key=_key)]


def _key(entry: tuple[float, int, Candidate, Vector]) -> tuple[float, int]:
    return -entry[0], -entry[1]
