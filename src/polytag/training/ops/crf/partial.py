"""The fast form of the loss of partly annotated sentences: two log-partitions, with gradients in closed form.

The contract is `polytag.training.ops.crf.reference.partial_softmax_margin`. Batches with every tag known never come
here.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from polytag.training.ops.crf import cpu


def partial_softmax_margin(
    emissions: Tensor,
    allowed: Tensor,
    transitions: Tensor,
    start: Tensor,
    batch_sizes: Sequence[int],
    *,
    margin: float = 0.0,
) -> Tensor:
    """Loss of each sentence, [B]; see `polytag.training.ops.crf.reference.partial_softmax_margin`."""
    costed = emissions + margin * (~allowed).to(emissions.dtype)
    agreeing = emissions.masked_fill(~allowed, -torch.inf)
    sizes = tuple(batch_sizes)
    return _log_partition(costed, transitions, start, sizes) - _log_partition(agreeing, transitions, start, sizes)


def _log_partition(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: tuple[int, ...]) -> Tensor:
    """Log-partition of each sequence, [B], with gradients; -inf forbids a tag at a row, where another is left."""
    total: Tensor = _LogPartition.apply(emissions, transitions, start, batch_sizes)  # type: ignore[no-untyped-call]
    return total


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: tuple[int, ...]
    ) -> Tensor:
        alpha = cpu._alpha(emissions, transitions, start, batch_sizes)
        log_z = torch.logsumexp(alpha[cpu.last_rows(batch_sizes, alpha.device)], dim=1)
        ctx.save_for_backward(emissions, transitions, alpha, log_z)
        ctx.batch_sizes = batch_sizes
        return log_z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        emissions, transitions, alpha, log_z = ctx.saved_tensors
        first = ctx.batch_sizes[0] if ctx.batch_sizes else 0
        sequence = cpu._sequence_of_row(ctx.batch_sizes, alpha.device)
        previous = cpu._previous_rows(ctx.batch_sizes, alpha.device)
        weight = grad_outputs[0][sequence, None]  # N 1
        beta = cpu._beta(emissions, transitions, ctx.batch_sizes)
        d_emissions = (alpha + beta - log_z[sequence, None]).exp_().mul_(weight)
        suffix = (emissions + beta)[first:]
        d_transitions = cpu._pair_sum(alpha[previous], transitions, suffix, log_z[sequence[first:]], weight[first:])
        return d_emissions, d_transitions, d_emissions[:first].sum(0), None
