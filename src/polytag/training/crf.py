"""Context -> scores of tag sequences (paper, section 3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from polytag.training import ops
from polytag.training.batch import Batch, Packing
from polytag.corpus.schemes import allowed
from polytag.training.feature_crf import FeatureCrf
from polytag.training.randomness import dropout, fresh_weights
from polytag.plan import Tags
from polytag.vocabulary.vocabularies import TagVocabulary

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Confidence:
    """Probabilities of tag sequences under the CRF, in the caller's order of sentences; logarithms inside."""

    prefixes: Sequence[Floats]  # [T] each: score of all prefixes that end in the sequence's tag
    suffixes: Sequence[Floats]  # [T] each: score of all suffixes that follow it
    steps: Sequence[Floats]  # [T - 1] each: transition and emission from one word to the next
    totals: Floats  # B: log-partition

    def of_tags(self, sentence: int) -> Floats:
        """Marginal probability of each tag, [T]."""
        logs = self.prefixes[sentence] + self.suffixes[sentence] - self.totals[sentence]
        probabilities: Floats = np.exp(np.minimum(logs, 0.0))
        return probabilities

    def of_span(self, sentence: int, start: int, end: int) -> float:
        """Exact probability that the words from ``start`` to ``end`` (exclusive) carry just these tags."""
        log = self.prefixes[sentence][start] + self.steps[sentence][start : end - 1].sum()
        log += self.suffixes[sentence][end - 1] - self.totals[sentence]
        return float(np.exp(min(log, 0.0)))


@dataclass(frozen=True, eq=False)
class Candidates:
    """The best tag sequences of one sentence, best first."""

    tags: npt.NDArray[np.int64]  # R T
    probabilities: Floats  # R


@dataclass(frozen=True, eq=False)
class Lattice:
    """Everything that scores the tag sequences of a batch, as decoding sees it.

    Scores are divided by the ``temperature`` before they become probabilities; which sequence is best stays the same.
    """

    emissions: Tensor  # N K
    transitions: Tensor  # K K
    start: Tensor  # K
    packing: Packing
    temperature: float = 1.0

    def best(self) -> Tensor:
        """The best tag sequences, [N]."""
        return ops.crf.viterbi(self.emissions, self.transitions, self.start, self.packing.batch_sizes)[0]

    def nbest(self, k: int) -> list[Candidates]:
        """The ``k`` best tag sequences of each sentence, fewer where there are fewer, in the caller's order."""
        # From the scores as they are: rounding must not part sequences that tie.
        tags, found = ops.crf.nbest(*self._doubles(1.0), k=k)
        log_z = ops.crf.log_partition(*self._doubles(self.temperature))
        probabilities = self._in_order((found / self.temperature - log_z[:, None]).clamp(max=0.0).exp())
        paths = self.packing.unpack(tags.cpu().numpy())
        # A sequence may be possible and yet of a probability that is 0 in floating point.
        possible = self._in_order(found.isfinite().sum(1))
        return [
            Candidates(path[:, :count].T, shares[:count])
            for path, shares, count in zip(paths, probabilities, possible.tolist(), strict=True)
        ]

    def marginals(self) -> list[Floats]:
        """Probability of each tag at each word, [T, K] of each sentence, in the caller's order."""
        return self.packing.unpack(ops.crf.marginals(*self._doubles(self.temperature)).cpu().numpy())

    def entropy(self) -> Floats:
        """Entropy in nats of each sentence's distribution over tag sequences, [B] in the caller's order."""
        return self._in_order(ops.crf.entropy(*self._doubles(self.temperature)))

    def margin(self) -> Floats:
        """How much more probable the best tag sequence is than the second best, [B] in the caller's order."""
        return np.array([found.probabilities[0] - found.probabilities[1:].sum() for found in self.nbest(2)])

    @torch.no_grad()
    def loss(self, tags: Tensor) -> Tensor:
        """Negative log-likelihood of the given tag sequences [N], for each sentence, [B] in packed order."""
        emissions, transitions, start, batch_sizes = self._doubles(self.temperature)
        return ops.crf.softmax_margin(emissions, tags, transitions, start, batch_sizes)

    def confidence(self, tags: Tensor) -> Confidence:
        """How probable the given tag sequences [N] are, word by word and stretch by stretch."""
        emissions, transitions, start, batch_sizes = self._doubles(self.temperature)
        alpha, beta, log_z = ops.crf.forward_backward(emissions, transitions, start, batch_sizes)
        flat = [self.packing.unpack(x.gather(1, tags[:, None])[:, 0].cpu().numpy()) for x in (alpha, beta, emissions)]
        totals = self._in_order(log_z)
        moves = transitions.cpu().numpy()
        steps = [
            emission[1:] + moves[path[:-1], path[1:]]
            for emission, path in zip(flat[2], self.packing.unpack(tags.cpu().numpy()), strict=True)
        ]
        return Confidence(flat[0], flat[1], steps, totals)

    def _doubles(self, temperature: float) -> tuple[Tensor, Tensor, Tensor, tuple[int, ...]]:
        """What the kernels take: scores over the temperature, and batch sizes.

        Double precision: log scores grow with the words, and float32 is off by 0.001 at 200 words, 0.04 at 2,000.
        """
        emissions, transitions, start = (
            scores.detach().double() / temperature for scores in (self.emissions, self.transitions, self.start)
        )
        return emissions, transitions, start, self.packing.batch_sizes

    def _in_order(self, packed: Tensor) -> npt.NDArray[Any]:
        """Values of packed sequences [B, ...] in the caller's order."""
        values = packed.cpu().numpy()
        out = np.empty_like(values)
        out[self.packing.order] = values
        return out


