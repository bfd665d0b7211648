"""word2vec's binary format: a header ``words dimensions``, then per word its bytes, a space and float32 values."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary.vectors.rows import Matrix, Rows, Vectors
from polytag.vocabulary.vectors.source import HEAD_BYTES, opened
from polytag.vocabulary.vectors.text import block_rows, read_header

CHUNK_BYTES = 1 << 20


def read_word2vec_binary(path: Path, notes: Notes) -> Vectors:
    """word2vec's binary format, little-endian, with or without a line feed after each row.

    Words that are not UTF-8 are kept with U+FFFD for what cannot be decoded: word2vec cuts long words amid a
    character, so that most large files hold some. They are told, as is a header that promises another number of rows.

    Raises:
        VectorsError: the file ends within a row, or values are not finite.
    """
    promised, dimension = read_header(path)
    gathered, count = Rows(dimension, promised=promised), 0
    with opened(path) as stream:
        stream.readline(HEAD_BYTES)
        rows = _rows(stream, path, promised=promised, dimension=dimension)
        while block := list(islice(rows, block_rows(dimension))):
            words = [decoded(word, path, notes) for word, _ in block]
            matrix = np.frombuffer(b"".join([values for _, values in block]), dtype="<f4").reshape(-1, dimension)
            require_finite(matrix, words, path=path, first_row=count + 1)
            gathered.extend(words, matrix)
            count += len(block)
    if count != promised:
        notes.tell("rows", f"{count:,} rows, but the header promises {promised:,}", path=str(path), line=1)
    return gathered.finish(source=str(path), format="word2vec-binary", notes=notes)


def decoded(word: bytes, path: Path, notes: Notes) -> str:
    """A word, with U+FFFD for what is not UTF-8, which is told."""
    try:
        return word.decode()
    except UnicodeDecodeError:
        text = word.decode(errors="replace")
        notes.tell("encoding", f"the word {word[:40]!r} is not UTF-8 and is kept as {text[:40]!r}", path=str(path))
        return text


def require_finite(matrix: Matrix, words: list[str], *, path: Path, first_row: int = 1) -> None:
    """Check a float32 [V, D] matrix whose rows belong to ``words``.

    Raises:
        VectorsError: a value is NaN or infinite; names the row, counted from 1, and its word.
    """
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise VectorsError(f"the vector of {words[row]!r} (row {first_row + row:,}) is not finite", path=path)


def _rows(stream: IO[bytes], path: Path, *, promised: int, dimension: int) -> Iterator[tuple[bytes, bytes]]:
    """Words and the bytes of their vectors, until the file ends."""
    size, count = 4 * dimension, 0
    buffer, position = b"", 0
    while True:
        space = buffer.find(b" ", position)
        while space < 0 or space + 1 + size > len(buffer):
            more = stream.read(CHUNK_BYTES)
            buffer, position = buffer[position:] + more, 0
            space = buffer.find(b" ")
            if count and not more and not buffer.strip():
                return
            if not more or (space < 0 and len(buffer) > CHUNK_BYTES):
                message = f"{count:,} whole rows and a part of one, the header promises {promised:,}"
                raise VectorsError(f"{message}: the file is truncated or damaged", path=path)
        word, position = buffer[position:space].lstrip(b"\n"), space + 1 + size
        count += 1
        yield word, buffer[space + 1 : position]
