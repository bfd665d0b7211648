"""Whether probabilities can be believed: of all that a tagger says with probability p, a share p should be right."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from polytag.corpus.schemes import UNKNOWN, spans
from polytag.corpus.sentence import Span

BINS = 15  # of equal width, as in Guo et al. (2017), On Calibration of Modern Neural Networks


@dataclass(slots=True)
class Bin:
    """What was said with a probability in one stretch of 0 to 1."""

    count: int = 0
    probability: float = 0.0  # summed
    correct: int = 0

    @property
    def gap(self) -> float:
        """By how many cases the summed probability misses those that were correct."""
        return abs(self.probability - self.correct)


@dataclass(repr=False)
class Reliability:
    """Probabilities and whether what they were given for was right, counted in bins of equal width."""

    bins: list[Bin] = field(default_factory=lambda: [Bin() for _ in range(BINS)])

    def __repr__(self) -> str:
        return f"Reliability(error={self.error:.2f}, count={self.count})"

    @property
    def count(self) -> int:
        """How many probabilities there were."""
        return sum(each.count for each in self.bins)

    @property
    def mean(self) -> float:
        """The mean probability."""
        return sum(each.probability for each in self.bins) / self.count if self.count else 0.0

    @property
    def error(self) -> float:
        """Expected calibration error, 0 to 100: how far probability and share of right ones are apart."""
        return 100 * (sum(each.gap for each in self.bins) / self.count) if self.count else 0.0

    def add(self, probability: float, *, correct: bool) -> None:
        """Count one; a probability of 1 belongs to the last bin."""
        place = self.bins[min(int(probability * BINS), BINS - 1)]
        place.count += 1
        place.probability += probability
        place.correct += correct

    def merge(self, other: Self) -> None:
        """Count all that ``other`` has counted."""
        for mine, theirs in zip(self.bins, other.bins, strict=True):
            mine.count += theirs.count
            mine.probability += theirs.probability
            mine.correct += theirs.correct


@dataclass
class Calibration:
    """How far the probabilities of predicted tags, and of predicted spans, can be believed."""

    tags: Reliability = field(default_factory=Reliability)
    spans: Reliability = field(default_factory=Reliability)

    def add(
        self, gold: Sequence[str], predicted: Sequence[str], probabilities: Sequence[float], found: Sequence[Span] = ()
    ) -> None:
        """Count one sentence: its tags, and the spans ``found`` with their probabilities; gold tags ``?`` are left out.

        Raises:
            ValueError: there is not one gold tag and one probability for each predicted tag.
        """
        for expected, tag, probability in zip(gold, predicted, probabilities, strict=True):
            if expected != UNKNOWN:
                self.tags.add(probability, correct=expected == tag)
        right = {(span.type, span.start, span.end) for span in spans(gold)} if found else set()
        for span in found:
            if span.probability is not None:
                self.spans.add(span.probability, correct=(span.type, span.start, span.end) in right)

    def merge(self, other: Self) -> None:
        """Count all that ``other`` has counted."""
        self.tags.merge(other.tags)
        self.spans.merge(other.spans)

    def as_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON; rates are percentages, 0 to 100. No entry for spans where there is none."""
        parts = {"tags": self.tags, "spans": self.spans}
        return {name: _reliability(part) for name, part in parts.items() if part.count}

    def __str__(self) -> str:
        parts = {"tags": self.tags, "spans": self.spans}
        return "; ".join(f"{name}: {part.error:6.2f}%" for name, part in parts.items() if part.count)


def _reliability(part: Reliability) -> dict[str, Any]:
    bins = [
        {
            "from": 100 * number / BINS,
            "to": 100 * (number + 1) / BINS,
            "count": each.count,
            "probability": 100 * each.probability / each.count,
            "correct": 100 * each.correct / each.count,
        }
        for number, each in enumerate(part.bins)
        if each.count
    ]
    return {"error": part.error, "count": part.count, "bins": bins}
