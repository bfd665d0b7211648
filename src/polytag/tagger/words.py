"""What a network makes of each distinct word, computed once and kept: bounded, and shared by any number of threads."""

import os
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt

from polytag.tagger.packing import Packing
from polytag.vocabulary.vocabularies import END, START, UNKNOWN, CharVocabulary

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Columns = dict[str, Floats]  # by name, a row for each word

MEMORY = 44 << 20  # bytes of rows that are remembered
KEPT = 4  # this part of all is kept where others are forgotten: words that were met again, and not long ago
FEWEST = 4_096  # words that are remembered however wide their rows are
AT_ONCE = 512  # words that are computed at once: what is held meanwhile is several times what is kept of them
CHARACTERS = 65_536  # that are read at once: the states of a character GRU are held meanwhile, 42 MB with 160 columns


@dataclass(slots=True)
class _Memory:
    """The words that are known since the last time that all were forgotten. Rows are written before they are told."""

    most: int
    rows: dict[str, int] = field(default_factory=dict)
    columns: Columns = field(default_factory=dict)
    again: dict[str, None] = field(default_factory=dict)  # words that were met more than once, the latest at the end

    def meet(self, known: Collection[str]) -> None:
        """Words were met that are known."""
        for word in known:
            self.again.pop(word, None)
        self.again.update(dict.fromkeys(known))

    def add(self, words: Sequence[str], new: Columns) -> None:
        """Take words in; whoever holds columns from before keeps those, which have all that was known then."""
        known, end = len(self.rows), len(self.rows) + len(words)
        if any(name not in self.columns or end > len(self.columns[name]) for name in new):
            room = max(end, self.most)  # at once: memory that nothing was written to costs nothing
            self.columns = {name: _roomy(self.columns.get(name), rows, known, room) for name, rows in new.items()}
        for name, rows in new.items():
            self.columns[name][known:end] = rows
        self.rows.update(zip(words, range(known, end), strict=True))

    def copy(self, words: Sequence[str]) -> "_Memory":
        """A memory of some of the words alone."""
        other, rows = _Memory(self.most), [self.rows[word] for word in words]
        for name, column in self.columns.items():
            other.columns[name] = _roomy(None, column, 0, max(len(rows), self.most))
            np.take(column, rows, axis=0, out=other.columns[name][: len(rows)], mode="clip")  # without one more copy
        other.rows.update(zip(words, range(len(rows)), strict=True))
        return other


class WordTable:
    """Words -> rows of columns that ``compute`` makes, which is called for words that are not known yet.

    Two threads may compute the same word, and both get what the first of them stored. Where there is no room for more
    words, all are forgotten but the frequent ones; whoever works with the old ones still has them.
    """

    def __init__(self, compute: Callable[[Sequence[str]], Columns], *, row_bytes: int) -> None:
        self._compute = compute
        self.most = max(FEWEST, MEMORY // row_bytes)  # words; those of one call may be more
        self._fresh()
        _TABLES.add(self)

    def _fresh(self) -> None:
        self._lock, self._memory = Lock(), _Memory(self.most)

    def __len__(self) -> int:
        """How many words are remembered."""
        return len(self._memory.rows)

    def look_up(self, words: Sequence[str]) -> tuple[Rows, Columns]:
        """The row of each word, [n], and the columns that have it."""
        memory = self._memory
        try:
            rows = np.fromiter(map(memory.rows.__getitem__, words), np.int32, len(words))
        except KeyError:
            del memory  # it may be forgotten, and is then gone before there is another
            memory = self._learn(dict.fromkeys(words))
            rows = np.fromiter(map(memory.rows.__getitem__, words), np.int32, len(words))
        return rows, memory.columns  # after the rows: columns only ever grow

    def _learn(self, words: Mapping[str, None]) -> _Memory:
        """A memory that holds all of the words."""
        memory = self._memory
        known = memory.rows.keys() & words.keys()
        if memory.rows and len(memory.rows) + len(words) - len(known) > self.most:
            memory = self._renewed(memory, known)
        new = [word for word in words if word not in memory.rows]
        with self._lock:
            memory.meet(known)
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            found = self._compute(some)
            with self._lock:
                fresh = [at for at, word in enumerate(some) if word not in memory.rows]
                if len(fresh) < len(some):  # another thread has met them too
                    some, found = [some[at] for at in fresh], {name: rows[fresh] for name, rows in found.items()}
                memory.add(some, found)
        return memory

    def _renewed(self, full: _Memory, known: set[str]) -> _Memory:
        """A new memory in place of a full one, with some of the words that were met more than once."""
        with self._lock:
            if self._memory is full:
                full.meet(known)
                self._memory = full.copy(list(full.again)[-self.most // KEPT :])
            return self._memory


_TABLES: "weakref.WeakSet[WordTable]" = weakref.WeakSet()


def _after_fork() -> None:
    """Begin anew in a child process: a thread that is not there may have held a lock, or been half-way through."""
    for table in list(_TABLES):
        table._fresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _roomy(old: Floats | None, like: Floats, known: int, room: int) -> Floats:
    """A column with room for so many rows, the known ones in it."""
    column = np.empty((room, *like.shape[1:]), np.float32)
    if old is not None:
        column[:known] = old[:known]
    return column


def pieces(words: Sequence[str], limit: int) -> Iterator[Sequence[str]]:
    """Words in stretches of about `CHARACTERS` characters, of which each word has ``limit`` at most."""
    ends = np.cumsum([min(len(word), limit) + 2 for word in words])
    start = 0
    while start < len(words):
        before = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + CHARACTERS)))
        yield words[start:end]
        start = end


def packed_characters(vocabulary: CharVocabulary, words: Sequence[str], limit: int) -> tuple[Rows, Packing]:
    """The characters of words as indices in packed rows; the same as `CharVocabulary.indices` word by word."""
    bounded = 2 if vocabulary.boundaries else 0
    kept = max(1, limit - bounded)
    cut = [word[:kept] for word in words]
    lengths = np.fromiter(map(len, cut), np.int64, len(cut))
    codes = np.frombuffer("".join(cut).encode("utf-32-le", "surrogatepass"), np.uint32)
    ids = np.append(vocabulary.indices_of(codes), np.int32(UNKNOWN))  # the last one for words without characters
    packing = Packing.of(np.maximum(lengths, 1) + bounded)
    starts = np.where(lengths > 0, np.cumsum(lengths) - lengths, len(codes))[packing.order]
    ends = packing.lengths[packing.sequences] - 1
    inner = starts[packing.sequences] + packing.steps - bounded // 2
    if not bounded:
        return ids[inner], packing
    packed = ids[np.clip(inner, 0, len(ids) - 1)]
    packed[packing.steps == 0] = START
    packed[packing.steps == ends] = END
    return packed, packing
