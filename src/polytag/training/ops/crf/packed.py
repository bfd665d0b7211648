"""The fast form of the losses of a CRF in tensors: all sequences of a batch advance together.

Each loss is a log-partition, whose gradients are in closed form, less the score of what is gold.

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
    gold = emissions.gather(1, tags[:, None])
    costed = (emissions + margin).scatter(1, tags[:, None], gold)  # the gold tag costs nothing
    log_z = _log_partition(costed, transitions, start, batch_sizes)
    previous, first = _previous_rows(batch_sizes, tags.device), len(log_z)
    steps = torch.cat((start[tags[:first]], transitions[tags[previous], tags[first:]]))
    return log_z.index_add(0, _sequence_of_row(batch_sizes, tags.device), gold.squeeze(1) + steps, alpha=-1)


def partial_softmax_margin(
    emissions: Tensor,
    allowed: Tensor,
    transitions: Tensor,
    start: Tensor,
    batch_sizes: Sequence[int],
    *,
    margin: float = 0.0,
) -> Tensor:
    """Loss of each sequence, [B]; see `polytag.training.ops.crf.reference.partial_softmax_margin`."""
    costed = emissions + margin * (~allowed).to(emissions.dtype)
    agreeing = emissions.masked_fill(~allowed, -torch.inf)
    all_, right = (_log_partition(scores, transitions, start, batch_sizes) for scores in (costed, agreeing))
    return all_ - right


def _log_partition(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """Log-partition of each sequence, [B], with gradients; -inf forbids a tag at a row, where another is left."""
    total: Tensor = _LogPartition.apply(emissions, transitions, start, tuple(batch_sizes))  # type: ignore[no-untyped-call]
    return total


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: tuple[int, ...]
    ) -> Tensor:
        alpha = _alpha(emissions, transitions, start, batch_sizes)
        log_z = torch.logsumexp(alpha[_last_rows(batch_sizes, alpha.device)], dim=1)
        ctx.save_for_backward(emissions, transitions, alpha, log_z)
        ctx.batch_sizes = batch_sizes
        return log_z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        emissions, transitions, alpha, log_z = ctx.saved_tensors
        first = len(log_z)
        sequence = _sequence_of_row(ctx.batch_sizes, alpha.device)
        previous = _previous_rows(ctx.batch_sizes, alpha.device)
        weight = grad_outputs[0][sequence, None]  # N 1
        beta = _beta(emissions, transitions, ctx.batch_sizes)
        d_emissions = (alpha + beta - log_z[sequence, None]).exp_().mul_(weight)
        suffix = (emissions + beta)[first:]
        d_transitions = _pair_sum(alpha[previous], transitions, suffix, log_z[sequence[first:]], weight[first:])
        return d_emissions, d_transitions, d_emissions[:first].sum(0), None


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


def _last_rows(batch_sizes: Sequence[int], device: torch.device) -> Tensor:
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
