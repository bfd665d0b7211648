"""A stack of bidirectional GRU layers over packed rows; characters and words each have one."""

import torch
from torch import Tensor, nn

from polytag.plan import Chars, Words
from polytag.training import ops
from polytag.training.batch import Packing
from polytag.training.randomness import dropout


class GruStack(nn.Module):
    """Each layer reads the states of the one below: ``[N, D]`` -> ``[N, 2H]`` (paper, section 3.1)."""

    def __init__(self, inputs: int, settings: Chars | Words, *, std: float, generator: torch.Generator) -> None:
        """``inputs`` is the width D of the lowest layer's input, ``std`` that of all matrices at the start."""
        super().__init__()
        self.hidden, self.dropout = settings.hidden, settings.dropout
        self.reset_after = settings.cell == "reset_after"
        hidden, widths = settings.hidden, [inputs] + [2 * settings.hidden] * (settings.layers - 1)

        def fresh(rows: int) -> Tensor:
            return torch.randn(2, rows, 3 * hidden, generator=generator) * std

        self.input_weight = nn.ParameterList([fresh(width) for width in widths])
        self.recurrent_weight = nn.ParameterList([fresh(hidden) for _ in widths])
        self.bias = nn.ParameterList([torch.zeros(2, 3 * hidden) for _ in widths] if settings.bias else [])
        self.precision: ops.Precision = "float32"  # of products while training

    def forward(self, x: Tensor, packing: Packing, generator: torch.Generator | None = None) -> Tensor:
        """``generator`` draws dropout, which there is none without."""
        for layer, (w, u) in enumerate(zip(self.input_weight, self.recurrent_weight, strict=True)):
            x = dropout(x, self.dropout, generator)
            bias = self.bias[layer] if len(self.bias) else None
            x = ops.gru(
                x, w, u, bias, packing.batch_sizes, packing.reverse,
                reset_after=self.reset_after, precision=self.precision,
            )  # fmt: skip
        return x
