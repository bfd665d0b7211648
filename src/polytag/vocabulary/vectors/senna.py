"""SENNA's embeddings: a directory with ``words.lst`` and ``embeddings.txt``, a word and a vector per line."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary.vectors.rows import Vectors
from polytag.vocabulary.vectors.source import lines_of, opened, read_head
from polytag.vocabulary.vectors.text import TextLayout, fields_of

# Beside each other, or as they lie in SENNA's own archive.
PLACES = {"words.lst": (".", "hash"), "embeddings.txt": (".", "embeddings")}


def read_senna(path: Path, notes: Notes) -> Vectors:
    """SENNA's two files, found in the directory ``path`` or in its ``hash/`` and ``embeddings/``; each may be gzip.

    Raises:
        VectorsError: a file is missing, the two have unequal numbers of lines, or a line is not as expected.
    """
    words, values = _find(path, "words.lst"), _find(path, "embeddings.txt")
    dimension = max(1, len(fields_of(read_head(values).split(b"\n")[0].rstrip(b"\r"))))
    layout = TextLayout(path=values, dimension=dimension, notes=notes)
    with opened(words) as word_stream, opened(values) as value_stream:
        lines = _joined(words, lines_of(word_stream, words), values, lines_of(value_stream, values))
        return layout.read(lines).finish(source=str(path), format="senna", notes=notes)


def _find(directory: Path, name: str) -> Path:
    for place in PLACES[name]:
        for file in (directory / place / name, directory / place / f"{name}.gz"):
            if file.is_file():
                return file
    raise VectorsError(
        f"no {name} in it, expected a directory with SENNA's words.lst and embeddings.txt", path=directory
    )


def _joined(words: Path, word_lines: Iterator[bytes], values: Path, value_lines: Iterator[bytes]) -> Iterator[bytes]:
    for number, (word, line) in enumerate(zip_longest(word_lines, value_lines), start=1):
        if word is None or line is None:
            longer = number + sum(1 for _ in (value_lines if word is None else word_lines))
            counts = (number - 1, longer) if word is None else (longer, number - 1)
            message = f"{counts[0]:,} words, but {values.name} holds {counts[1]:,} vectors: expected one line each"
            raise VectorsError(message, path=words)
        try:
            word.decode()
        except UnicodeDecodeError as error:
            raise VectorsError("the word is not UTF-8, expected a file in UTF-8", path=words, line=number) from error
        yield word.rstrip(b"\r\n") + b" " + line
