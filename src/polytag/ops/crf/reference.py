"""The linear-chain CRF as the paper writes it: one sequence at a time. The specification.

The sum over paths and the best path are one scan over two semirings: `torch.logsumexp` or the maximum in place of
"plus". Marginals and the best path are gradients of that scan, so there is nothing else to get wrong.

All functions take packed rows (see `polytag.ops.gru.reference`): ``emissions`` [N, K], ``transitions`` [K, K] from row
tag to column tag, ``start`` [K] the transition from START, ``batch_sizes``; results per sequence are [B], packed order.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

Reduce = Callable[[Tensor], Tensor]


def softmax_margin(
    emissions: Tensor,
    tags: Tensor,
    transitions: Tensor,
    start: Tensor,
    batch_sizes: Sequence[int],
    *,
    margin: float = 0.0,
) -> Tensor:
    """Loss of each sequence, [B]: the negated objective of the paper's equation (2).

    The Hamming cost of a path is a sum over positions, so it is ``margin`` added to the emission of every wrong tag.
    ``margin=0`` gives the negative log-likelihood, equation (1). ``tags`` [N] holds the gold tags.
    """
    losses = []
    for rows in sequences(batch_sizes, emissions.device):
        scores, gold = emissions[rows], tags[rows]
        cost = margin * (1 - torch.nn.functional.one_hot(gold, scores.shape[1]).to(scores.dtype))
        path = scores.gather(1, gold[:, None]).sum() + start[gold[0]] + transitions[gold[:-1], gold[1:]].sum()
        losses.append(scan(scores + cost, transitions, start, _log_sum) - path)
    return torch.stack(losses) if losses else emissions.new_zeros(0)


def log_partition(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """Log of the summed exponentiated scores of all tag sequences, [B]."""
    parts = [scan(emissions[rows], transitions, start, _log_sum) for rows in sequences(batch_sizes, emissions.device)]
    return torch.stack(parts) if parts else emissions.new_zeros(0)


def marginals(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """Probability of each tag at each position, [N, K]: the gradient of the log-partition."""
    with torch.enable_grad():
        leaf = emissions.detach().requires_grad_()
        total = log_partition(leaf, transitions.detach(), start.detach(), batch_sizes).sum()
        return torch.autograd.grad(total, leaf)[0]


def viterbi(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Best tag sequence, [N], and its score, [B]; scores of -inf forbid."""
    best = torch.zeros(emissions.shape[0], dtype=torch.long, device=emissions.device)
    totals = []
    with torch.enable_grad():
        for rows in sequences(batch_sizes, emissions.device):
            leaf = emissions[rows].detach().requires_grad_()
            total = scan(leaf, transitions.detach(), start.detach(), _best)
            best[rows] = torch.autograd.grad(total, leaf)[0].argmax(1)
            totals.append(total.detach())
    return best, torch.stack(totals) if totals else emissions.new_zeros(0)


def scan(emissions: Tensor, transitions: Tensor, start: Tensor, reduce: Reduce) -> Tensor:
    """Reduce over all paths of one sequence; ``reduce`` [..., K] -> [...] is the semiring's "plus"."""
    scores = start + emissions[0]
    for row in emissions[1:]:
        scores = reduce((scores[:, None] + transitions).T) + row
    return reduce(scores)


def _log_sum(x: Tensor) -> Tensor:
    return torch.logsumexp(x, dim=-1)


def _best(x: Tensor) -> Tensor:
    return x.max(dim=-1).values  # not amax: its gradient is shared among ties, this one names a single path


def sequences(batch_sizes: Sequence[int], device: torch.device) -> Iterator[Tensor]:
    """The packed rows of each sequence, in order of position."""
    offsets = torch.tensor([0, *batch_sizes]).cumsum(0)
    for sequence in range(batch_sizes[0] if len(batch_sizes) else 0):
        length = sum(size > sequence for size in batch_sizes)
        yield (offsets[:length] + sequence).to(device)
