"""Files of clusters: Brown paths, or a class for each word, as the programs of Clark, word2vec and mkcls write them."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary.clusters import MOST, Clustering
from polytag.vocabulary.vectors.source import lines_of, opened, read_head

PREFIXES = (4, 6, 10)  # bits of a path that are clusters of their own, beside the whole path

_BROWN = re.compile(r"([01]+)\t([^\t]+)\t\d+")
_CLASS = re.compile(r"([^ \t]+)[ \t]+([^ \t]+)(?:[ \t]+[-+.\deE]+)?")  # Clark's program writes a probability too

Row = tuple[int, str, Sequence[str]]  # line, word, what it is called in each set


def load_clusters(path: Path, *, notes: Notes) -> Clustering:
    """Read a file, plain, gzip or xz; what it is its first line tells.

    Args:
        path: lines of ``path<TAB>word<TAB>count``, each path of 0 and 1, or of ``word class``; blank ones are skipped.
        notes: takes what is odd in the file but can be read.

    Raises:
        VectorsError: unreadable, empty, not UTF-8, a line is of another form, or there are too many clusters.
    """
    read_head(path, expected="clusters")
    named: dict[str, tuple[int, ...]] = {}
    ids: list[dict[str, int]] = []
    for line, word, names in _rows(path):
        ids = ids or [{} for _ in names]
        if word in named:
            message = f"left out lines of words that had come before, such as {word!r:.60}"
            notes.tell("duplicates", message, path=str(path), line=line)
            continue
        named[word] = tuple(known.setdefault(name, len(known) + 1) for known, name in zip(ids, names, strict=True))
        if max(named[word]) > MOST:
            raise VectorsError(f"more than {MOST:,} classes, expected far fewer than words", path=path, line=line)
    if len(named) == max(map(len, ids)) > 1:
        message = f"each of the {len(named):,} words is a class of its own: is the class in the column of the words?"
        notes.tell("classes", message, path=str(path))
    rows = np.fromiter(chain.from_iterable(named.values()), np.uint16, len(named) * len(ids))
    return Clustering(list(named), rows.reshape(-1, len(ids)))


def _rows(path: Path) -> Iterator[Row]:
    form = None
    with opened(path) as stream:
        for number, content in enumerate(lines_of(stream, path), start=1):
            line = _decoded(content, path, number).rstrip(" \t\r\n")
            if not line:
                continue
            form = form or (_BROWN if _BROWN.fullmatch(line) else _CLASS)
            found = form.fullmatch(line)
            if found is None:
                expected = "a path, a word and a count" if form is _BROWN else "a word and its class"
                raise VectorsError(f"found {line[:60]!r}, expected {expected}", path=path, line=number)
            first, second = found.groups()
            yield (number, second, _paths(first)) if form is _BROWN else (number, first, (second,))


def _paths(path: str) -> list[str]:
    return [*(path[:bits] for bits in PREFIXES), path]


def _decoded(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        message = f"byte {line[error.start]:#04x}, expected UTF-8 text"
        raise VectorsError(message, path=path, line=number) from error
