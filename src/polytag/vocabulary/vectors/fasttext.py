"""fastText's model files (.bin): the vectors of their words, each the mean of its own row and of its n-grams' rows."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
import numpy.typing as npt

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary.vectors.binary import decoded, require_finite
from polytag.vocabulary.vectors.rows import Matrix, Rows, Vectors
from polytag.vocabulary.vectors.source import FASTTEXT

_VERSIONS = (11, 12)
_HEADER = struct.Struct("<i12id3i2q")  # version, arguments, sizes of the dictionary
_ENTRY = struct.Struct("<qb")  # how often a word occurs, and whether it is a label
_SHAPE = struct.Struct("<?2q")  # of the matrix, after whether it is quantised
_END_OF_SENTENCE = b"</s>"  # has no n-grams
_LONGEST_WORD = 1 << 12  # bytes
_BLOCK = 4_096  # words
_OFFSET, _PRIME = np.uint32(2166136261), np.uint32(16777619)  # of 32-bit FNV-1a

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NGrams:
    """Which rows the n-grams of words have: of ``shortest`` to ``longest`` characters, hashed into ``buckets``."""

    shortest: int
    longest: int
    buckets: int

    def rows(self, words: Sequence[bytes]) -> tuple[Ints, Ints]:
        """The bucket of each n-gram of all words, and the number of its word, ascending."""
        marked = [b"" if word == _END_OF_SENTENCE else b"<%b>" % word for word in words]
        text = np.frombuffer(b"".join(marked), np.uint8)
        starts = np.flatnonzero((text & 0xC0) != 0x80)  # of characters
        sizes = np.diff(starts, append=len(text))
        word = np.searchsorted(np.cumsum(list(map(len, marked))), starts, side="right")
        before, after = (np.append(word, -1)[np.arange(len(word)) + step] for step in (-1, 1))
        is_edge = (before != word) | (after != word)  # the marks of a word are no n-grams alone
        first, hashes = np.arange(len(starts)), np.full(len(starts), _OFFSET)
        found = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        for length in range(1, (self.longest if self.buckets else 0) + 1):
            last = first + length - 1
            whole = last < len(starts)
            whole[whole] = word[last[whole]] == word[first[whole]]
            first, last, hashes = first[whole], last[whole], hashes[whole]
            if not len(first):  # a length that no word has
                break
            _hash_next(hashes, text, starts[last], sizes[last])
            if length >= self.shortest:
                chosen = ~is_edge[first] if length == 1 else slice(None)
                found.append(((hashes[chosen] % np.uint32(self.buckets)).astype(np.int64), word[first[chosen]]))
        buckets, words_of = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(words_of, kind="stable")
        return buckets[order], words_of[order]


def _hash_next(hashes: npt.NDArray[np.uint32], text: npt.NDArray[np.uint8], starts: Ints, sizes: Ints) -> None:
    """Hash one more character of each n-gram; fastText takes bytes for signed numbers."""
    for byte in range(int(sizes.max(initial=0))):
        has = sizes > byte
        value = text[starts[has] + byte].astype(np.int8).astype(np.uint32)
        hashes[has] = (hashes[has] ^ value) * _PRIME


@dataclass(frozen=True)
class Model:
    """A model's words and the matrix [words + buckets, D] that lies in the file."""

    words: list[bytes]
    ngrams: NGrams
    matrix: Matrix

    def vectors(self, numbers: Sequence[int]) -> Matrix:
        """The vectors of words that the model has, by their numbers, [n, D]."""
        own = np.array(numbers, np.int64)
        buckets, of = self.ngrams.rows([self.words[number] for number in numbers])
        sums = self.matrix[own].astype(np.float32)
        counts = 1 + np.bincount(of, minlength=len(own))
        present, begins = np.unique(of, return_index=True)
        if len(present):
            sums[present] += np.add.reduceat(self.matrix[len(self.words) + buckets], begins, axis=0)
        return np.asarray(sums / counts[:, None].astype(np.float32), np.float32)


def read_fasttext_binary(path: Path, notes: Notes) -> Vectors:
    """What fastText writes as .bin, not compressed: the vectors of its words, as they stand in the .vec beside it.

    The matrix is read row by row, as it is needed.

    Raises:
        VectorsError: it is compressed, quantised, damaged or of another version, or values are not finite.
    """
    model = _model(path)
    gathered, count = Rows(model.matrix.shape[1], promised=len(model.words)), 0
    numbers = iter(range(len(model.words)))
    while block := list(islice(numbers, _BLOCK)):
        words = [decoded(model.words[number], path, notes) for number in block]
        vectors = model.vectors(block)
        require_finite(vectors, words, path=path, first_row=count + 1)
        gathered.extend(words, vectors)
        count += len(block)
    return gathered.finish(source=str(path), format="fasttext-binary", notes=notes)


def _model(path: Path) -> Model:
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            return _parsed(content, path)
    except (struct.error, OSError, ValueError) as error:  # the end comes before what is to be read, or at once
        raise _damaged(path) from error


def _parsed(content: mmap, path: Path) -> Model:
    if not content[:4] == FASTTEXT:
        raise VectorsError("a compressed fastText model, expected a plain file: decompress it first", path=path)
    version, dimension, *_, buckets, shortest, longest, _, _, size, words, _, _, pruned = _HEADER.unpack_from(
        content, 4
    )
    if version not in _VERSIONS:
        raise VectorsError(f"version {version} of fastText's models, expected 11 or 12", path=path)
    found, position = list[bytes](), 4 + _HEADER.size
    for _ in range(size):
        end = content.find(b"\0", position, position + _LONGEST_WORD)
        _, is_label = _ENTRY.unpack_from(content, end + 1)
        if end < 0:
            raise _damaged(path)
        if not is_label:
            found.append(content[position:end])
        position = end + 1 + _ENTRY.size
    is_quantised, rows, columns = _SHAPE.unpack_from(content, position)
    if is_quantised or pruned > 0:
        raise VectorsError("a quantised fastText model, expected one that is not (.bin)", path=path)
    ngrams, begin = NGrams(shortest, longest, buckets if longest else 0), position + _SHAPE.size
    fits = len(found) == words and columns == dimension and rows in (words + ngrams.buckets, words + buckets)
    if (
        not fits
        or not words
        or min(dimension, shortest, longest, buckets) < 0
        or len(content) < begin + 4 * rows * columns
    ):
        raise _damaged(path)
    return Model(found, ngrams, np.memmap(path, "<f4", "r", offset=begin, shape=(rows, columns)))


def _damaged(path: Path) -> VectorsError:
    return VectorsError("a fastText model that is truncated or damaged, expected a whole one", path=path)
