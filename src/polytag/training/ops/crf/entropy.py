"""How much doubt a CRF leaves: the entropy of its distribution over tag sequences, without listing them.

The contract is that of `polytag.training.ops.crf.reference.entropy`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

_PAIR_BLOCK = 1 << 22  # elements of [rows, K, K] held at once: 32 MiB of float64


@torch.no_grad()
def entropy(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """Entropy in nats of each sequence's tag sequences, [B]; see `polytag.training.ops.crf.reference.entropy`.

    By the chain rule: the doubt about a prefix, given its last tag, is that about the tag before and what came
    before that. All terms are positive, so nothing cancels, as it would in log-partition less expected score.
    """
    if not len(batch_sizes):
        return emissions.new_empty(0)
    rows = torch.split(emissions, list(batch_sizes))
    scores = start + rows[0]  # b K: log score of all prefixes that end in each tag
    doubt = torch.zeros_like(scores)  # b K: entropy of these prefixes
    ended = []
    for row in rows[1:]:
        ended.append(_mixed(scores[len(row) :], doubt[len(row) :]))
        scores, doubt = _extended(scores[: len(row)], doubt[: len(row)], transitions)
        scores = scores + row
    ended.append(_mixed(scores, doubt))
    return torch.cat(ended[::-1])  # the longest sequences, which ended last, stand first


def _extended(scores: Tensor, doubt: Tensor, transitions: Tensor) -> tuple[Tensor, Tensor]:
    """Scores and doubt one word on, both [b, K]."""
    to_from = transitions.T
    found = []
    size = max(1, _PAIR_BLOCK // transitions.numel())
    for some, of_some in zip(torch.split(scores, size), torch.split(doubt, size), strict=True):
        pairs = some[:, None, :] + to_from
        found.append((pairs.logsumexp(2), _mixed(pairs, of_some[:, None, :])))
    values, doubts = zip(*found, strict=True)
    return torch.cat(values), torch.cat(doubts)


def _mixed(scores: Tensor, doubt: Tensor) -> Tensor:
    """Entropy of a mixture over the last dimension; 0 where all of it is forbidden."""
    shares = scores.softmax(-1).nan_to_num(0.0)
    mixed: Tensor = (shares * doubt + torch.special.entr(shares)).sum(-1)
    return mixed