class Crf(nn.Module):
    """Emission projection, optional gazetteer input, transitions and START scores of one tag part."""

    def __init__(self, settings: Tags, vocabulary: TagVocabulary, width: int, generator: torch.Generator) -> None:
        super().__init__()
        tags = len(vocabulary)
        fresh = partial(fresh_weights, generator=generator)
        self.dropout, self.constrained = settings.dropout, settings.constrained
        self.gazetteer_dropout = settings.gazetteer_dropout
        self.projection = nn.Parameter(fresh(width, tags))
        self.transitions = nn.Parameter(fresh(tags, tags))
        self.start = nn.Parameter(fresh(1, tags)[0])
        columns = len(vocabulary.gazetteer.tags) if vocabulary.gazetteer else 0
        self.gazetteer = nn.Parameter(fresh(columns, tags)) if columns else None
        self.features = FeatureCrf(vocabulary.features, tags) if vocabulary.features else None
        # -inf, not a large negative number: what is forbidden is impossible, at any scale of the other scores.
        for name, valid in zip(("valid_start", "valid_step", "valid_end"), _valid(vocabulary), strict=True):
            self.register_buffer(name, valid, persistent=False)
        self._packed: ops.PackedMatrix | None = None

    def pack(self, precision: ops.Precision | None) -> None:
        """Pack a copy of the projection for `projected` outside training, as `GruStack.pack` does."""
        self._packed = None if precision is None else ops.PackedMatrix(self.projection, precision=precision)

    @staticmethod
    def projected(context: Tensor, crfs: Sequence["Crf"], generator: torch.Generator | None = None) -> list[Tensor]:
        """Context [N, H] -> the projection of each CRF, [N, K] each; those that are packed read it once together.

        ``generator`` draws dropout, here and in `emissions`.
        """
        packed = [crf._packed for crf in crfs if crf._packed is not None and not crf.training]
        if packed and len(packed) == len(crfs) and not torch.is_grad_enabled():
            return ops.project(context, packed)
        return [dropout(context, crf.dropout, generator) @ crf.projection for crf in crfs]

    def emissions(
        self, projected: Tensor, gazetteer: Tensor | None, generator: torch.Generator | None = None
    ) -> Tensor:
        """Projected context [N, K] and the gazetteer's column of each word [N] -> scores [N, K]."""
        if self.gazetteer is None or gazetteer is None:
            return projected
        if generator is not None and self.gazetteer_dropout:
            drawn = torch.rand(gazetteer.shape, device=gazetteer.device, generator=generator)
            hidden = drawn < self.gazetteer_dropout
            gazetteer = gazetteer.masked_fill(hidden, 0)  # the column of words that no entry matches
        return projected + self.gazetteer[gazetteer]  # a one-hot input times its weights is one row of them

    def loss(self, emissions: Tensor, batch: Batch, part: str, *, margin: float) -> Tensor:
        """Softmax-margin loss of each sentence, [B], in packed order (paper, equation 2).

        Where there are features, that of their own CRF is added: it moves nothing but the features' weights.
        ``part`` is the name of this tag part.
        """
        loss = _loss(emissions, self.transitions, self.start, batch, margin)
        if self.features is None:
            return loss
        of_features = self.features.emissions(batch, part)
        return loss + _loss(of_features, self.features.transitions, self.features.start, batch, margin)

    def moves(self) -> tuple[Tensor, Tensor]:
        """Transitions [K, K] and START scores [K], those of the features added."""
        if self.features is None:
            return self.transitions, self.start
        return self.transitions + self.features.transitions, self.start + self.features.start

    def lattice(
        self, emissions: Tensor, batch: Batch, part: str, *, constrained: bool | None = None, temperature: float = 1.0
    ) -> Lattice:
        """The scores that decoding and marginals use, those of features added to ``emissions``.

        ``constrained`` allows valid tag sequences only; ``part`` is the name of this tag part.
        """
        packing, (transitions, start) = batch.packing, self.moves()
        if self.features is not None:
            emissions = emissions + self.features.emissions(batch, part)
        if self.constrained if constrained is None else constrained:
            emissions = emissions.index_add(0, packing.last, self.valid_end.expand(len(packing.last), -1))
            transitions, start = transitions + self.valid_step, start + self.valid_start
        return Lattice(emissions, transitions, start, packing, temperature)

    valid_start: Tensor
    valid_step: Tensor
    valid_end: Tensor


def _loss(emissions: Tensor, transitions: Tensor, start: Tensor, batch: Batch, margin: float) -> Tensor:
    """Of each sentence, [B]; where tags are unknown, a sum over all that they may be."""
    scores = (transitions, start, batch.packing.batch_sizes)
    if batch.allowed is not None:
        return ops.crf.partial_softmax_margin(emissions, batch.allowed, *scores, margin=margin)
    assert batch.tags is not None
    return ops.crf.softmax_margin(emissions, batch.tags, *scores, margin=margin)


def _valid(vocabulary: TagVocabulary) -> list[Tensor]:
    """0 where a tag may begin, follow, end a sequence, -inf elsewhere: [K], [K, K], [K]."""
    masks = [torch.tensor(mask) for mask in allowed(vocabulary.tags, vocabulary.scheme)]
    return [torch.zeros(mask.shape).masked_fill(~mask, -torch.inf) for mask in masks]
