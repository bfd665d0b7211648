"""Calibration as pictures: whether of those predictions that are given a probability of 0.8, eight in ten are right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polytag.reports.cases import Cases
from polytag.reports.chart import COLOURS, GREY, draw
from polytag.scoring import Reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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

    task: str
    title: str
    count: int
    error: float
    confidence: float
    accuracy: float
    groups: Sequence[Group]

    @property
    def svg(self) -> str:
        """The reliability diagram: share of right predictions by probability, beside the diagonal."""
        return draw([self._panel], title=f"reliability diagram of {self.task}: {self.title}")

    def _panel(self, axes: "Axes") -> None:
        (ideal,) = axes.plot([0, 1], [0, 1], color=GREY, linestyle="--")
        (model,) = axes.plot(
            [one.confidence for one in self.groups], [one.accuracy for one in self.groups], color=COLOURS[0]
        )
        sizes = [(4 + 14 * (one.count / self.count) ** 0.5) ** 2 for one in self.groups]
        axes.scatter(model.get_xdata(), model.get_ydata(), sizes, color=COLOURS[0], clip_on=False, zorder=3)
        axes.set(title=self.title, xlabel="probability given", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
        axes.legend([ideal, model], ["as it should be", "model"], loc="lower right")


def diagrams(cases: Cases) -> list[Diagram]:
    """The diagrams of the words' tags and, of a task with spans, of the spans; none where probabilities are missing."""
    found = cases.calibration()
    named = {"probabilities of tags, word by word": found.tags, "probabilities of predicted spans": found.spans}
    return [_diagram(cases.task, title, reliability) for title, reliability in named.items() if reliability.count]


def _diagram(task: str, title: str, found: Reliability) -> Diagram:
    width = 1 / len(found.bins)
    groups = [
        Group(number * width, (number + 1) * width, one.count, one.probability / one.count, one.correct / one.count)
        for number, one in enumerate(found.bins)
        if one.count
    ]
    confidence, accuracy = (
        sum(getattr(one, name) for one in found.bins) / found.count for name in ("probability", "correct")
    )
    return Diagram(task, title, found.count, found.error, confidence, accuracy, groups)
