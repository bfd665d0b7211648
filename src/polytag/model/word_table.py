"""What the word GRU sees of each distinct word of one language: computed once, kept, in bounded memory."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from polytag.batching.batch import Batch, Ints
from polytag.batching.encoder import Encoder
from polytag.model.char_encoder import CharEncoder
from polytag.model.word_encoder import WordEncoder

_CHARACTERS = 65_536  # that the character GRU reads at once: its states are held meanwhile, 42 MB with 160 columns


class WordTable:
    """A cache of character vectors beside word embeddings; all is forgotten when the encoder forgets its words."""

    def __init__(self, encoder: Encoder, chars: CharEncoder | None, words: WordEncoder) -> None:
        """The weights of ``chars`` and ``words`` must not change while the table is in use."""
        self.encoder, self._chars, self._words = encoder, chars, words
        self._inputs: Tensor | None = None  # [capacity, D]
        self._known = 0

    def forms(self, sentences: Sequence[Sequence[str]]) -> list[Ints]:
        """Each sentence as the numbers of its words in this table; they are good until the next call."""
        if self.encoder.trim():
            self._known, self._inputs = 0, None
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
        rows = torch.from_numpy(batch.packing.pack(np.concatenate(forms)))
        return batch, self._inputs.index_select(0, rows.to(self._inputs.device))

    def _learn(self) -> None:
        """Add the next distinct words, as many as the memory for characters allows."""
        ids, characters = self.encoder.distinct(self._known, characters=_CHARACTERS)
        device = next(self._words.parameters()).device
        vectors = None if self._chars is None or characters is None else self._chars(characters.to(device))
        new = self._words.inputs(torch.from_numpy(ids).to(device), vectors)
        needed = self._known + len(new)
        if self._inputs is None or needed > len(self._inputs):
            grown = new.new_empty(max(needed, 2 * self._known, 1_024), new.shape[1])
            if self._inputs is not None:
                grown[: self._known] = self._inputs[: self._known]
            self._inputs = grown
        self._inputs[self._known : needed] = new
        self._known = needed
        if self._chars is not None:
            self.encoder.drop_characters(needed)
