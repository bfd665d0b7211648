"""Span scores as conlleval counts: a span is correct where its first word, last word and type are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from polytag.corpus import schemes
from polytag.corpus.sentence import Span
from polytag.scoring.counts import Counts, Tallies, Tally, merge_tallies, tallies


@dataclass(repr=False)
class SpanCounts(Counts):
    """Spans by type, and under ``spans`` all of them, those of known words only, and those with an unknown word.

    A gold span is told known or unknown by its own words, a predicted one by its own. The words' accuracy compares
    tags as text, so gold and predicted tags should be in one scheme; the spans are the same in any.
    """

    spans: Tallies = field(default_factory=tallies)
    by_type: Tallies = field(default_factory=tallies)

    metric: ClassVar[str] = "f1"

    @property
    def score(self) -> float:
        """F1 over all spans, 0 to 100."""
        return self.f1

    @property
    def precision(self) -> float:
        """Over all spans, 0 to 100."""
        return self.overall.precision

    @property
    def recall(self) -> float:
        """Over all spans, 0 to 100."""
        return self.overall.recall

    @property
    def f1(self) -> float:
        """Over all spans, 0 to 100."""
        return self.overall.f1

    @property
    def scores(self) -> dict[str, float]:
        """F1, precision and recall over all spans, and the words' accuracy."""
        return {"f1": self.f1, "precision": self.precision, "recall": self.recall, "accuracy": self.accuracy}

    @property
    def types(self) -> Tallies:
        """Tallies by type of span."""
        return self.by_type

    @property
    def overall(self) -> Tally:
        """The tally of all spans."""
        return self.spans["all"]

    def _add(
        self,
        gold: Sequence[str],
        predicted: Sequence[str],
        known: Sequence[bool] | None,
        missed: Sequence[Span],
    ) -> tuple[int, int, int]:
        expected, found = set(schemes.spans(gold)), set(schemes.spans(predicted))
        for span in expected | found:
            for tally in self._tallies(span, known):
                tally.add(span in expected and span in found, predicted=span in found, gold=span in expected)
        for span in missed:
            for tally in self._tallies(span, known):
                tally.add(0, predicted=0, gold=1)
        return len(expected & found), len(found), len(expected) + len(missed)

    def _tallies(self, span: Span, known: Sequence[bool] | None) -> Iterable[Tally]:
        yield self.by_type[span.type]
        yield self.spans["all"]
        if known is not None:
            yield self.spans["known" if all(known[span.start : span.end]) else "unknown"]

    def _merge(self, other: Self) -> None:
        merge_tallies(self.spans, other.spans)
        merge_tallies(self.by_type, other.by_type)
