"""Packed rows: the words of ragged sentences in one array, without padding.

Legend of letters, used everywhere:
    B  sentences (or words, whose characters are packed)   T  words of a sentence
    N  packed rows: all words of all sentences, without padding
    D  input width   H  width of one GRU direction   K  tags   G  gazetteer columns   U  distinct words

Sentences are sorted by length, longest first; step t owns one row for each sentence that is still running, as in
`torch.nn.utils.rnn.PackedSequence`. There is no padding anywhere, so padding can change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from polytag.cached import cached_property

Ints = npt.NDArray[np.int64]
A = TypeVar("A", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Packing:
    """Where the items of ragged sequences stand among the packed rows."""

    lengths: Ints  # B, longest first
    order: Ints  # B: packed sequence i is the caller's sequence order[i]

    @classmethod
    def of(cls, lengths: Sequence[int] | Ints) -> "Packing":
        given = np.asarray(lengths, dtype=np.int64)
        order = (-given).argsort(kind="stable")
        return cls(given[order], order)

    @cached_property
    def sizes(self) -> Ints:
        """Sequences that are still running at each step, [T]."""
        longest = int(self.lengths[0]) if len(self.lengths) else 0
        if len(self.lengths) == 1:
            return np.ones(longest, np.int64)
        return (-self.lengths).searchsorted(-np.arange(longest))

    @cached_property
    def batch_sizes(self) -> tuple[int, ...]:
        """The same as numbers of Python."""
        return tuple(self.sizes.tolist())

    @cached_property
    def offsets(self) -> Ints:
        """The first row of each step, [T]."""
        return self.sizes.cumsum() - self.sizes

    @cached_property
    def steps(self) -> Ints:
        """The step of each row, [N]."""
        return np.arange(len(self.sizes)).repeat(self.sizes)

    @cached_property
    def sequences(self) -> Ints:
        """The packed sequence of each row, [N]."""
        if len(self.lengths) == 1:
            return np.zeros(len(self.steps), np.int64)
        sequences: Ints = np.arange(len(self.steps)) - self.offsets[self.steps]
        return sequences

    @cached_property
    def last(self) -> Ints:
        """The last row of each packed sequence, [B]."""
        last: Ints = self.offsets[self.lengths - 1] + np.arange(len(self.lengths))
        return last

    @cached_property
    def mirrored(self) -> Ints:
        """For each row the row of the mirrored position in its sequence, [N]."""
        mirrored: Ints = self.offsets[self.lengths[self.sequences] - 1 - self.steps] + self.sequences
        return mirrored

    def neighbours(self, reach: int) -> Ints:
        """For each row the rows of the words from ``reach`` before to ``reach`` after it, [N, 2 * reach + 1].

        Beside the sentence stands N.
        """
        places = self.steps[:, None] + np.arange(-reach, reach + 1)
        inside = (places >= 0) & (places < self.lengths[self.sequences][:, None])
        rows = self.offsets[np.where(inside, places, 0)] + self.sequences[:, None]
        return np.where(inside, rows, len(self.steps))

    def places(self, starts: Ints) -> Ints:
        """Where each row stands among the caller's items, [N]; ``starts`` [B] says where each sequence begins there."""
        if len(self.lengths) == 1:
            return np.arange(starts[0], starts[0] + self.lengths[0])
        places: Ints = starts[self.order][self.sequences] + self.steps
        return places

    @cached_property
    def source(self) -> Ints:
        """For each row its place in the caller's items, given one sequence after the other, [N]."""
        lengths = np.empty_like(self.lengths)
        lengths[self.order] = self.lengths
        return self.places(np.cumsum(lengths) - lengths)

    def pack(self, flat: npt.NDArray[A]) -> npt.NDArray[A]:
        """Reorder items given one sequence after the other, in the caller's order, into packed rows."""
        return flat[self.source]

    def unpack(self, rows: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Packed rows -> one array per sequence, in the caller's order."""
        flat = np.empty_like(rows)
        flat[self.source] = rows
        lengths = np.empty_like(self.lengths)
        lengths[self.order] = self.lengths
        return np.split(flat, np.cumsum(lengths)[:-1])

    def in_order(self, packed: npt.NDArray[A]) -> npt.NDArray[A]:
        """Values of packed sequences [B, ...] in the caller's order."""
        values = np.empty_like(packed)
        values[self.order] = packed
        return values
