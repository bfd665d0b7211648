"""What several trainings of a plan have scored: means and deviations, as a table and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any


@dataclass(frozen=True)
class Scored:
    """One training: its model directory, the epoch it kept, and task -> split -> ``{"metric": ..., "score": ...}``."""

    name: str
    directory: Path
    epoch: int
    scores: Mapping[str, Mapping[str, Mapping[str, Any]]]

    def selected(self, select: str) -> float | None:
        """The development score by which the plan chooses epochs: of a task, or the mean; None where there is none."""
        dev = {task: float(splits["dev"]["score"]) for task, splits in self.scores.items() if "dev" in splits}
        return dev.get(select) if select != "mean" else mean(dev.values()) if dev else None


@dataclass(frozen=True)
class Row:
    """The scores, 0 to 100, of one task on one split, a training each, in their order."""

    task: str
    split: str
    metric: str
    scores: Sequence[float]

    @property
    def mean(self) -> float:
        return mean(self.scores)

    @property
    def deviation(self) -> float | None:
        """Standard deviation, as of a sample; None where there is one score."""
        return stdev(self.scores) if len(self.scores) > 1 else None


def rows(found: Sequence[Scored]) -> list[Row]:
    """A row for each task and split."""
    return [
        Row(task, split, str(first["metric"]), [float(each.scores[task][split]["score"]) for each in found])
        for task, splits in found[0].scores.items()
        for split, first in splits.items()
    ]


def table(found: Sequence[Scored]) -> str:
    """Means, deviations and the score of each training, for people."""
    lines = [["task", "split", "metric", "mean", "deviation", *(each.name for each in found)]]
    for row in rows(found):
        deviation = "" if row.deviation is None else f"{row.deviation:.2f}"
        numbers = [f"{row.mean:.2f}", deviation, *(f"{score:.2f}" for score in row.scores)]
        lines.append([row.task, row.split, row.metric, *numbers])
    return aligned(lines, left=3)


def aligned(lines: Sequence[Sequence[str]], *, left: int) -> str:
    """Cells below each other, the first ``left`` columns to the left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(_cells(line, widths, left)).rstrip() for line in lines)


def _cells(line: Sequence[str], widths: Sequence[int], left: int) -> Iterable[str]:
    for place, (cell, width) in enumerate(zip(line, widths, strict=True)):
        yield cell.ljust(width) if place < left else cell.rjust(width)


def as_json(found: Sequence[Scored], *, best: str | None) -> dict[str, Any]:
    """The same for machines; ``best`` is the name of a training."""
    summary: dict[str, dict[str, Any]] = {}
    for row in rows(found):
        of_split = {"metric": row.metric, "mean": row.mean, "deviation": row.deviation, "scores": [*row.scores]}
        summary.setdefault(row.task, {})[row.split] = of_split
    runs = {each.name: {"epoch": each.epoch, "scores": each.scores} for each in found}
    return {"scores": summary, "runs": runs, "best": best}
