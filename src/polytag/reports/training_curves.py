"""The curves of a training: development scores and loss of each task by epoch, with the epoch that was kept."""

import json
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from polytag.errors import ModelError
from polytag.files import atomic_write
from polytag.reports.chart import COLOURS, Panel, Point, Series, axis, draw

FILE = "curves.svg"
PANELS = {"dev": "development score", "test": "test score", "loss": "training loss"}  # key of metrics.jsonl -> title


def write_curves(directory: str | PathLike[str], history: Sequence[Mapping[str, Any]]) -> None:
    """Draw the lines of ``metrics.jsonl``, if there is any, into ``curves.svg`` of a model directory."""
    if history:
        with atomic_write(Path(directory) / FILE) as file:
            file.write(curves(history))


def curves_of(directory: str | PathLike[str]) -> str:
    """The curves of a model directory, as an SVG; "" where there are no metrics.

    Raises:
        ModelError: the metrics are damaged.
    """
    path = Path(directory) / "metrics.jsonl"
    try:
        history = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return curves(history) if history else ""
    except FileNotFoundError:
        return ""
    except (ValueError, AttributeError, KeyError, TypeError):
        raise ModelError(f"{path}: the file is damaged, expected the metrics of a training") from None


def curves(history: Sequence[Mapping[str, Any]]) -> str:
    """The lines of metrics.jsonl as an SVG: a panel for each kind of number that they hold."""
    kept = max((line["epoch"] for line in history if line["is_best"]), default=0)
    tasks = list(history[0]["loss"])
    panels = []
    for key, title in PANELS.items():
        found = {task: _points(history, key, task) for task in tasks}
        series = [
            Series(task if len(tasks) > 1 else "", points, colour=tasks.index(task) % len(COLOURS))
            for task, points in found.items()
            if points
        ]
        if series:
            panels.append(_panel(title, series, kept, falling=key == "loss"))
    return draw(panels, title=f"training curves of {', '.join(tasks)}")


def _panel(title: str, series: Sequence[Series], kept: int, *, falling: bool) -> Panel:
    points = [point for one in series for point in one.points]
    x = axis("epoch", [0, *(x for x, _ in points)], whole=True)
    marks = [(kept, f"kept: {kept}")] if kept else []
    return Panel(title, x, axis("", [y for _, y in points]), series, marks, falling)


def _points(history: Sequence[Mapping[str, Any]], key: str, task: str) -> list[Point]:
    return [
        (line["epoch"], line[key][task]) for line in history if task in line[key] and math.isfinite(line[key][task])
    ]
