"""What a network draws at random: from a generator of its caller's own.

PyTorch's is one for the whole process. Trainings in several threads would draw from it in turn, and each would get
other weights than alone.
"""

import torch
from torch import Tensor, nn

from polytag.vocabulary.vocabularies import UNKNOWN

_LOWEST, _DRAWS = -(1 << 15), 1 << 16  # of 16 bits with a sign


def dropout(x: Tensor, rate: float, generator: torch.Generator | None) -> Tensor:
    """Hide each value with probability ``rate`` and scale up the others; without a generator nothing is hidden.

    Four values share a draw, 16 bits for each: PyTorch draws one for each, in four times the time.
    """
    if generator is None or not rate:
        return x
    drawn = torch.empty((x.numel() + 3) // 4, dtype=torch.int64, device=x.device)
    drawn.random_(torch.iinfo(torch.int64).min, None, generator=generator)
    least = _LOWEST + min(round(rate * _DRAWS), _DRAWS - 1)  # of what is kept
    kept = drawn.view(torch.int16)[: x.numel()].view(x.shape) >= least
    return x * kept.to(x.dtype).mul_(1 / (1 - rate))


def hide_rare(ids: Tensor, rarity: Tensor | None, generator: torch.Generator | None) -> Tensor:
    """Read each as unknown with its probability (Kiperwasser and Goldberg 2016); without a generator none is."""
    if generator is None or rarity is None:
        return ids
    return ids.masked_fill(torch.rand(ids.shape, device=ids.device, generator=generator) < rarity[ids], UNKNOWN)


def fresh_embedding(
    rows: int, dimension: int, *, std: float, generator: torch.Generator, sparse: bool = False
) -> nn.Embedding:
    """A table of vectors from a normal distribution.

    It is drawn twice, as nn.Embedding and a second draw over its own did: what is drawn later depends on it.
    """
    weight = nn.init.normal_(torch.empty(rows, dimension), generator=generator)
    nn.init.normal_(weight, std=std, generator=generator)
    table: nn.Embedding = nn.Embedding.from_pretrained(weight, freeze=False, sparse=sparse)  # type: ignore[no-untyped-call]
    return table


def fresh_weights(*shape: int, generator: torch.Generator) -> Tensor:
    """Weights from the uniform distribution of Glorot and Bengio (2010)."""
    return nn.init.xavier_uniform_(torch.empty(shape), generator=generator)
