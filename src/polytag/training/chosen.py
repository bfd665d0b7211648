"""What the first pass of a refit leaves for the second, which trains on train and dev together (`training.refit`).

The first pass is a training as any other, in a directory of its own below the model's. The number of epochs to train,
the development scores and the temperatures are those of its model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polytag.errors import counted
from polytag.model import Model


@dataclass(frozen=True, eq=False)
class Chosen:
    """The model and the report of the first pass, and its lines of metrics.jsonl where it has a directory."""

    model: Model
    report: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]] = ()

    @property
    def epochs(self) -> int:
        """How many the second pass trains."""
        return int(self.report["best_epoch"])

    @property
    def note(self) -> str:
        """What the user is told before the second pass."""
        epochs = counted(self.epochs, "epoch")
        return (
            f"refit: train and dev together from the start, {epochs}, as dev has chosen; dev scores and temperatures "
            "stay those of the first pass"
        )

    def development_scores(self, task: str) -> dict[str, Any]:
        """Those of a task, as a report has them; nothing where it has no development data."""
        return {split: of for split, of in self.report["scores"][task].items() if split == "dev"}
