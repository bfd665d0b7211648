"""Vectors, the rows of a file as they are gathered, and how much of a text they cover."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polytag.corpus.notes import Notes

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Vectors:
    """Pretrained word vectors.

    ``matrix`` is float32 [V, D]; its row i belongs to ``words[i]``; no word stands twice. ``source`` is the path
    they came from, ``format`` the name of its format, ``duplicates`` the number of rows left out because their word
    had come before.
    """

    words: list[str]
    matrix: Matrix
    source: str
    format: str
    duplicates: int = 0

    def __len__(self) -> int:
        return len(self.words)

    @property
    def dimension(self) -> int:
        return int(self.matrix.shape[1])

    @property
    def std(self) -> float:
        """The standard deviation of all values; 0.0 where there are none."""
        if not self.matrix.size:
            return 0.0
        mean = float(self.matrix.mean(dtype=np.float64))
        # By blocks: numpy's own std() makes a second matrix, in double precision.
        blocks = (self.matrix[k : k + 4096].astype(np.float64) for k in range(0, len(self.words), 4096))
        return float(np.sqrt(sum(float(np.square(b - mean).sum()) for b in blocks) / self.matrix.size))


class Rows:
    """A matrix that grows as rows come in: the size that a header claims is never allocated on its word alone."""

    def __init__(self, dimension: int, *, promised: int | None = None) -> None:
        self._matrix: Matrix = np.empty((0, dimension), dtype=np.float32)
        self._seen: dict[str, None] = {}
        self._promised = promised
        self._duplicates, self._repeated = 0, ""

    def extend(self, words: Sequence[str], block: Matrix) -> None:
        """Add rows, float32 [n, D]; of rows with the same word the first stays."""
        fresh: list[int] = []
        start = len(self._seen)
        for row, word in enumerate(words):
            if word not in self._seen:
                self._seen[word] = None
                fresh.append(row)
            elif not self._repeated:
                self._repeated = word
        self._duplicates += len(words) - len(fresh)
        self._reserve(len(self._seen))
        self._matrix[start : len(self._seen)] = block if len(fresh) == len(words) else block[fresh]

    def finish(self, *, source: str, format: str, notes: Notes) -> Vectors:
        """All rows together; words that came again are told."""
        self._resize(len(self._seen))
        if self._duplicates:
            message = f"left out rows of words that had come before, such as {self._repeated!r}: {self._duplicates:,}"
            notes.tell("duplicates", message, path=source)
        return Vectors(list(self._seen), self._matrix, source, format, self._duplicates)

    def _reserve(self, rows: int) -> None:
        capacity = len(self._matrix)
        if rows > capacity:
            grown = capacity + capacity // 2
            self._resize(max(rows, grown if (self._promised or 0) < rows else min(grown, self._promised or 0)))

    def _resize(self, rows: int) -> None:
        # In place, by realloc: a copy would double the peak. Nobody else holds the array yet, hence no refcheck.
        self._matrix.resize((rows, self._matrix.shape[1]), refcheck=False)


@dataclass(frozen=True)
class Coverage:
    """How much of a text has vectors: ``types`` counts distinct words, ``tokens`` running words."""

    types: int
    covered_types: int
    tokens: int
    covered_tokens: int

    @property
    def type_share(self) -> float:
        return self.covered_types / self.types if self.types else 0.0

    @property
    def token_share(self) -> float:
        return self.covered_tokens / self.tokens if self.tokens else 0.0

    def __str__(self) -> str:
        return f"{100 * self.token_share:.1f} % of tokens, {100 * self.type_share:.1f} % of types"


def coverage(vocabulary_counts: Mapping[str, int], has_vector: Container[str]) -> Coverage:
    """Count the words that have a vector.

    Words are looked up as they are: apply the normalisation of the vectors (lower case, digits as 0) to the counts
    first, and pass a set or dict of words rather than a list.
    """
    covered = [count for word, count in vocabulary_counts.items() if word in has_vector]
    return Coverage(len(vocabulary_counts), len(covered), sum(vocabulary_counts.values()), sum(covered))
