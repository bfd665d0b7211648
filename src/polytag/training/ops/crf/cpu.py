"""The fast CPU form of the loss of a CRF: all sequences of a batch advance together, gradients in closed form.

Scores stay logarithms between steps. Within a step a log-sum over pairs of tags is a matrix product of exponentials
where no transition is large enough to underflow (half the time at 17 tags, a fifth at 45), and plain logsumexp
otherwise. The contract is that of `polytag.training.ops.crf.reference`.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_PAIR_BLOCK = 1 << 22  # elements of [rows, K, K] held at once: 16 MiB of float32
# Largest |transition| to exponentiate. A log-sum's largest tag has factor 1, so the sum is at least exp(-30); what
# underflows in float32 (1e-38, times at most exp(30)) is below 1e-11 of that. It holds whatever the emissions are.
_SAFE_TO_EXPONENTIATE = 30.0


def softmax_margin(
    emissions: Tensor,
    tags: Tensor,
    transitions: Tensor,
    start: Tensor,
    batch_sizes: Sequence[int],
    *,
    margin: float = 0.0,
) -> Tensor:
    """Loss of each sequence, [B]; see `polytag.training.ops.crf.reference.softmax_margin`."""
    loss: Tensor = _SoftmaxMargin.apply(emissions, tags, transitions, start, tuple(batch_sizes), margin)  # type: ignore[no-untyped-call]
    return loss


class _SoftmaxMargin(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        tags: Tensor,
        transitions: Tensor,
        start: Tensor,
        batch_sizes: tuple[int, ...],
        margin: float,
    ) -> Tensor:
        gold = emissions.gather(1, tags[:, None])
        costed = emissions + margin
        costed.scatter_(1, tags[:, None], gold)  # the gold tag costs nothing
        alpha = _alpha(costed, transitions, start, batch_sizes)
        log_z = torch.logsumexp(alpha[last_rows(batch_sizes, alpha.device)], dim=1)
        previous = _previous_rows(batch_sizes, alpha.device)
        first = batch_sizes[0] if batch_sizes else 0
        steps = torch.cat((start[tags[:first]], transitions[tags[previous], tags[first:]]))
        sequence = _sequence_of_row(batch_sizes, alpha.device)
        path = torch.zeros_like(log_z).index_add_(0, sequence, gold.squeeze(1) + steps)
        ctx.save_for_backward(costed, tags, transitions, alpha, log_z, sequence, previous)
        ctx.batch_sizes = batch_sizes
        return log_z - path

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        costed, tags, transitions, alpha, log_z, sequence, previous = ctx.saved_tensors
        first = ctx.batch_sizes[0] if ctx.batch_sizes else 0
        beta = _beta(costed, transitions, ctx.batch_sizes)
        weight = grad_outputs[0][sequence, None]  # N 1
        d_emissions = (alpha + beta - log_z[sequence, None]).exp_()
        d_emissions.scatter_add_(1, tags[:, None], d_emissions.new_full((tags.shape[0], 1), -1.0))
        d_emissions.mul_(weight)
        d_start = d_emissions[:first].sum(0)
        d_transitions = _pair_sum(
            alpha[previous], transitions, (costed + beta)[first:], log_z[sequence[first:]], weight[first:]
        )
        flat = tags[previous] * transitions.shape[1] + tags[first:]
        d_transitions.view(-1).index_add_(0, flat, weight[first:, 0], alpha=-1)
        return d_emissions, None, d_transitions, d_start, None, None


def _alpha(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """Log score of all prefixes that end in each tag at each row, [N, K]."""
    alpha = torch.empty_like(emissions)
    if not len(batch_sizes):
        return alpha
    pass_on = _log_product(transitions)
    steps = zip(torch.split(emissions, list(batch_sizes)), torch.split(alpha, list(batch_sizes)), strict=True)
    emission, scores = next(steps)
    torch.add(emission, start, out=scores)
    for emission, out in steps:
        scores = torch.add(pass_on(scores[: len(out)]), emission, out=out)
    return alpha


def _beta(emissions: Tensor, transitions: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """Log score of all suffixes that follow each tag at each row, [N, K]; 0 at the last row of a sequence."""
    beta = torch.zeros_like(emissions)
    pass_on = _log_product(transitions.T)
    steps = list(zip(torch.split(emissions, list(batch_sizes)), torch.split(beta, list(batch_sizes)), strict=True))
    for (_, out), (emission, after) in reversed(list(pairwise(steps))):
        out[: len(after)] = pass_on(emission + after)
    return beta


def _log_product(transitions: Tensor) -> Callable[[Tensor], Tensor]:
    """The map from scores [b, K] of the row tags to log-sums of score plus transition [b, K] of the column tags."""
    if not safe_to_exponentiate(transitions):
        columns = transitions.T.contiguous()
        return lambda scores: torch.logsumexp(scores[:, None, :] + columns, dim=2)
    factors = transitions.exp()

    def product(scores: Tensor) -> Tensor:
        peak = scores.amax(1, keepdim=True)
        return ((scores - peak).exp_() @ factors).log_().add_(peak)

    return product


def safe_to_exponentiate(transitions: Tensor) -> bool:
    """Whether no transition is so large that its exponential would hide others."""
    return bool(transitions.abs().max() <= _SAFE_TO_EXPONENTIATE)


def _pair_sum(alpha: Tensor, transitions: Tensor, suffix: Tensor, log_z: Tensor, weight: Tensor) -> Tensor:
    """Expected number of uses of each transition, [K, K], over rows of ``weight`` [n, 1]."""
    if not safe_to_exponentiate(transitions):
        return _pair_sum_in_blocks(alpha, transitions, suffix, log_z, weight)
    peak_from, peak_to = alpha.amax(1, keepdim=True), suffix.amax(1, keepdim=True)
    scale = (peak_from + peak_to - log_z[:, None]).exp_() * weight  # the peaks pair up too: at most exp(30)
    return ((alpha - peak_from).exp_().T @ (suffix - peak_to).exp_().mul_(scale)).mul_(transitions.exp())


def _pair_sum_in_blocks(alpha: Tensor, transitions: Tensor, suffix: Tensor, log_z: Tensor, weight: Tensor) -> Tensor:
    """The same in log space; in blocks of rows, so that memory is bounded."""
    total = transitions.new_zeros(transitions.shape)
    block = max(1, _PAIR_BLOCK // transitions.numel())
    for begin in range(0, alpha.shape[0], block):
        rows = slice(begin, begin + block)
        pairs = alpha[rows, :, None] + transitions + suffix[rows, None, :]
        pairs.sub_(log_z[rows, None, None]).exp_()
        total += torch.einsum("nij,n->ij", pairs, weight[rows, 0])
    return total


def last_rows(batch_sizes: Sequence[int], device: torch.device) -> Tensor:
    """The last row of each sequence, [B]."""
    sizes = torch.tensor(batch_sizes, dtype=torch.long)
    if not len(sizes):
        return sizes.to(device)
    sequences = torch.arange(int(sizes[0]))
    lengths = torch.searchsorted(-sizes, -sequences)  # steps that run more than b sequences, for each b
    return ((sizes.cumsum(0) - sizes)[lengths - 1] + sequences).to(device)


def _sequence_of_row(batch_sizes: Sequence[int], device: torch.device) -> Tensor:
    """Which sequence each row belongs to, [N]."""
    sizes = torch.tensor(batch_sizes, dtype=torch.long)
    starts = torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)
    return (torch.arange(len(starts)) - starts).to(device)


def _previous_rows(batch_sizes: Sequence[int], device: torch.device) -> Tensor:
    """The row before each row of steps 1, 2, ... in the same sequence, [N - B]."""
    sizes = torch.tensor(batch_sizes, dtype=torch.long)
    if not len(sizes):
        return sizes.to(device)
    return (torch.arange(int(sizes[0]), int(sizes.sum())) - torch.repeat_interleave(sizes[:-1], sizes[1:])).to(device)
