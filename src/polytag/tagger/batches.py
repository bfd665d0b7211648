"""Sentences in the groups that are computed at once: stretches of a stream, and in each the batches of one length."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

import numpy as np

from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block
from polytag.tagger.packing import Ints, Packing
from polytag.tagger.words import Columns, Floats, Rows

BATCH_SENTENCES, BATCH_WORDS = 256, 1_024
CHUNK_WORDS = 16_384  # read ahead, sorted by length, tagged, put back in order: what bounds the memory
AGREEING_WORDS = 16 * CHUNK_WORDS  # the same where what is said of a sentence depends on the others
CHUNK_WORD_LENGTH = 64  # characters of a word, on average over a sentence, from which they count instead of words

T = TypeVar("T", Sentence, Block)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some of the sentences of one language, packed; none of them is without words."""

    indices: Ints  # B: the numbers of the sentences, in the order that results per sentence come in
    packing: Packing
    places: Ints  # N: of each row among all words
    rows: Rows  # N: of each word in the columns
    columns: Columns = field(repr=False)
    gazetteer: Mapping[str, Ints] = field(default_factory=dict)  # tag part -> N, the column that is 1


class Scratch:
    """Memory for the states of layers, which the batches of a call use in turn: new memory for each took 4 %."""

    def __init__(self) -> None:
        self._arrays: dict[int, Floats] = {}  # by layer

    def states(self, layer: int, rows: int, width: int) -> Floats:
        """Room for the states of a layer, [rows, width]."""
        if layer not in self._arrays or self._arrays[layer].size < rows * width:
            self._arrays[layer] = np.empty(rows * width, np.float32)
        return self._arrays[layer][: rows * width].reshape(rows, width)


def by_length(
    lengths: Ints, *, sentences: int = BATCH_SENTENCES, words: int = BATCH_WORDS, at_least: int = 1
) -> Iterator[Ints]:
    """The numbers of the sentences that have words, in groups of similar length.

    A group has at most so many sentences and words, but a sentence at least; there are ``at_least`` so many groups.
    """
    if len(lengths) == 1:
        yield from [np.zeros(1, np.int64)] * bool(lengths[0])
        return
    order = np.argsort(lengths, kind="stable")
    order = order[np.searchsorted(lengths[order], 1) :]
    ends = lengths[order].cumsum()
    sentences = min(sentences, -(-len(order) // at_least))
    words = min(words, -(-int(ends[-1]) // at_least)) if len(ends) else 0
    start = 0
    while start < len(order):
        before = int(ends[start - 1]) if start else 0
        most = int(np.searchsorted(ends, before + words, side="right"))
        end = max(start + 1, min(start + sentences, most))
        yield order[start:end]
        start = end


def chunks(items: Iterable[T], *, consistent: bool = False) -> Iterator[list[T]]:
    """A stream in stretches that are sorted by length and put back in order, each short enough to be in memory.

    ``consistent`` ones are longer.
    """
    chunk: list[T] = []
    most = AGREEING_WORDS if consistent else CHUNK_WORDS
    total = 0
    for item in items:
        sentence = item if isinstance(item, Sentence) else item.sentence
        chunk.append(item)
        words = sentence.words if sentence else ()
        # Blank lines count too: there may be no end of them. So do long words: one may have millions of characters.
        total += max(1, len(words), sum(map(len, words)) // CHUNK_WORD_LENGTH)
        if total >= most:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk


def flat(sentences: Sequence[Sentence]) -> tuple[list[str], Ints]:
    """The words of all sentences, one after the other, and how many each has."""
    words = list(chain.from_iterable(sentence.words for sentence in sentences))
    return words, np.fromiter(map(len, sentences), np.int64, len(sentences))
