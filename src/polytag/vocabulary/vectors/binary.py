"""word2vec's binary format: a header ``words dimensions``, then per word its bytes, a space and float32 values."""

import io
from collections.abc import Iterator
from itertools import compress, islice
from pathlib import Path

import numpy as np

from polytag.errors import VectorsError
from polytag.vocabulary.vectors.rows import Matrix, Rows, Selection, Vectors
from polytag.vocabulary.vectors.source import opened
from polytag.vocabulary.vectors.text import BLOCK_ROWS, read_header

CHUNK_BYTES = 1 << 20


def read_word2vec_binary(path: Path, select: Selection) -> Vectors:
    """word2vec's binary format, little-endian, with or without a line feed after each row.

    Words that are not UTF-8 are kept with U+FFFD for what cannot be decoded: word2vec cuts long words amid a
    character, so that most large files hold some.

    Raises:
        VectorsError: the file holds fewer or more rows than its header promises, or values that are not finite.
    """
    promised, dimension = read_header(path)
    gathered = Rows(dimension, promised=promised)
    with opened(path) as stream:
        stream.readline()
        rows = _rows(stream, path, promised=promised, dimension=dimension, limit=select.limit)
        start = 1
        while block := list(islice(rows, BLOCK_ROWS)):
            words = [word.decode(errors="replace") for word, _ in block]
            mask = select.mask(words)
            matrix = np.frombuffer(b"".join([values for _, values in block]), dtype="<f4").reshape(-1, dimension)
            require_finite(matrix, words, path=path, first_row=start)
            gathered.extend(list(compress(words, mask)), matrix[np.array(mask)])
            start += len(block)
    return gathered.finish(source=str(path), format="word2vec-binary")


def require_finite(matrix: Matrix, words: list[str], *, path: Path, first_row: int = 1) -> None:
    """Check a float32 [V, D] matrix whose rows belong to ``words``.

    Raises:
        VectorsError: a value is NaN or infinite; names the row, counted from 1, and its word.
    """
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise VectorsError(f"the vector of {words[row]!r} (row {first_row + row:,}) is not finite", path=path)


def _rows(
    stream: io.BufferedReader, path: Path, *, promised: int, dimension: int, limit: int | None
) -> Iterator[tuple[bytes, bytes]]:
    size = 4 * dimension
    buffer, position = b"", 0
    for count in range(promised if limit is None else min(promised, limit)):
        space = buffer.find(b" ", position)
        while space < 0 or space + 1 + size > len(buffer):
            more = stream.read(CHUNK_BYTES)
            buffer, position = buffer[position:] + more, 0
            space = buffer.find(b" ")
            if not more or (space < 0 and len(buffer) > CHUNK_BYTES):
                message = f"{count:,} whole rows, but the header promises {promised:,}: the file is truncated"
                raise VectorsError(message, path=path)
        word, end = buffer[position:space].lstrip(b"\n"), space + 1 + size
        yield word, buffer[space + 1 : end]
        position = end
    if (limit is None or limit > promised) and (buffer[position:] + stream.read(64)).strip():
        raise VectorsError(f"more bytes after the {promised:,} rows that the header promises", path=path)
