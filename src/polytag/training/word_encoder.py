"""Words with their character vectors -> context (paper, sections 3.2.1 and 3.2.2)."""

import torch
from torch import Tensor, nn

from polytag.training.batch import Packing
from polytag.training.gru_stack import GruStack
from polytag.plan import Initialisation, Words


class WordEncoder(nn.Module):
    """Word embedding and word GRU; either the embedding or the characters may be left out."""

    def __init__(self, settings: Words, words: int, char_width: int, start: Initialisation) -> None:
        super().__init__()
        self.embedding = None
        if settings.embedding:
            # Sparse: a step moves only the rows of its own words, and the rest of a large table costs nothing.
            self.embedding = nn.Embedding(words, settings.dimension, sparse=True)
            nn.init.normal_(self.embedding.weight, std=start.words)
        self.gru = GruStack(char_width + (settings.dimension if settings.embedding else 0), settings, std=start.gru)

    def inputs(self, words: Tensor, characters: Tensor | None) -> Tensor:
        """Word indices [N] and character vectors [N, C] -> inputs of the word GRU, [N, D]."""
        embedded = None if self.embedding is None else self.embedding(words)
        return torch.cat([part for part in (characters, embedded) if part is not None], dim=1)

    def forward(self, inputs: Tensor, packing: Packing) -> Tensor:
        """Inputs [N, D] -> context [N, 2H]."""
        states: Tensor = self.gru(inputs, packing)
        return states
