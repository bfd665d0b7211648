"""Pretrained word vectors: word2vec, fastText, GloVe, SENNA and Polyglot.

A format is a row of ``READERS``: a name and a function from a path and a place for notes to Vectors.
"""

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary.vectors.binary import read_word2vec_binary
from polytag.vocabulary.vectors.fasttext import read_fasttext_binary
from polytag.vocabulary.vectors.polyglot import read_polyglot
from polytag.vocabulary.vectors.rows import Coverage as Coverage
from polytag.vocabulary.vectors.rows import Vectors as Vectors
from polytag.vocabulary.vectors.rows import coverage as coverage
from polytag.vocabulary.vectors.senna import read_senna
from polytag.vocabulary.vectors.source import detect
from polytag.vocabulary.vectors.text import read_glove, read_word2vec

__all__ = ["READERS", "Coverage", "Vectors", "coverage", "load_vectors"]

READERS: Mapping[str, Callable[[Path, Notes], Vectors]] = {
    "word2vec": read_word2vec,  # fastText's .vec is the same on disk
    "word2vec-binary": read_word2vec_binary,
    "fasttext-binary": read_fasttext_binary,
    "glove": read_glove,
    "senna": read_senna,
    "polyglot": read_polyglot,
}


def load_vectors(path: str | PathLike[str], *, notes: Notes | None = None) -> Vectors:
    """Load word vectors, plain, gzip or xz, in the format that their content tells; the values float32 [V, D].

    Args:
        path: a file, or the directory of SENNA's two files.
        notes: takes what is odd in the file but can be read: a header that promises other numbers, words that come
            twice.

    Raises:
        VectorsError: the file or the format is unknown, or the file is damaged; holds file and line.
    """
    file = Path(path)
    if not file.exists():
        raise VectorsError("no such file or directory, expected word vectors", path=file)
    return READERS[detect(file)](file, Notes() if notes is None else notes)
