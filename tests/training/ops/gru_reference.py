"""The bidirectional GRU layer as the paper writes it: one sequence at a time, one step at a time. The specification.

Slow and plain on purpose; every fast form has the same signature and is tested against this one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Multiply = Callable[[Tensor, Tensor], Tensor]


def gru(
    x: Tensor,
    input_weight: Tensor,
    recurrent_weight: Tensor,
    bias: Tensor | None,
    batch_sizes: Sequence[int],
    reverse: Tensor,
    *,
    reset_after: bool = False,
    precision: str = "float32",
) -> Tensor:
    """As `polytag.training.ops.gru.gru`, one sequence and one step at a time."""
    del reverse
    multiply = MULTIPLY[precision]
    offsets = [0]
    for size in batch_sizes:
        offsets.append(offsets[-1] + size)
    states: list[list[Tensor]] = [[], []]
    rows: list[int] = []
    for sequence in range(batch_sizes[0] if len(batch_sizes) else 0):
        steps = [offsets[t] + sequence for t, size in enumerate(batch_sizes) if sequence < size]
        rows += steps
        for direction, order in enumerate((steps, steps[::-1])):
            h = x.new_zeros(recurrent_weight.shape[1])
            seen: list[Tensor] = []
            for row in order:
                h = _cell(x[row], h, input_weight[direction], recurrent_weight[direction],
                          None if bias is None else bias[direction], multiply, reset_after=reset_after)  # fmt: skip
                seen.append(h)
            states[direction] += seen if direction == 0 else seen[::-1]
    if not rows:
        return x.new_zeros(0, 2 * recurrent_weight.shape[1])
    packed = torch.cat([torch.stack(direction) for direction in states], dim=1)
    return packed[torch.tensor(rows, device=x.device).argsort()]


def _cell(
    x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor | None, multiply: Multiply, *, reset_after: bool
) -> Tensor:
    """One step: ``x`` [D], ``h`` [H] -> the next state [H]."""
    from_x = multiply(x, w) if b is None else multiply(x, w) + b
    x_r, x_z, x_c = from_x.chunk(3)
    u_r, u_z, u_c = u.chunk(3, dim=1)
    r = torch.sigmoid(x_r + multiply(h, u_r))
    z = torch.sigmoid(x_z + multiply(h, u_z))
    c = torch.tanh(x_c + (r * multiply(h, u_c) if reset_after else multiply(r * h, u_c)))
    return z * h + (1 - z) * c


class _Rounded(torch.autograd.Function):
    """A row times a matrix, all that enters the product and its gradients rounded to bfloat16."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return _rounded(a) @ _rounded(b)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor]:
        (a, b), grad = ctx.saved_tensors, _rounded(grad_outputs[0])
        return grad @ _rounded(b).T, torch.outer(_rounded(a), grad)


def _rounded(x: Tensor) -> Tensor:
    return x.bfloat16().to(x.dtype)


MULTIPLY: Mapping[str, Multiply] = {"float32": torch.matmul, "bfloat16": _Rounded.apply}
