"""What the fast code is held against: a CRF that scores every path one by one, and ragged batches packed by hand.

Nothing here shares code with the package, and nothing is clever: K tags and T words give K to the T paths.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import torch
from torch import Tensor


@dataclass(frozen=True)
class Packing:
    """Where the rows of a ragged batch lie; sequences are sorted by length, longest first, ties in the given order.

    Attributes:
        lengths: of each sequence, in packed order.
        order: the place in the caller's list of each packed sequence.
        batch_sizes: running sequences at each step.
        rows: the packed rows of each sequence, in order of position, in packed order.
        reverse: ``[N]`` the row of the mirrored position in the same sequence.
    """

    lengths: tuple[int, ...]
    order: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    rows: tuple[Tensor, ...]
    reverse: Tensor

    @property
    def n(self) -> int:
        """Rows in all."""
        return sum(self.lengths)


def packing(lengths: Sequence[int]) -> Packing:
    """Pack sequences of these lengths, each at least 1."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    ranked = tuple(lengths[i] for i in order)
    batch_sizes = tuple(sum(length > t for length in ranked) for t in range(max(ranked, default=0)))
    row_of = {
        (t, b): row for row, (t, b) in enumerate((t, b) for t, size in enumerate(batch_sizes) for b in range(size))
    }
    reverse = [row_of[ranked[b] - 1 - t, b] for t, b in row_of]
    rows = tuple(torch.tensor([row_of[t, b] for t in range(length)]) for b, length in enumerate(ranked))
    return Packing(ranked, tuple(order), batch_sizes, rows, torch.tensor(reverse, dtype=torch.long))


def pack(sequences: Sequence[Tensor], packed: Packing) -> Tensor:
    """Rows ``[N, ...]`` of sequences ``[T, ...]`` in the caller's order."""
    out = sequences[0].new_empty(packed.n, *sequences[0].shape[1:])
    for rows, index in zip(packed.rows, packed.order, strict=True):
        out[rows] = sequences[index]
    return out


def unpack(rows: Tensor, packed: Packing) -> list[Tensor]:
    """The inverse of `pack`: a list of ``[T, ...]`` in the caller's order."""
    by_index = {index: rows[own] for own, index in zip(packed.rows, packed.order, strict=True)}
    return [by_index[index] for index in sorted(by_index)]


def poisoned(tensor: Tensor) -> Tensor:
    """The same values as a view into a larger storage of NaN: whoever reads beside the view reads NaN."""
    storage = tensor.new_full([size + 4 for size in tensor.shape], torch.nan)
    view = storage[tuple(slice(2, 2 + size) for size in tensor.shape)]
    return view.copy_(tensor)


@dataclass(frozen=True)
class Chain:
    """Scores of a batch: ``emissions`` [N, K], ``transitions`` [K, K] from row to column, ``start`` [K]."""

    packed: Packing
    emissions: Tensor
    transitions: Tensor
    start: Tensor

    def paths(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All tag paths ``[K^T, T]`` of each sequence and their scores ``[K^T]``, in packed order."""
        for rows in self.packed.rows:
            tags = all_paths(len(rows), self.emissions.shape[1])
            yield tags, self._score(rows, tags)

    def score(self, tags: Tensor) -> Tensor:
        """Score of one path for each sequence, [B]; ``tags`` [N]."""
        return _stack(self._score(rows, tags[rows][None])[0] for rows in self.packed.rows)

    def log_partition(self) -> Tensor:
        return _stack(scores.logsumexp(0) for _, scores in self.paths())

    def softmax_margin(self, gold: Tensor, margin: float) -> Tensor:
        """Minus the gold score plus the log-sum of score and ``margin`` times the words a path gets wrong, [B]."""
        costed = (
            (scores + margin * (tags != gold[rows]).sum(1)).logsumexp(0)
            for rows, (tags, scores) in zip(self.packed.rows, self.paths(), strict=True)
        )
        return _stack(costed) - self.score(gold)

    def marginals(self) -> Tensor:
        """Probability of each tag at each row, [N, K]: the summed probabilities of the paths that pass."""
        out = torch.zeros_like(self.emissions)
        for rows, (tags, scores) in zip(self.packed.rows, self.paths(), strict=True):
            hits = torch.nn.functional.one_hot(tags, self.emissions.shape[1]).to(scores.dtype)
            out[rows] = torch.einsum("p,ptk->tk", scores.softmax(0), hits)
        return out

    def best(self) -> tuple[Tensor, Tensor]:
        """The best path, [N], and its score, [B]."""
        best = torch.zeros(self.packed.n, dtype=torch.long)
        totals = []
        for rows, (tags, scores) in zip(self.packed.rows, self.paths(), strict=True):
            best[rows] = tags[scores.argmax()]
            totals.append(scores.max())
        return best, _stack(totals)

    def _score(self, rows: Tensor, tags: Tensor) -> Tensor:
        scores = self.start[tags[:, 0]] + self.emissions[rows].expand(len(tags), -1, -1).gather(
            2, tags[:, :, None]
        ).sum((1, 2))
        return scores + self.transitions[tags[:, :-1], tags[:, 1:]].sum(1)


@cache
def all_paths(length: int, n_tags: int) -> Tensor:
    """Every tag sequence of ``length`` words, ``[n_tags ** length, length]``."""
    return torch.tensor(list(product(range(n_tags), repeat=length)))


def random_chain(
    lengths: Sequence[int],
    n_tags: int,
    *,
    seed: int = 0,
    scale: float = 1.0,
    dtype: torch.dtype = torch.float64,
    draw: Callable[..., Tensor] = torch.randn,
) -> Chain:
    """A batch of random scores times ``scale``."""
    generator = torch.Generator().manual_seed(seed)
    packed = packing(lengths)
    shapes = ((packed.n, n_tags), (n_tags, n_tags), (n_tags,))
    return Chain(packed, *(draw(shape, generator=generator, dtype=dtype) * scale for shape in shapes))


def _stack(values: Iterator[Tensor] | list[Tensor]) -> Tensor:
    return torch.stack(list(values))
