"""Batch: the only bridge between strings and tensors.

Legend of letters, used everywhere:
    B  sentences (or words of a character batch)      T  words of a sentence, S characters of a word
    N  packed rows: all words of all sentences of a batch, without padding
    D  input width   H  width of one GRU direction   K  tags   G  gazetteer columns   U  distinct words

Rows are packed as in `torch.nn.utils.rnn.PackedSequence`: sequences sorted by length, longest first; step t owns one
row for each sequence that is still running. There is no padding anywhere, so padding can change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
A = TypeVar("A", bound=np.generic)
_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Packing:
    """Where the items of ragged sequences stand among the packed rows."""

    lengths: Ints  # B, longest first
    order: Ints  # B: packed sequence i is the caller's sequence order[i]
    device: torch.device = _CPU  # of `reverse` and `last`

    @classmethod
    def of(cls, lengths: Sequence[int] | Ints) -> "Packing":
        given = np.asarray(lengths, dtype=np.int64)
        order = np.argsort(-given, kind="stable")
        return cls(given[order], order)

    @cached_property
    def _rows(self) -> tuple[Ints, Ints, Ints]:
        """Running sequences at each step; step and sequence of each row."""
        longest = int(self.lengths[0]) if len(self.lengths) else 0
        sizes = np.searchsorted(-self.lengths, -np.arange(longest), side="left")
        steps = np.repeat(np.arange(longest), sizes)
        starts = np.cumsum(sizes) - sizes
        return sizes, steps, np.arange(len(steps)) - starts[steps]

    @cached_property
    def batch_sizes(self) -> tuple[int, ...]:
        """Sequences that are still running at each step."""
        return tuple(self._rows[0].tolist())

    @cached_property
    def _offsets(self) -> Ints:
        sizes = self._rows[0]
        return np.cumsum(sizes) - sizes

    @cached_property
    def reverse(self) -> Tensor:
        """For each row the row of the mirrored position in its sequence, [N]."""
        _, steps, sequences = self._rows
        return torch.from_numpy(self._offsets[self.lengths[sequences] - 1 - steps] + sequences).to(self.device)

    def neighbours(self, reach: int) -> Tensor:
        """For each row the rows of the words from ``reach`` before to ``reach`` after it, [N, 2 * reach + 1].

        Beside the sentence stands N.
        """
        _, steps, sequences = self._rows
        places = steps[:, None] + np.arange(-reach, reach + 1)
        inside = (places >= 0) & (places < self.lengths[sequences][:, None])
        rows = self._offsets[np.where(inside, places, 0)] + sequences[:, None]
        return torch.from_numpy(np.where(inside, rows, len(steps))).to(self.device)

    @cached_property
    def last(self) -> Tensor:
        """The last row of each packed sequence, [B]."""
        return torch.from_numpy(self._offsets[self.lengths - 1] + np.arange(len(self.lengths))).to(self.device)

    def to(self, device: torch.device) -> "Packing":
        """The same places, with row numbers on another device."""
        return self if device == self.device else replace(self, device=device)

    def pack(self, flat: npt.NDArray[A]) -> npt.NDArray[A]:
        """Reorder items given one sequence after the other, in the caller's order, into packed rows."""
        return flat[self._source]

    def unpack(self, rows: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Packed rows -> one array per sequence, in the caller's order."""
        flat = np.empty_like(rows)
        flat[self._source] = rows
        lengths = np.empty_like(self.lengths)
        lengths[self.order] = self.lengths
        return np.split(flat, np.cumsum(lengths)[:-1])

    @cached_property
    def _source(self) -> Ints:
        """For each packed row its place in the caller's flat order, [N]."""
        _, steps, sequences = self._rows
        lengths = np.empty_like(self.lengths)
        lengths[self.order] = self.lengths
        starts = np.cumsum(lengths) - lengths
        source: Ints = starts[self.order[sequences]] + steps
        return source


@dataclass(frozen=True, eq=False)
class Characters:
    """The characters of the distinct words of a batch, each computed once."""

    ids: Tensor  # packed rows over characters
    packing: Packing  # of the U distinct words
    word: Tensor  # N: which packed distinct word each row of the batch is

    def to(self, device: torch.device) -> "Characters":
        """The same characters on another device."""
        return Characters(self.ids.to(device), self.packing.to(device), self.word.to(device))


@dataclass(frozen=True, eq=False)
class Batch:
    """Sentences of one language as tensors."""

    words: Tensor  # N
    packing: Packing
    characters: Characters | None = None
    tags: Tensor | None = None  # N, of one task, while training, if all of them are known
    gazetteer: Mapping[str, Tensor] = field(default_factory=dict)  # tag part -> N, the column that is 1
    allowed: Tensor | None = None  # N K, of one task, while training: what each tag may be, if some are unknown
    forms: Tensor | None = None  # N, the row of each word in what follows
    features: Mapping[str, Tensor] = field(default_factory=dict)  # tag part -> U F, of distinct words, while training
    feature_scores: Mapping[str, Tensor] = field(default_factory=dict)  # tag part -> what comes of them, while tagging

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device; itself if it is there."""
        if device == self.packing.device:
            return self
        return Batch(
            words=self.words.to(device),
            packing=self.packing.to(device),
            characters=None if self.characters is None else self.characters.to(device),
            tags=None if self.tags is None else self.tags.to(device),
            allowed=None if self.allowed is None else self.allowed.to(device),
            gazetteer={part: columns.to(device) for part, columns in self.gazetteer.items()},
            forms=None if self.forms is None else self.forms.to(device),
            features={part: indices.to(device) for part, indices in self.features.items()},
            feature_scores={part: scores.to(device) for part, scores in self.feature_scores.items()},
        )


def pack_distinct(forms: Ints, characters: Sequence[npt.NDArray[np.int64]]) -> Characters:
    """Characters of a batch: ``forms`` [N] is the distinct word of each row, ``characters`` has an array for each."""
    packing = Packing.of([len(c) for c in characters])
    place = np.empty_like(packing.order)
    place[packing.order] = np.arange(len(place))
    return Characters(
        torch.from_numpy(packing.pack(np.concatenate(characters))), packing, torch.from_numpy(place[forms])
    )
