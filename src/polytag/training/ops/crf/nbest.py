"""The K best tag sequences: Viterbi that keeps as many prefixes of each tag as may still be wanted.

The contract is that of `polytag.training.ops.crf.reference.nbest`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

_PAIR_BLOCK = 1 << 22  # prefixes of pairs of tags held at once: 32 MiB of float64


@torch.no_grad()
def nbest(
    emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int], *, k: int
) -> tuple[Tensor, Tensor]:
    """The best tag sequences [N, R] and their scores [B, R]; see `polytag.training.ops.crf.reference.nbest`.

    The first ones are those of `polytag.training.ops.crf.cpu.viterbi`, ties included.
    """
    if not len(batch_sizes):
        return torch.empty(0, 0, dtype=torch.long, device=emissions.device), emissions.new_empty(0, 0)
    rows = torch.split(emissions, list(batch_sizes))
    scores = (start + rows[0])[:, :, None]  # b K r: of the r best prefixes that end in each tag
    widths, pointers, ended = [1], [], []
    for row in rows[1:]:
        ended.append(_best(scores[len(row) :].flatten(1), k))
        scores, pointer = _extended(scores[: len(row)], transitions, k)
        scores = scores + row[:, :, None]
        widths.append(scores.shape[2])
        pointers.append(pointer)
    ended.append(_best(scores.flatten(1), k))
    totals, places = _stacked(ended)
    return _followed(places, pointers, widths, batch_sizes), totals


def _extended(scores: Tensor, transitions: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The best prefixes of each tag one word on, [b, K, r'], and the place of each in the [K * r] it extends."""
    _, tags, width = scores.shape
    to_from = transitions.T.repeat_interleave(width, dim=1)
    found = [
        _best((some.flatten(1)[:, None, :] + to_from).flatten(0, 1), k)
        for some in torch.split(scores, max(1, _PAIR_BLOCK // to_from.numel()))
    ]
    values, places = (torch.cat(parts) for parts in zip(*found, strict=True))
    return values.view(-1, tags, values.shape[1]), places.view(-1, tags, places.shape[1])


def _best(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row and their places, largest first; of several largest the first one leads."""
    values, places = scores.topk(min(k, scores.shape[1]))
    if k == 1:
        return values, scores.argmax(1, keepdim=True)
    tied = (values[:, :1] == values[:, 1:2]).any(1).nonzero()[:, 0]  # of which topk takes any
    first = scores[tied].argmax(1, keepdim=True)
    others = places[tied]
    others = others.where(others != first, others[:, :1])
    others[:, :1] = first
    places[tied] = others
    return values, places


def _stacked(ended: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """What each sequence ended with, [B, R]: the longest sequences, which ended last, stand first."""
    widest = ended[-1][0].shape[1]
    scores, places = zip(*reversed(ended), strict=True)

    def widened(parts: Sequence[Tensor], fill: float) -> Tensor:
        pad = torch.nn.functional.pad
        return torch.cat([pad(part, (0, widest - part.shape[1]), value=fill) for part in parts])

    return widened(scores, -torch.inf), widened(places, 0)


def _followed(places: Tensor, pointers: list[Tensor], widths: list[int], batch_sizes: Sequence[int]) -> Tensor:
    """The tags on the way back from the places [B, R] that the sequences ended in, [N, R]."""
    places = places.clone()
    found: list[Tensor] = []
    for step in reversed(range(len(batch_sizes))):
        running = places[: batch_sizes[step]]
        found.append(running // widths[step])
        if step:
            running.copy_(pointers[step - 1].flatten(1).gather(1, running))
    return torch.cat(found[::-1])
