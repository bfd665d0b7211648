"""The scores that a model directory's report.json holds, for the commands that show them."""

import json
from dataclasses import dataclass
from pathlib import Path

from polytag.errors import ModelError


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


def read_report(path: Path) -> Recorded:
    """Read the report of a training.

    Raises:
        ModelError: the file is damaged.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        rows = [
            (task, split, str(numbers["metric"]), float(numbers["score"]))
            for task, splits in report["scores"].items()
            for split, numbers in splits.items()
        ]
        labels = report.get("labels", {}).items()
        examples = {task: {label: int(one["count"]) for label, one in of.items()} for task, of in labels}
        told = list(report.get("next", [])), examples
        return Recorded(int(report["best_epoch"]), int(report["epochs"]), rows, "first_pass" in report, *told)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ModelError(f"{path}: the file is damaged, expected the report that a training wrote") from None
