"""The loss of a linear-chain CRF as the paper writes it: one sequence at a time. The specification.

Its gradients are those of autograd, so there is nothing else to get wrong. All functions take packed rows (see
`polytag.training.ops.gru.gru`): ``emissions`` [N, K], ``transitions`` [K, K] from row tag to column tag,
``start`` [K] the transition from START, ``batch_sizes``; results per sequence are [B], packed order.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor


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
        losses.append(log_sum(scores + cost, transitions, start) - path)
    return torch.stack(losses) if losses else emissions.new_zeros(0)


def partial_softmax_margin(
    emissions: Tensor,
    allowed: Tensor,
    transitions: Tensor,
    start: Tensor,
    batch_sizes: Sequence[int],
    *,
    margin: float = 0.0,
) -> Tensor:
    """Loss of each sequence, [B], where a position's gold tag is any of a set: what is unknown is summed over.

    With A_t the tags that ``allowed`` [N, K] (true, at least once in a row) names at position t, s(y) the score of a
    path and kappa the margin:

        log sum over all y of exp(s(y) + kappa * #{t: y_t not in A_t})  -  log sum over y with y_t in A_t of exp(s(y))

    A tag that is allowed costs nothing, so an unknown position (all K allowed) never does: no tag is wrong there. One
    tag allowed everywhere is `softmax_margin`; all of them everywhere is a loss of 0, whatever the margin.
    """
    losses = []
    for rows in sequences(batch_sizes, emissions.device):
        scores, wrong = emissions[rows], ~allowed[rows]
        agreeing = log_sum(scores.masked_fill(wrong, -torch.inf), transitions, start)
        losses.append(log_sum(scores + margin * wrong.to(scores.dtype), transitions, start) - agreeing)
    return torch.stack(losses) if losses else emissions.new_zeros(0)


def log_sum(emissions: Tensor, transitions: Tensor, start: Tensor) -> Tensor:
    """Log of the summed exponentiated scores of all paths of one sequence."""
    scores = start + emissions[0]
    for row in emissions[1:]:
        scores = torch.logsumexp(scores[:, None] + transitions, dim=0) + row
    return torch.logsumexp(scores, dim=0)


def sequences(batch_sizes: Sequence[int], device: torch.device) -> Iterator[Tensor]:
    """The packed rows of each sequence, in order of position."""
    offsets = torch.tensor([0, *batch_sizes]).cumsum(0)
    for sequence in range(batch_sizes[0] if len(batch_sizes) else 0):
        length = sum(size > sequence for size in batch_sizes)
        yield (offsets[:length] + sequence).to(device)
