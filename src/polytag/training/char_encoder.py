"""Characters -> one vector per word (paper, section 3.2.1)."""

import torch
from torch import Tensor, nn

from polytag.plan import Chars, Initialisation
from polytag.training.batch import Characters
from polytag.training.gru_stack import GruStack
from polytag.training.randomness import fresh_embedding


class CharEncoder(nn.Module):
    """Character embedding and character GRU; each distinct word of a batch is computed once."""

    def __init__(self, settings: Chars, characters: int, start: Initialisation, generator: torch.Generator) -> None:
        super().__init__()
        self.embedding = fresh_embedding(characters, settings.dimension, std=start.chars, generator=generator)
        self.gru = GruStack(settings.dimension, settings, std=start.gru, generator=generator)

    def distinct(self, characters: Characters, generator: torch.Generator | None = None) -> Tensor:
        """[U, 2H]: the last state of the top forward GRU beside the first state of the top backward GRU."""
        states = self.gru(self.embedding(characters.ids), characters.packing, generator)
        words, hidden = len(characters.packing.lengths), self.gru.hidden
        return torch.cat((states[characters.packing.last_rows, :hidden], states[:words, hidden:]), dim=1)

    def forward(self, characters: Characters, generator: torch.Generator | None = None) -> Tensor:
        """[N, 2H]: the character vector of each word of the batch."""
        return self.distinct(characters, generator).index_select(0, characters.word)
