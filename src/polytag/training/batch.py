"""Batch: the bridge between strings and tensors while training. `polytag.tagger.packing` has the legend of letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from polytag.cached import cached_property
from polytag.tagger import packing
from polytag.tagger.packing import Ints

Mask = npt.NDArray[np.bool_]
_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Packing(packing.Packing):
    """Where the items of ragged sequences stand among the packed rows, with numbers of rows on a device."""

    device: torch.device = _CPU

    @classmethod
    def of(cls, lengths: Sequence[int] | Ints) -> "Packing":
        found = packing.Packing.of(lengths)
        return cls(found.lengths, found.order)

    @cached_property
    def reverse(self) -> Tensor:
        """For each row the row of the mirrored position in its sequence, [N]."""
        return torch.from_numpy(self.mirrored).to(self.device)

    @cached_property
    def last_rows(self) -> Tensor:
        """The last row of each packed sequence, [B]."""
        return torch.from_numpy(self.last).to(self.device)

    def rows_around(self, reach: int) -> Tensor:
        """As `neighbours`."""
        return torch.from_numpy(self.neighbours(reach)).to(self.device)

    def to(self, device: torch.device) -> "Packing":
        """The same places, with row numbers on another device."""
        return self if device == self.device else replace(self, device=device)


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
    tags: Tensor | None = None  # N, of one task, if all of them are known
    gazetteer: Mapping[str, Tensor] = field(default_factory=dict)  # tag part -> N, the column that is 1
    allowed: Tensor | None = None  # N K, of one task: what each tag may be, if some are unknown
    forms: Tensor | None = None  # N, the row of each word in what follows
    features: Mapping[str, Tensor] = field(default_factory=dict)  # tag part -> U F, of distinct words

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device; itself if it is there."""
        if device == self.packing.device:
            return self
        return Batch(**{each.name: _moved(getattr(self, each.name), device) for each in fields(self)})


def _moved(value: Any, device: torch.device) -> Any:
    """A tensor, what holds some, a mapping of them, or None, on a device."""
    if isinstance(value, Mapping):
        return {name: tensor.to(device) for name, tensor in value.items()}
    return None if value is None else value.to(device)


def pack_distinct(forms: Ints, characters: Sequence[npt.NDArray[np.int64]]) -> Characters:
    """Characters of a batch: ``forms`` [N] is the distinct word of each row, ``characters`` has an array for each."""
    packed = Packing.of([len(c) for c in characters])
    place = np.argsort(packed.order)
    return Characters(torch.from_numpy(packed.pack(np.concatenate(characters))), packed, torch.from_numpy(place[forms]))
