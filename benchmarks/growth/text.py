"""Synthetic text: words as frequent as Zipf's law says and as long as those of a real corpus at the same rank."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.corpus import read

NEWS = Path(__file__).resolve().parents[2] / "examples" / "news" / "en.train.conll"
LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
SEED = 1


def word_lengths(corpus: Path) -> list[int]:
    """The lengths of a corpus' distinct words in characters, the most frequent word first."""
    counts = Counter(word for sentence in read(corpus) for word in sentence.words)
    return [len(word) for word, _ in counts.most_common()]


@dataclass(frozen=True)
class Language:
    """So many distinct words of lower-case letters, the most frequent first."""

    words: tuple[str, ...]

    @classmethod
    def invent(cls, size: int, lengths: Sequence[int]) -> "Language":
        """Words of ``lengths``, rank by rank; where there are more words, their lengths are those of rare ones."""
        source = np.random.default_rng(SEED)
        wanted = list(lengths[:size])
        wanted += source.choice(np.array(lengths[len(lengths) // 2 :]), size - len(wanted)).tolist()
        letters = source.choice(LETTERS, 2 * sum(wanted) + 100).tobytes().decode()
        words: dict[str, None] = {}
        place = 0
        for length in wanted:
            while (word := letters[place : place + length]) in words:
                length += 1  # there are only so many short words
            words[word] = None
            place = (place + length) % (len(letters) - 100)
        return cls(tuple(words))

    @cached_property
    def _objects(self) -> NDArray[Any]:
        return np.array(self.words, dtype=object)

    @cached_property
    def _cumulative(self) -> NDArray[np.float64]:
        """Zipf's law: a word is as probable as the inverse of its rank."""
        return np.cumsum(1.0 / np.arange(1, len(self.words) + 1))

    def draw(self, count: int, *, seed: int = SEED) -> list[str]:
        """So many running words."""
        places = np.random.default_rng(seed).random(count) * self._cumulative[-1]
        drawn: list[str] = self._objects[np.searchsorted(self._cumulative, places, side="right")].tolist()
        return drawn

    def write(self, path: Path, *, size: int) -> int:
        """Write a file of one word per line and blank lines between sentences, of ``size`` bytes; returns its words."""
        written, words = 0, 0
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for seed in range(size):
                sentences = natural(self.draw(65_536, seed=seed), seed=seed)
                for text, length in (("\n".join(sentence) + "\n\n", len(sentence)) for sentence in sentences):
                    written, words = written + file.write(text), words + length
                    if written >= size:
                        return words
        return words


def cut(words: Sequence[str], lengths: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """Sentences of these lengths, the last cut where the words end."""
    end = 0
    for length in lengths:
        if end < len(words):
            yield tuple(words[end : end + length])
        end += length


def natural(words: Sequence[str], *, seed: int = SEED) -> list[tuple[str, ...]]:
    """Sentences of lengths drawn like those of CoNLL-2003: 14.5 words in the mean, 113 at most."""
    lengths = np.random.default_rng(seed).gamma(1.56, 9.3, len(words)).round().clip(1, 113).astype(int)
    return list(cut(words, lengths.tolist()))


def even(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Sentences of one length."""
    return list(cut(words, [length] * -(-len(words) // length)))
