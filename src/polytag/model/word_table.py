"""What the network makes of each distinct word of one language: computed once, kept, in bounded memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from polytag.batching.batch import Batch, Ints
from polytag.batching.encoder import Encoder
from polytag.model.char_encoder import CharEncoder
from polytag.model.feature_crf import FeatureCrf
from polytag.model.word_encoder import WordEncoder

_CHARACTERS = 65_536  # that the character GRU reads at once: its states are held meanwhile, 42 MB with 160 columns


class WordTable:
    """A cache of the word GRU's inputs and of the scores of features; it forgets when the encoder forgets its words."""

    def __init__(
        self, encoder: Encoder, chars: CharEncoder | None, words: WordEncoder, features: Mapping[str, FeatureCrf]
    ) -> None:
        """``features`` are by tag part; no weights may change while the table is in use."""
        self.encoder, self._chars, self._words, self._features = encoder, chars, words, features
        self._forget()

    def _forget(self) -> None:
        self._inputs: Tensor | None = None  # [capacity, D]
        self._scores: dict[str, Tensor] = {}  # by tag part, [capacity, 1 + places, K]
        self._known = 0

    def forms(self, sentences: Sequence[Sequence[str]]) -> list[Ints]:
        """Each sentence as the numbers of its words in this table; they are good until the next call."""
        if self.encoder.trim():
            self._forget()
        forms = [self.encoder.forms(words) for words in sentences]
        while self._known < len(self.encoder):
            self._learn()
        return forms

    def batch(
        self, forms: Sequence[Ints], *, gazetteer: Mapping[str, Sequence[Ints]] | None = None
    ) -> tuple[Batch, Tensor]:
        """Sentences, each as its `forms`, and the inputs of the word GRU at each of their packed words, [N, D]."""
        assert self._inputs is not None
        batch = self.encoder.batch(forms, gazetteer=gazetteer, characters=False).to(self._inputs.device)
        rows = torch.from_numpy(batch.packing.pack(np.concatenate(forms))).to(self._inputs.device)
        return replace(batch, forms=rows, feature_scores=self._scores), self._inputs.index_select(0, rows)

    def _learn(self) -> None:
        """Add the next distinct words, as many as the memory for characters allows."""
        ids, characters = self.encoder.distinct(self._known, characters=_CHARACTERS)
        device = next(self._words.parameters()).device
        vectors = None if self._chars is None or characters is None else self._chars(characters.to(device))
        new = self._words.inputs(torch.from_numpy(ids).to(device), vectors)
        end = self._known + len(new)
        self._inputs = _with(self._inputs, self._known, new)
        for part, crf in self._features.items():
            features = torch.from_numpy(self.encoder.features(part, slice(self._known, end))).to(device)
            self._scores[part] = _with(self._scores.get(part), self._known, crf.scores(features))
        self._known = end
        if self._chars is not None:
            self.encoder.drop_characters(end)


def _with(rows: Tensor | None, known: int, new: Tensor) -> Tensor:
    """A table with ``new`` rows after those that are known, in twice the memory if there is no room for them."""
    needed = known + len(new)
    if rows is None or needed > len(rows):
        grown = new.new_empty(max(needed, 2 * known, 1_024), *new.shape[1:])
        if rows is not None:
            grown[:known] = rows[:known]
        rows = grown
    rows[known:needed] = new
    return rows
