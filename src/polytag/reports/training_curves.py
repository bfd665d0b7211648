"""The curves of a training: development scores and loss of each task by epoch, with the epoch that was kept."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytag.errors import ModelError
from polytag.files import atomic_write
from polytag.reports.chart import COLOURS, GREY, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILE = "curves.svg"
PANELS = {"dev": "development score", "test": "test score", "loss": "training loss"}  # key of metrics.jsonl -> title
MARKED = 60  # epochs at most whose points are marked
ABOVE: Mapping[str, Any] = {
    "xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center", "annotation_clip": False
}  # fmt: skip

Point = tuple[int, float]


def write_curves(directory: str | PathLike[str], history: Sequence[Mapping[str, Any]]) -> None:
    """Draw the lines of ``metrics.jsonl``, if they hold any number, into ``curves.svg`` of a model directory.

    Raises:
        PolytagError: matplotlib is not installed.
    """
    if svg := curves(history):
        with atomic_write(Path(directory) / FILE) as file:
            file.write(svg)


def curves_of(directory: str | PathLike[str]) -> str:
    """The curves of a model directory, as an SVG; "" where there are no metrics.

    Raises:
        ModelError: the metrics are damaged.
        PolytagError: matplotlib is not installed.
    """
    path = Path(directory) / "metrics.jsonl"
    try:
        history = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return curves(history)
    except (FileNotFoundError, NotADirectoryError):  # no metrics, or a packed file
        return ""
    except (ValueError, AttributeError, KeyError, TypeError):
        raise ModelError(f"{path}: the file is damaged, expected the metrics of a training") from None


def curves(history: Sequence[Mapping[str, Any]]) -> str:
    """The lines of metrics.jsonl as an SVG: a panel for each kind of number that they hold; "" where they hold none."""
    history = [line for line in history if not line.get("refit")]  # which has no scores, and counts epochs anew
    kept = max((line["epoch"] for line in history if line["is_best"]), default=0)
    tasks = list(history[0]["loss"]) if history else []
    found = {key: {task: points for task in tasks if (points := _points(history, key, task))} for key in PANELS}
    colours = {task: COLOURS[number % len(COLOURS)] for number, task in enumerate(tasks)}
    panels = [partial(_panel, PANELS[key], of, kept, colours) for key, of in found.items() if of]
    return draw(panels, title=f"training curves of {', '.join(tasks)}") if panels else ""


def _panel(
    title: str, points: Mapping[str, Sequence[Point]], kept: int, colours: Mapping[str, str], axes: "Axes"
) -> None:
    few = max(map(len, points.values())) <= MARKED
    lines = [
        axes.plot(*zip(*of, strict=True), color=colours[task], marker="o" if few else "", markersize=4)[0]
        for task, of in points.items()
    ]
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", integer=True)
    if kept:
        axes.axvline(kept, color=GREY, linewidth=1, linestyle=":", zorder=1)
        axes.annotate(f"kept: {kept}", (kept, 1), (0, 3), **ABOVE)
    if len(colours) > 1:
        axes.legend(lines, list(points))


def _points(history: Sequence[Mapping[str, Any]], key: str, task: str) -> list[Point]:
    return [
        (line["epoch"], line[key][task]) for line in history if task in line[key] and math.isfinite(line[key][task])
    ]
