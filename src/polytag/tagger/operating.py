"""What `Request.min_probability` brings: precision and recall over it, and the one that a wanted precision needs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError
from polytag.scoring.counts import Tally
from polytag.tagger.judging import judged
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger

LEAST = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)  # the lines of the table


@dataclass(frozen=True, eq=False)
class OperatingPoints:
    """The spans that a tagger finds, the surest first: how probable each is, and whether it is right."""

    probabilities: npt.NDArray[np.float64]  # P
    right: npt.NDArray[np.bool_]  # P
    gold: int

    @classmethod
    def of(
        cls, tagger: Tagger, sentences: Iterable[Sentence], task: str, *, consistent: bool = False
    ) -> "OperatingPoints":
        """Tag sentences with gold tags; errors as `Tagger.evaluate`.

        Raises:
            PolytagError: the task's tags are no spans.
        """
        if tagger.engine.part(tagger.choose(task)[0]).vocabulary.plain:
            raise PolytagError(f"the tags of '{task}' are no spans, expected a task of spans")
        found: list[tuple[float, bool]] = []
        gold = 0
        wanted = Request([task], confidence=True, consistent=consistent)
        for tags, _, missed, sentence in judged(tagger, sentences, wanted):
            true = {(span.type, span.start, span.end) for span in spans(tags)}
            gold += len(true) + len(missed)
            for span in sentence.predicted_spans.get(task, ()):
                found.append((span.probability or 0.0, (span.type, span.start, span.end) in true))
        found.sort(key=lambda one: -one[0])
        return cls(np.array([p for p, _ in found]), np.array([right for _, right in found], np.bool_), gold)

    def at(self, least: float) -> Tally:
        """What is counted where spans less probable than that are left out."""
        kept = self.right[self.probabilities >= least]
        return Tally(int(kept.sum()), len(kept), self.gold)

    def least_for(self, precision: float) -> float | None:
        """The least probability that gives a precision, 0 to 100, and the most recall; None: there is none."""
        reached = 100 * (self.right.cumsum() / np.arange(1, len(self.right) + 1)) >= precision
        ends = np.append(self.probabilities[1:] != self.probabilities[:-1], True)  # equals are kept or left together
        places = np.flatnonzero(reached & ends[: len(reached)])
        return float(self.probabilities[places[-1]]) if len(places) else None

    def table(self) -> Iterator[str]:
        """Lines for people: percentages over the least probability."""
        yield f"{'min-probability':>15} {'precision':>10} {'recall':>10} {'FB1':>10}"
        for least in LEAST:
            tally = self.at(least)
            rates = (tally.precision, tally.recall, tally.f1)
            yield f"{least:>15.2f} {' '.join(f'{rate:>9.2f}%' for rate in rates)}"
