"""A stack of bidirectional GRU layers over packed rows; characters and words each have one."""

import torch
from torch import Tensor, nn

from polytag.training import ops
from polytag.training.batch import Packing
from polytag.training.randomness import dropout
from polytag.plan import Chars, Words


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
        self._packed: list[ops.PackedLayer] = []

    def pack(self, precision: ops.Precision | None) -> None:
        """Pack copies of the weights for `forward` outside training (None: use the weights as they are).

        They do not follow the weights: pack again after a change. The precision must be one that
        `polytag.training.ops.supports`.
        """
        if precision is None:
            self._packed = []
            return
        biases = list(self.bias) or [None] * len(self.input_weight)
        self._packed = [
            ops.PackedLayer(w, u, b, reset_after=self.reset_after, precision=precision)
            for w, u, b in zip(self.input_weight, self.recurrent_weight, biases, strict=True)
        ]

    def forward(self, x: Tensor, packing: Packing, generator: torch.Generator | None = None) -> Tensor:
        """``generator`` draws dropout, which there is none without."""
        if self._packed and not torch.is_grad_enabled() and not self.training:
            for packed in self._packed:
                x = packed(x, packing.batch_sizes)
            return x
        for layer, (w, u) in enumerate(zip(self.input_weight, self.recurrent_weight, strict=True)):
            x = dropout(x, self.dropout, generator)
            bias = self.bias[layer] if len(self.bias) else None
            x = ops.gru(
                x, w, u, bias, packing.batch_sizes, packing.reverse,
                reset_after=self.reset_after, precision=self.precision,
            )  # fmt: skip
        return x
