"""What reads sequences: characters -> one vector per word -> context (paper, sections 3.1 and 3.2)."""

from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from polytag.model.shapes import GATES, recurrence
from polytag.plan.parts import Chars, Words
from polytag.plan.training import Initialisation
from polytag.training import ops
from polytag.training.batch import Characters, Packing
from polytag.training.randomness import dropout, fresh_embedding, hide_rare


class RecurrentStack(nn.Module):
    """Each layer reads the states of the one below: ``[N, D]`` -> ``[N, 2H]`` (paper, section 3.1)."""

    def __init__(self, inputs: int, settings: Chars | Words, *, std: float, generator: torch.Generator) -> None:
        """``inputs`` is the width D of the lowest layer's input, ``std`` that of all matrices at the start."""
        super().__init__()
        self.hidden, self.dropout = settings.hidden, settings.dropout
        self.cell, across = settings.cell, GATES[recurrence(settings)] * settings.hidden
        hidden, widths = settings.hidden, [inputs] + [2 * settings.hidden] * (settings.layers - 1)

        def fresh(rows: int) -> Tensor:
            return torch.randn(2, rows, across, generator=generator) * std

        self.input_weight = nn.ParameterList([fresh(width) for width in widths])
        self.recurrent_weight = nn.ParameterList([fresh(hidden) for _ in widths])
        self.bias = nn.ParameterList([_fresh_bias(settings, across) for _ in widths] if settings.bias else [])
        self.precision: ops.Precision = "float32"  # of products while training

    def forward(
        self, x: Tensor, packing: Packing, generator: torch.Generator | None = None, *, layers: int | None = None
    ) -> Tensor:
        """The states of the highest of so many ``layers``, or of all; ``generator`` draws dropout, if there is one."""
        gru = partial(ops.gru, reset_after=self.cell == "reset_after", precision=self.precision)
        layer_of = ops.lstm if self.cell == "lstm" else gru
        weights = [*zip(self.input_weight, self.recurrent_weight, strict=True)]
        for layer, (w, u) in enumerate(weights[:layers]):
            x = dropout(x, self.dropout, generator)
            bias = self.bias[layer] if len(self.bias) else None
            x = layer_of(x, w, u, bias, packing.batch_sizes, packing.reverse)
        return x


def _fresh_bias(settings: Chars | Words, across: int) -> Tensor:
    """[2, G H]: 0, but 1 for the forget gates of an LSTM, so that it remembers at the start."""
    bias = torch.zeros(2, across)
    if settings.cell == "lstm":
        bias[:, settings.hidden : 2 * settings.hidden] = 1.0
    return bias


class _Encoder(nn.Module):
    """Has a `RecurrentStack` by the name of what it is, as its weights are named."""

    def __init__(self, settings: Chars | Words) -> None:
        super().__init__()
        self._recurrence = recurrence(settings)

    @property
    def stack(self) -> RecurrentStack:
        """The recurrent layers."""
        return cast(RecurrentStack, self.get_submodule(self._recurrence))


class CharEncoder(_Encoder):
    """Character embedding and character GRU; each distinct word of a batch is computed once."""

    def __init__(self, settings: Chars, characters: int, start: Initialisation, generator: torch.Generator) -> None:
        super().__init__(settings)
        self.embedding = fresh_embedding(characters, settings.dimension, std=start.chars, generator=generator)
        stack = RecurrentStack(settings.dimension, settings, std=start.gru, generator=generator)
        self.add_module(self._recurrence, stack)

    def distinct(self, characters: Characters, generator: torch.Generator | None = None) -> Tensor:
        """[U, 2H]: the last state of the top forward GRU beside the first state of the top backward GRU."""
        states = self.stack(self.embedding(characters.ids), characters.packing, generator)
        words, hidden = len(characters.packing.lengths), self.stack.hidden
        return torch.cat((states[characters.packing.last_rows, :hidden], states[:words, hidden:]), dim=1)

    def forward(self, characters: Characters, generator: torch.Generator | None = None) -> Tensor:
        """[N, 2H]: the character vector of each word of the batch."""
        return self.distinct(characters, generator).index_select(0, characters.word)


class WordEncoder(_Encoder):
    """Word embedding and word GRU; either the embedding or the characters may be left out."""

    rarity: Tensor | None  # of each word, the probability that it is read as unknown while training

    def __init__(
        self, settings: Words, words: int, char_width: int, start: Initialisation, generator: torch.Generator
    ) -> None:
        super().__init__(settings)
        self.embedding = None
        self.register_buffer("rarity", None, persistent=False)
        if settings.embedding:
            # Sparse: a step moves only the rows of its own words, and the rest of a large table costs nothing.
            self.embedding = fresh_embedding(
                words, settings.dimension, std=start.words, generator=generator, sparse=True
            )
        inputs = char_width + (settings.dimension if settings.embedding else 0)
        self.add_module(self._recurrence, RecurrentStack(inputs, settings, std=start.gru, generator=generator))

    def up_to(self, layers: int) -> nn.ModuleList:
        """The weights that a task uses which reads the highest of so many layers."""
        tables = (self.stack.input_weight, self.stack.recurrent_weight, self.stack.bias)
        recurrent = nn.ParameterList(weight for table in tables for weight in list(table)[:layers])
        return nn.ModuleList([recurrent, *([] if self.embedding is None else [self.embedding])])

    def inputs(self, words: Tensor, characters: Tensor | None, generator: torch.Generator | None = None) -> Tensor:
        """Word indices [N] and character vectors [N, C] -> inputs of the word GRU, [N, D]."""
        words = hide_rare(words, self.rarity, generator)
        embedded = None if self.embedding is None else self.embedding(words)
        return torch.cat([part for part in (characters, embedded) if part is not None], dim=1)

    def forward(
        self, inputs: Tensor, packing: Packing, generator: torch.Generator | None = None, *, layers: int | None = None
    ) -> Tensor:
        """Inputs [N, D] -> context [N, 2H], the states of the highest of so many ``layers``, or of all."""
        states: Tensor = self.stack(inputs, packing, generator, layers=layers)
        return states
