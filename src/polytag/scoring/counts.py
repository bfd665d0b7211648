"""Counts: what is added up over sentences, and the scores that follow, all of them percentages, 0 to 100.

Nothing is averaged, so order is no matter. Probabilities, which are no scores, are 0 to 1 everywhere.
"""

from abc import ABC, abstractmethod
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from polytag.corpus.sentence import Span
from polytag.scoring.calibration import Calibration

if TYPE_CHECKING:
    import pandas


@dataclass(slots=True)
class Tally:
    """How many were correct, predicted and gold; precision, recall and F1 are 0 to 100, and 0 where undefined."""

    correct: int = 0
    predicted: int = 0
    gold: int = 0

    @property
    def precision(self) -> float:
        """Correct ones among those predicted, 0 to 100."""
        return 100 * (self.correct / self.predicted) if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Correct ones among the gold ones, 0 to 100."""
        return 100 * (self.correct / self.gold) if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; of words, where as many are predicted as gold, the accuracy."""
        return 100 * (2 * self.correct / (self.predicted + self.gold)) if self.predicted + self.gold else 0.0

    def add(self, correct: int, *, predicted: int, gold: int) -> None:
        """Count more."""
        self.correct += correct
        self.predicted += predicted
        self.gold += gold


Tallies = defaultdict[str, Tally]


def tallies() -> Tallies:
    """Tallies by name, each starting from nothing."""
    return defaultdict(Tally)


@dataclass(repr=False)
class Counts(ABC):
    """What is counted over sentences for one task.

    ``tokens`` holds correct and all words, under "all" and, where the caller knows which words the tagger's
    vocabulary holds, under "known" and "unknown". ``calibration`` is there where probabilities were counted too.
    ``by_sentence`` holds, one sentence after the other, the correct, predicted and gold spans (or words) of each.
    """

    sentences: int = 0
    tokens: Tallies = field(default_factory=tallies)
    by_sentence: "array[int]" = field(default_factory=lambda: array("q"))
    calibration: Calibration | None = None

    metric: ClassVar[str]

    @property
    @abstractmethod
    def score(self) -> float:
        """The task's metric, 0 to 100."""

    @property
    @abstractmethod
    def types(self) -> Mapping[str, Tally]:
        """Tallies by type of span or by tag."""

    @property
    def accuracy(self) -> float:
        """Words with the right tag, 0 to 100."""
        return self.tokens["all"].f1

    @property
    @abstractmethod
    def scores(self) -> dict[str, float]:
        """The scores over all types by their names, the task's metric first, 0 to 100."""

    def __repr__(self) -> str:
        scores = ", ".join(f"{name}={score:.2f}" for name, score in self.scores.items())
        return f"{type(self).__name__}({scores}, sentences={self.sentences}, words={self.tokens['all'].gold})"

    def __str__(self) -> str:
        """Conlleval's report."""
        from polytag.scoring.report import table

        return table(self)

    def _repr_html_(self) -> str:
        """A table of all scores, for notebooks."""
        from polytag.scoring.report import as_html

        return as_html(self)

    def to_frame(self) -> "pandas.DataFrame":
        """A row for each type and, last, for ``all`` together: precision, recall, f1 (0 to 100) and the counts.

        Raises:
            PolytagError: pandas is not installed.
        """
        from polytag.scoring.report import as_frame

        return as_frame(self)

    def add(
        self,
        gold: Sequence[str],
        predicted: Sequence[str],
        *,
        known: Sequence[bool] | None = None,
        missed: Sequence[Span] = (),
    ) -> None:
        """Count one sentence; ``known`` says of each word whether it is in the vocabulary.

        ``missed`` are gold spans that no tags can mark, each as the words that it touches; where spans are counted.

        Raises:
            ValueError: the three differ in length.
            CorpusError: spans are counted and a tag marks none.
        """
        if len(gold) != len(predicted) or (known is not None and len(known) != len(gold)):
            words = "" if known is None else f" and {len(known)} known or unknown words"
            raise ValueError(f"{len(gold)} gold tags, {len(predicted)} predicted tags{words}, expected as many of each")
        self.by_sentence.extend(self._add(gold, predicted, known, missed))
        self.sentences += 1
        right = [expected == found for expected, found in zip(gold, predicted, strict=True)]
        self._add_tokens("all", right)
        if known is not None:
            self._add_tokens("known", [hit for hit, is_known in zip(right, known, strict=True) if is_known])
            self._add_tokens("unknown", [hit for hit, is_known in zip(right, known, strict=True) if not is_known])

    def merge(self, other: Self) -> None:
        """Count all that ``other`` has counted, as if its sentences had been added here."""
        if type(other) is not type(self):
            raise TypeError(f"cannot merge {type(other).__name__} into {type(self).__name__}")
        self.sentences += other.sentences
        self.by_sentence.extend(other.by_sentence)
        merge_tallies(self.tokens, other.tokens)
        if self.calibration and other.calibration:
            self.calibration.merge(other.calibration)
        self._merge(other)

    def _add_tokens(self, group: str, right: Sequence[bool]) -> None:
        self.tokens[group].add(sum(right), predicted=len(right), gold=len(right))

    @abstractmethod
    def _add(
        self,
        gold: Sequence[str],
        predicted: Sequence[str],
        known: Sequence[bool] | None,
        missed: Sequence[Span],
    ) -> tuple[int, int, int]:
        """Count one sentence; returns how many were correct, predicted and gold."""

    @abstractmethod
    def _merge(self, other: Self) -> None: ...


def merge_tallies(into: Tallies, more: Tallies) -> None:
    """Count into the first all that the second holds."""
    for name, tally in more.items():
        into[name].add(tally.correct, predicted=tally.predicted, gold=tally.gold)
