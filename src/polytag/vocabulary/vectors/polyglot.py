"""Polyglot's embeddings: a pickle, written by Python 2, of the pair (words, matrix)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary.vectors.binary import require_finite
from polytag.vocabulary.vectors.restricted_pickle import restricted_load
from polytag.vocabulary.vectors.rows import Matrix, Rows, Vectors
from polytag.vocabulary.vectors.source import opened

# A matrix of floats hardly compresses. What unzips to more is made to fill the memory.
MOST_RATIO, LITTLE = 8, 16 << 20


def read_polyglot(path: Path, notes: Notes) -> Vectors:
    """Polyglot's pickle (``polyglot-es.pkl``), read without running anything that it may ask for.

    Words that Python 2 wrote as byte strings are decoded as UTF-8.

    Raises:
        VectorsError: the pickle is refused or damaged, or is not a pair of V words and a finite [V, D] matrix.
    """
    items, matrix = _pair(restricted_load(_content(path), path=path), path)
    words = [_word(item, row, path) for row, item in enumerate(items, start=1)]
    require_finite(matrix, words, path=path)
    gathered = Rows(matrix.shape[1], promised=len(words))
    gathered.extend(words, matrix)
    return gathered.finish(source=str(path), format="polyglot", notes=notes)


def _content(path: Path) -> bytes:
    """All of a file, unzipped where it is gzip."""
    with opened(path) as stream:
        size = path.stat().st_size
        most = max(LITTLE, MOST_RATIO * size)
        content = stream.read(most + 1)
    if len(content) > most:
        message = f"{size:,} bytes that unzip to more than {most:,}, expected words and one numpy array"
        raise VectorsError(message, path=path)
    return content


def _pair(loaded: object, path: Path) -> tuple[Sequence[object], Matrix]:
    if not isinstance(loaded, tuple) or len(loaded) != 2:
        raise VectorsError("the pickle holds no pair, expected words and a matrix", path=path)
    words, matrix = loaded
    if not isinstance(words, tuple | list) or not isinstance(matrix, np.ndarray):
        kinds = f"{type(words).__name__} and {type(matrix).__name__}"
        raise VectorsError(f"the pickle holds {kinds}, expected a tuple or list of words and an array", path=path)
    if matrix.ndim != 2 or len(matrix) != len(words) or not matrix.size:
        message = f"{len(words):,} words, but a matrix of shape {matrix.shape}: expected one row per word"
        raise VectorsError(message, path=path)
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused with its row
        return words, matrix.astype(np.float32)


def _word(item: object, row: int, path: Path) -> str:
    if isinstance(item, str):
        return item
    if not isinstance(item, bytes):
        raise VectorsError(f"word {row:,} is of type {type(item).__name__}, expected a string", path=path)
    try:
        return item.decode()
    except UnicodeDecodeError as error:
        raise VectorsError(f"word {row:,} ({item[:40]!r}) is not UTF-8", path=path) from error
