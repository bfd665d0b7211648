"""How often two words of raw text stand near each other, counted in blocks: memory grows with neither text nor lines.

The text is read once. Its words go as numbers into a file without a name, from which pairs are counted once it is known
which words are frequent.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError

if TYPE_CHECKING:
    from scipy import sparse

Numbers = npt.NDArray[np.int32]

END = 0  # the number of what is no word: the end of a sentence, and words that are too long
LONGEST_WORD = 100  # characters; what is longer is no word of a language
MOST_WORDS = 2_000_000  # distinct ones that are known at a time: where there are more, the rarest are forgotten
MOST_PAIRS = 40_000_000  # of words near each other, 8 bytes each: where there are more, the rarest are forgotten
BLOCK = 1_000_000  # words that are counted at a time
_REMEMBERED = 1 << 21  # sentences, 8 bytes each


class Remembered:
    """Which sentences were met before; one in a place takes the place of another, so that memory is bounded."""

    def __init__(self) -> None:
        self._digests = np.zeros(_REMEMBERED, np.uint64)

    def has(self, words: tuple[str, ...]) -> bool:
        """Whether the sentence was met; it is from here on."""
        text = "\n".join(words).encode("utf-8", "surrogatepass")
        digest = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
        place = digest % _REMEMBERED
        was_met = int(self._digests[place]) == digest
        self._digests[place] = digest
        return was_met


class Lexicon(dict[str, int]):
    """The numbers of words from 1 on, as they are met, and how often each was; looked up as one, they are one."""

    def __init__(self, normalise: Callable[[str], str]) -> None:
        self._normalise = normalise
        self._numbers = dict[str, int]()
        self._issued = END + 1
        self._least = 0
        self._counts = np.zeros(0, np.int64)

    def __missing__(self, word: str) -> int:
        if len(word) > LONGEST_WORD or not word.strip():
            return END
        form = self._normalise(word)
        number = self[word] = self._numbers.setdefault(form, self._issued)
        self._issued = max(self._issued, number + 1)
        return number

    def count(self, block: Numbers) -> None:
        """Count the words of a block; where too many are known, forget the rarest."""
        counts = np.bincount(block, minlength=self._issued)
        counts[: len(self._counts)] += self._counts
        self._counts = counts
        while len(self._numbers) > MOST_WORDS:
            self._least += 1
            self._numbers = {form: n for form, n in self._numbers.items() if counts[n] > self._least}
        if self._least or len(self) > MOST_WORDS:
            self.clear()

    def frequent(self, min_count: int, most: int) -> tuple[list[str], Numbers]:
        """The words that occur often, the most frequent first, and for each number the row of its word, else -1."""
        known = [(-int(self._counts[n]), n, form) for form, n in self._numbers.items() if self._counts[n] >= min_count]
        known = sorted(known)[:most]
        rows = np.full(self._issued, -1, np.int32)
        rows[[number for _, number, _ in known]] = np.arange(len(known), dtype=np.int32)
        return [form for _, _, form in known], rows


@dataclass(slots=True)
class Read:
    """What was read: sentences and words, and how many of the sentences had come before and were left out."""

    sentences: int = 0
    repeated: int = 0
    words: int = 0


def read_words(
    sentences: Iterable[Sentence], lexicon: Lexicon, file: IO[bytes], progress: Callable[[int], None]
) -> Read:
    """Write the words of sentences that differ into a file as numbers, with `END` after each sentence.

    Raises:
        PolytagError: there is no room for them.
    """
    read, met = Read(), Remembered()
    for block in _blocks(_new(sentences, met, read), lexicon):
        lexicon.count(block)
        _append(file, block)
        progress(read.words)
    return read


def _append(file: IO[bytes], block: Numbers) -> None:
    """Write a block into a file that has no buffer, so that it is there, or it is known that it is not."""
    try:
        written, why = file.write(block.tobytes()), "no space left"
    except OSError as error:
        written, why = 0, str(error.strerror)
    if written < block.nbytes:
        kept = "the words of the text are kept there while they are counted; the variable TMPDIR names another place"
        raise PolytagError(f"{tempfile.gettempdir()}: cannot be written: {why}: {kept}")


def _new(sentences: Iterable[Sentence], met: Remembered, read: Read) -> Iterator[tuple[str, ...]]:
    for sentence in sentences:
        read.sentences += 1
        if met.has(sentence.words):
            read.repeated += 1
        else:
            read.words += len(sentence.words)
            yield sentence.words


def _blocks(sentences: Iterable[tuple[str, ...]], lexicon: Lexicon) -> Iterator[Numbers]:
    """The numbers of words, each sentence with its end, in blocks of whole sentences."""
    block = list[int]()
    for words in sentences:
        block += map(lexicon.__getitem__, words)
        block.append(END)
        if len(block) >= BLOCK:
            yield np.array(block, np.int32)
            block = []
    if block:
        yield np.array(block, np.int32)


def count_pairs(
    file: IO[bytes], rows: Numbers, *, words: int, window: int, progress: Callable[[int], None]
) -> "sparse.csr_array":
    """How often words stand near each other, [V, V], symmetric; of two at distance d it is ``window`` + 1 - d times.

    Args:
        file: what `read_words` wrote.
        rows: for each number of a word its row; -1 for words without one, which keep their places.
        words: how many rows there are, V.
        window: at how many words' distance two are near.
        progress: is told how many words are done.
    """
    file.seek(0)
    parts, before, done = list[Any](), np.zeros(window, np.int32), 0
    while (block := np.fromfile(file, np.int32, BLOCK)).size:
        parts.append(_pairs(np.concatenate([before, block]), rows, words, window))
        while len(parts) > 1 and parts[-2].nnz < 2 * parts[-1].nnz:  # so that each is added a few times only
            parts[-2:] = [_bounded(parts[-2] + parts[-1])]
        before = np.concatenate([before, block])[-window:]
        done += block.size
        progress(done)
    while len(parts) > 1:
        parts[-2:] = [_bounded(parts[-2] + parts[-1])]
    half = parts[0].astype(np.float32)
    return (half + half.T).tocsr()


def _pairs(numbers: Numbers, rows: Numbers, words: int, window: int) -> "sparse.csr_array":
    """The pairs whose second word is not among the first ``window``; the lower row first, [V, V]."""
    from scipy import sparse

    row, sentence = rows[numbers], np.cumsum(numbers == END, dtype=np.int32)
    firsts, seconds, weights = list[Numbers](), list[Numbers](), list[npt.NDArray[np.uint32]]()
    for distance in range(1, window + 1):
        left, right = slice(window - distance, len(row) - distance), slice(window, len(row))
        near = (row[left] >= 0) & (row[right] >= 0) & (sentence[left] == sentence[right])
        one, other = row[left][near], row[right][near]
        firsts.append(np.minimum(one, other))
        seconds.append(np.maximum(one, other))
        weights.append(np.full(one.size, window + 1 - distance, np.uint32))
    found = tuple(np.concatenate(list(each)) for each in (weights, firsts, seconds))
    return sparse.coo_array((found[0], found[1:]), shape=(words, words)).tocsr()


def _bounded(pairs: "sparse.csr_array") -> "sparse.csr_array":
    """The same, without the rarest where there are too many."""
    while pairs.nnz > MOST_PAIRS:
        pairs.data[pairs.data <= np.median(pairs.data)] = 0
        pairs.eliminate_zeros()
    return pairs
