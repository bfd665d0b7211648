"""report.json of a model directory: what a training wrote of itself, read again."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytag.errors import ModelError

REPORT = "report.json"


def read_report(directory: Path) -> dict[str, Any]:
    """What a training that came to its end has written of itself.

    Raises:
        ModelError: it is absent or damaged.
    """
    try:
        report: dict[str, Any] = json.loads((directory / REPORT).read_text(encoding="utf-8"))
        if isinstance(report["scores"], dict):
            return report
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        pass
    raise damaged(directory)


def damaged(directory: Path) -> ModelError:
    """What to raise where a report holds something else."""
    return ModelError(f"{directory / REPORT}: the file is damaged, expected the report that a training wrote")


@dataclass(frozen=True)
class Recorded:
    """What was scored at the end of a training: task, split, metric and score of each row."""

    best_epoch: int
    epochs: int
    rows: list[tuple[str, str, str, float]]
    is_refit: bool
    next_steps: list[str]  # those and examples: none in reports from before there were such
    examples: dict[str, dict[str, int]]  # of each task, how often training has the labels

    def said_of(self, split: str) -> str:
        """What to say beside scores of a split: the weights that a refit leaves were trained on dev."""
        return " (before the refit)" if self.is_refit and split == "dev" else ""


def recorded(directory: Path) -> Recorded:
    """What the report of a model directory holds; nothing where there is none.

    Raises:
        ModelError: the file is damaged.
    """
    if not (directory / REPORT).exists():
        return Recorded(0, 0, [], False, [], {})
    report = read_report(directory)
    try:
        rows = [
            (task, split, str(numbers["metric"]), float(numbers["score"]))
            for task, splits in report["scores"].items()
            for split, numbers in splits.items()
        ]
        labels = report.get("labels", {}).items()
        examples = {task: {label: int(one["count"]) for label, one in of.items()} for task, of in labels}
        told = list(report.get("next", [])), examples
        return Recorded(int(report["best_epoch"]), int(report["epochs"]), rows, "first_pass" in report, *told)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged(directory) from None
