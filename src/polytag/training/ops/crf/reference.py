"""The linear-chain CRF as the paper writes it: one sequence at a time. The specification.

The sum over paths and the best path are one scan over two semirings: `torch.logsumexp` or the maximum in place of
"plus". Marginals and the best path are gradients of that scan, so there is nothing else to get wrong.

All functions take packed rows (see `polytag.training.ops.gru.reference`): ``emissions`` [N, K], ``transitions`` [K, K] from row
tag to column tag, ``start`` [K] the transition from START, ``batch_sizes``; results per sequence are [B], packed order.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

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
        agreeing = scan(scores.masked_fill(wrong, -torch.inf), transitions, start, _log_sum)
        losses.append(scan(scores + margin * wrong.to(scores.dtype), transitions, start, _log_sum) - agreeing)
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


def nbest(
    emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int], *, k: int
) -> tuple[Tensor, Tensor]:
    """The ``k`` best tag sequences, [N, R], and their scores, [B, R], best first; scores of -inf forbid.

    R is k, or less where no sequence has as many. A sequence that has fewer than R ends with scores of -inf, whose
    tags mean nothing.
    """
    found = [_best_paths(emissions[rows], transitions, start, k) for rows in sequences(batch_sizes, emissions.device)]
    width = max((len(paths) for paths in found), default=0)
    tags = torch.zeros(emissions.shape[0], width, dtype=torch.long, device=emissions.device)
    scores = emissions.new_full((len(found), width), -torch.inf)
    for sequence, rows in enumerate(sequences(batch_sizes, emissions.device)):
        for rank, (score, path) in enumerate(found[sequence]):
            scores[sequence, rank], tags[rows, rank] = score, torch.tensor(path, device=tags.device)
    return tags, scores


def _best_paths(emissions: Tensor, transitions: Tensor, start: Tensor, k: int) -> list[tuple[Tensor, list[int]]]:
    """The best paths of one sequence with their scores: the best of each tag are among the best that it extends."""

    def best(paths: Iterable[tuple[Tensor, list[int]]]) -> list[tuple[Tensor, list[int]]]:
        return sorted(paths, key=lambda scored: -float(scored[0]))[:k]

    tags = range(emissions.shape[1])
    ends = [[(start[tag] + emissions[0, tag], [tag])] for tag in tags]
    for row in emissions[1:]:
        prefixes = [prefix for paths in ends for prefix in paths]
        ends = [best((s + transitions[path[-1], tag] + row[tag], [*path, tag]) for s, path in prefixes) for tag in tags]
    return [scored for scored in best(scored for paths in ends for scored in paths) if scored[0] > -torch.inf]


def entropy(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """Entropy in nats of the distribution over tag sequences, [B]: the log-partition less the expected score."""
    found = []
    for rows in sequences(batch_sizes, emissions.device):
        with torch.enable_grad():
            # For -inf a number whose exponential is 0 as well: gradients of a sum of nothing but -inf are not numbers.
            given = (emissions[rows], transitions, start)
            leaves = [scores.detach().clamp(min=-1e30).requires_grad_() for scores in given]
            total = scan(leaves[0], leaves[1], leaves[2], _log_sum)
            shares = torch.autograd.grad(total, leaves, materialize_grads=True)
        expected = [(share * leaf.detach()).sum() for share, leaf in zip(shares, leaves, strict=True)]
        found.append(total.detach() - sum(expected))
    return torch.stack(found) if found else emissions.new_zeros(0)


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
