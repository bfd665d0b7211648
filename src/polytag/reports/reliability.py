"""Calibration as pictures: whether of those predictions that are given a probability of 0.8, eight in ten are right."""

from collections.abc import Sequence
from dataclasses import dataclass

from polytag.reports.cases import Cases
from polytag.reports.chart import Axis, Panel, Series, draw
from polytag.scoring import Reliability

FIFTHS = [(n / 5, f"{n / 5:g}") for n in range(6)]


@dataclass(frozen=True, slots=True)
class Group:
    """Predictions with probabilities between two ends: how many, their mean probability, the share that is right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Diagram:
    """How well one kind of probability is calibrated; ``error`` is the expected calibration error, 0 to 1."""

    title: str
    count: int
    error: float
    confidence: float
    accuracy: float
    groups: Sequence[Group]

    @property
    def svg(self) -> str:
        """The reliability diagram: share of right predictions by probability, beside the diagonal."""
        x, y = Axis("probability given", 0, 1, FIFTHS), Axis("share that is right", 0, 1, FIFTHS)
        points = [(group.confidence, group.accuracy) for group in self.groups]
        sizes = [2 + 7 * (group.count / self.count) ** 0.5 for group in self.groups]
        ideal = Series("as it should be", [(0, 0), (1, 1)], colour=6, dashed=True)
        series = [ideal, Series("model", points, sizes=sizes)]
        return draw([Panel(self.title, x, y, series)], title=f"reliability diagram: {self.title}")


def diagrams(cases: Cases) -> list[Diagram]:
    """The diagrams of the words' tags and, of a task with spans, of the spans; none where probabilities are missing."""
    found = cases.calibration()
    named = {"probabilities of tags, word by word": found.tags, "probabilities of predicted spans": found.spans}
    return [_diagram(title, reliability) for title, reliability in named.items() if reliability.count]


def _diagram(title: str, found: Reliability) -> Diagram:
    width = 1 / len(found.bins)
    groups = [
        Group(number * width, (number + 1) * width, one.count, one.probability / one.count, one.correct / one.count)
        for number, one in enumerate(found.bins)
        if one.count
    ]
    confidence, accuracy = (
        sum(getattr(one, name) for one in found.bins) / found.count for name in ("probability", "correct")
    )
    return Diagram(title, found.count, found.error, confidence, accuracy, groups)
