"""What a network makes of each distinct word, computed once and kept: bounded, and shared by any number of threads."""

import os
import weakref
from collections.abc import Callable, Collection, Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Columns = dict[str, Floats]  # by name, a row for each word

MEMORY = 42 << 20  # bytes of rows that are remembered
FEWEST, MOST = 4_096, 65_536  # words that are remembered, however wide or narrow their rows are
AGAIN = 131_072  # a word that was met again is forgotten as if it had last been met so many words later
FORGOTTEN = 16  # this part of the words is forgotten at once, if not more have to be
AT_ONCE = 256  # words that are computed at once: what is held meanwhile is several times what is kept of them

_FREE = np.iinfo(np.int64).max


class _Held(Columns):
    """The columns as one call got them: while they are there, no row that was asked for since is given to another."""


class _Memory:
    """Rows and the words that they hold; where none is free, words that were not met for long give theirs to others.

    The table's lock is held in all of it. Time is counted in words that were looked up.
    """

    def __init__(self, room: int) -> None:
        self.room, self.rows, self.columns = room, dict[str, int](), Columns()
        self._words = np.full(room, None)  # of each row
        self._met = np.full(room, _FREE)  # when each row was last asked for
        self._again = np.zeros(room, np.bool_)  # whether it was met more than once
        self._free = np.arange(room, dtype=np.int32)
        self._held: weakref.WeakValueDictionary[int, _Held] = weakref.WeakValueDictionary()  # by when they began
        self._now = 0

    def hold(self, words: int) -> _Held:
        """What keeps all rows that are asked for from now on; ``words`` will be looked up."""
        self._now += words + 1
        held = self._held[self._now] = _Held(self.columns)
        return held

    def find(self, words: Collection[str]) -> Rows:
        """The row of each word; raises KeyError if one is not known."""
        return np.fromiter(map(self.rows.__getitem__, words), np.int32, len(words))

    def meet(self, words: Collection[str]) -> Rows:
        """The same of words that were known before they were looked up."""
        rows = self.find(words)
        self._met[rows], self._again[rows] = self._now, True
        return rows

    def reserve(self, count: int) -> Rows | None:
        """Rows for so many more words; None where too many are in use."""
        if len(self._free) < count:
            self._forget(max(count - len(self._free), self.room // FORGOTTEN))
        if len(self._free) < count:
            return None
        rows, self._free = self._free[:count], self._free[count:]
        self._met[rows], self._again[rows] = self._now, False
        return rows

    def _forget(self, count: int) -> None:
        idle = np.flatnonzero(self._met < min(self._held)).astype(np.int32)
        rows = idle[np.argsort(self._met[idle] + AGAIN * self._again[idle])[:count]]
        for word, row in zip(self._words[rows], rows.tolist(), strict=True):
            if self.rows.get(word) == row:  # it was not computed in the end, or another thread's row is the word's
                del self.rows[word]
        self._words[rows], self._met[rows] = None, _FREE
        self._free = np.concatenate((self._free, rows))

    def put(self, words: Sequence[str], rows: Rows, new: Columns) -> None:
        """Fill rows that were reserved; where another thread did so for a word, that one's row stays the word's."""
        for name, values in new.items():
            if name not in self.columns:  # room for all at once: memory that nothing was written to costs nothing
                self.columns[name] = np.empty((self.room, *values.shape[1:]), np.float32)
            self.columns[name][rows] = values
        self._words[rows] = words  # before they are found: Ctrl+C may come between any two lines
        self._met[list(map(self.rows.setdefault, words, rows.tolist()))] = self._now


class WordTable:
    """Words -> rows of columns that ``compute`` makes, which is called for words that are not known yet.

    Two threads may compute the same word, and both get what the first of them stored. Rows are used again, but not
    while a call has them: if too few are left, all words are forgotten, and the columns are left to who has them.
    """

    def __init__(self, compute: Callable[[Sequence[str]], Columns], *, row_bytes: int) -> None:
        self._compute = compute
        self.most = min(max(FEWEST, MEMORY // row_bytes), MOST)  # words; those of one call may be more
        self._fresh()
        _TABLES.add(self)

    def _fresh(self) -> None:
        self._lock, self._memory = Lock(), _Memory(self.most)

    def __len__(self) -> int:
        """How many words are remembered."""
        return len(self._memory.rows)

    def look_up(self, words: Sequence[str]) -> tuple[Rows, Columns]:
        """The row of each word, [n], and the columns that have it, for as long as they are kept."""
        with self._lock:
            memory = self._memory
            held = memory.hold(len(words))
            try:
                return memory.meet(words), held
            except KeyError:
                distinct = dict.fromkeys(words)
            memory.meet(distinct.keys() & memory.rows.keys())
            new = [word for word in distinct if word not in memory.rows]
            rows = memory.reserve(len(new))
            if rows is None or memory.room > max(self.most, len(distinct)):
                self._memory = memory = _Memory(max(self.most, len(distinct)))
                held, new, rows = memory.hold(len(words)), list(distinct), memory.reserve(len(distinct))
                assert rows is not None, "nothing else is in it"
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            columns = self._compute(some)
            with self._lock:
                memory.put(some, rows[start : start + AT_ONCE], columns)
        with self._lock:
            held.update(memory.columns)
            return memory.find(words), held


_TABLES: "weakref.WeakSet[WordTable]" = weakref.WeakSet()


def _after_fork() -> None:
    """Begin anew in a child process: a thread that is not there may have held a lock, or been half-way through."""
    for table in list(_TABLES):
        table._fresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
