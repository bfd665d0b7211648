"""Scores of tags that are labels of single words: accuracy, and each tag's precision, recall and F1."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from polytag.corpus.sentence import Span
from polytag.corpus.tag_rules import UNKNOWN
from polytag.scoring.counts import Counts, Tallies, tallies


@dataclass(repr=False)
class TagCounts(Counts):
    """How often each gold tag (first) met each predicted tag (second): ``confusion``; all else follows from it."""

    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)

    metric: ClassVar[str] = "accuracy"

    @property
    def score(self) -> float:
        """Accuracy, 0 to 100."""
        return self.accuracy

    @property
    def scores(self) -> dict[str, float]:
        """The accuracy."""
        return {"accuracy": self.accuracy}

    @property
    def types(self) -> Tallies:
        """Tallies by tag."""
        found = tallies()
        for (gold, predicted), count in self.confusion.items():
            found[gold].add(count * (gold == predicted), predicted=0, gold=count)
            found[predicted].add(0, predicted=count, gold=0)
        return found

    def add(
        self,
        gold: Sequence[str],
        predicted: Sequence[str],
        *,
        known: Sequence[bool] | None = None,
        missed: Sequence[Span] = (),
    ) -> None:
        """As `Counts.add`; words whose gold tag is unknown (``?``) are left out."""
        if UNKNOWN in gold and len(gold) == len(predicted) == len(known or gold):
            at = [position for position, tag in enumerate(gold) if tag != UNKNOWN]
            known = None if known is None else [known[i] for i in at]
            gold, predicted = [gold[i] for i in at], [predicted[i] for i in at]
        super().add(gold, predicted, known=known, missed=missed)

    def _add(
        self,
        gold: Sequence[str],
        predicted: Sequence[str],
        known: Sequence[bool] | None,  # noqa: ARG002
        missed: Sequence[Span],  # noqa: ARG002
    ) -> tuple[int, int, int]:
        pairs = Counter(zip(gold, predicted, strict=True))
        self.confusion.update(pairs)
        return sum(count for (expected, found), count in pairs.items() if expected == found), len(gold), len(gold)

    def _merge(self, other: Self) -> None:
        self.confusion.update(other.confusion)
