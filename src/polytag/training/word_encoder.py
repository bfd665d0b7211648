"""Words with their character vectors -> context (paper, sections 3.2.1 and 3.2.2)."""

import torch
from torch import Tensor, nn

from polytag.plan import Initialisation, Words
from polytag.training.batch import Packing
from polytag.training.gru_stack import GruStack
from polytag.training.randomness import fresh_embedding


class WordEncoder(nn.Module):
    """Word embedding and word GRU; either the embedding or the characters may be left out."""

    def __init__(
        self, settings: Words, words: int, char_width: int, start: Initialisation, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.embedding = None
        if settings.embedding:
            # Sparse: a step moves only the rows of its own words, and the rest of a large table costs nothing.
            self.embedding = fresh_embedding(
                words, settings.dimension, std=start.words, generator=generator, sparse=True
            )
        inputs = char_width + (settings.dimension if settings.embedding else 0)
        self.gru = GruStack(inputs, settings, std=start.gru, generator=generator)

    def inputs(self, words: Tensor, characters: Tensor | None) -> Tensor:
        """Word indices [N] and character vectors [N, C] -> inputs of the word GRU, [N, D]."""
        embedded = None if self.embedding is None else self.embedding(words)
        return torch.cat([part for part in (characters, embedded) if part is not None], dim=1)

    def forward(self, inputs: Tensor, packing: Packing, generator: torch.Generator | None = None) -> Tensor:
        """Inputs [N, D] -> context [N, 2H]."""
        states: Tensor = self.gru(inputs, packing, generator)
        return states
