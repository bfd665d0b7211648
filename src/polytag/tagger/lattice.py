"""What decoding sees of a batch: the scores of all its tag sequences, and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag import native
from polytag.tagger import chain
from polytag.tagger.chain import Floats
from polytag.tagger.packing import Ints, Packing


@dataclass(frozen=True, eq=False)
class Confidence:
    """How probable given tag sequences are, word by word and stretch by stretch; logarithms inside, packed."""

    packing: Packing
    prefixes: Floats  # N: score of all prefixes that end in the sequence's tag
    suffixes: Floats  # N: score of all suffixes that follow it
    steps: Floats  # N: transition and emission from the word before to this one
    totals: Floats  # N: log-partition of the sentence

    def of_tags(self) -> Floats:
        """Marginal probability of each tag, [N]."""
        probabilities: Floats = np.exp(np.minimum(self.prefixes + self.suffixes - self.totals, 0.0))
        return probabilities

    def of_span(self, sequence: int, start: int, end: int) -> float:
        """Exact probability that words ``start`` to ``end`` (exclusive) of a packed sentence carry just these tags."""
        rows = self.packing.offsets[start:end] + sequence
        first, last = rows[0], rows[-1]
        log = self.prefixes[first] + self.steps[rows[1:]].sum() + self.suffixes[last] - self.totals[first]
        return float(np.exp(min(log, 0.0)))


@dataclass(frozen=True, eq=False)
class Candidates:
    """The best tag sequences of one sentence, best first."""

    tags: Ints  # R T
    probabilities: Floats  # R


@dataclass(frozen=True, eq=False)
class Lattice:
    """Everything that scores the tag sequences of a batch.

    Scores are divided by the ``temperature`` before they become probabilities; which sequence is best stays the same.
    """

    emissions: npt.NDArray[np.float32]  # N K
    transitions: npt.NDArray[np.float32]  # K K
    start: npt.NDArray[np.float32]  # K
    packing: Packing
    temperature: float = 1.0

    def best(self) -> npt.NDArray[np.int32]:
        """The best tag sequences, [N]."""
        best: npt.NDArray[np.int32]
        best, _ = native.kernels().viterbi(self.emissions, self.transitions, self.start, self.packing.sizes)
        return best

    def nbest(self, k: int) -> list[Candidates]:
        """The ``k`` best tag sequences of each sentence, fewer where there are fewer, in the caller's order."""
        # From the scores as they are: rounding must not part sequences that tie.
        tags, found = chain.nbest(*self._doubles(1.0), k=k)
        total = chain.log_partition(*self._doubles(self.temperature))
        probabilities = np.exp(np.minimum(found / self.temperature - total[:, None], 0.0))
        paths = self.packing.unpack(tags)
        # A sequence may be possible and yet of a probability that is 0 in floating point.
        possible = self.packing.in_order(np.isfinite(found).sum(1))
        return [
            Candidates(path[:, :count].T, shares[:count])
            for path, shares, count in zip(paths, self.packing.in_order(probabilities), possible.tolist(), strict=True)
        ]

    def marginals(self) -> list[Floats]:
        """Probability of each tag at each word, [T, K] of each sentence, in the caller's order."""
        return self.packing.unpack(chain.marginals(*self._doubles(self.temperature)))

    def entropy(self) -> Floats:
        """Entropy in nats of each sentence's distribution over tag sequences, [B] in the caller's order."""
        return self.packing.in_order(chain.entropy(*self._doubles(self.temperature)))

    def margin(self) -> Floats:
        """How much more probable the best tag sequence is than the second best, [B] in the caller's order."""
        return np.array([found.probabilities[0] - found.probabilities[1:].sum() for found in self.nbest(2)])

    def loss(self, tags: npt.NDArray[Any]) -> Floats:
        """Negative log-likelihood of the given tags [N], for each sentence, [B] in packed order.

        Of a mask [N, K], that of all sequences of the tags that it allows.
        """
        doubles = emissions, transitions, start, packing = self._doubles(self.temperature)
        if tags.ndim == 1:
            given = chain.path_scores(*doubles, tags)
        else:
            given = chain.log_partition(np.where(tags, emissions, -np.inf), transitions, start, packing)
        loss: Floats = chain.log_partition(*doubles) - given
        return loss

    def confidence(self, tags: npt.NDArray[Any]) -> Confidence:
        """How probable the given tag sequences [N] are, word by word and stretch by stretch."""
        emissions, transitions, start, packing = self._doubles(self.temperature)
        alpha, beta, totals = chain.forward_backward(emissions, transitions, start, packing)
        rows, later = np.arange(len(tags)), packing.steps > 0
        steps = emissions[rows, tags]
        steps[later] += transitions[tags[chain.previous_rows(packing)], tags[later]]
        return Confidence(packing, alpha[rows, tags], beta[rows, tags], steps, totals[packing.sequences])

    def _doubles(self, temperature: float) -> tuple[Floats, Floats, Floats, Packing]:
        """What the sums over sequences take: scores over the temperature, in double precision, and the packing."""
        emissions, transitions, start = (
            np.asarray(scores, np.float64) / temperature for scores in (self.emissions, self.transitions, self.start)
        )
        return emissions, transitions, start, self.packing


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Some sentences as the network sees them: their places in the stream, and for each task what decoding sees.

    Lattices give their results in the order of ``indices``; ``context`` [N, H], of the highest layer that a task reads,
    is packed. Sentences without words are in no view.
    """

    indices: Sequence[int]
    packing: Packing
    context: npt.NDArray[np.float32]
    lattices: dict[str, Lattice]
