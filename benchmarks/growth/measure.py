"""Points measured in turn, round after round, and what is computed from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """One measurement: how many tokens in how many seconds, and other figures by name."""

    tokens: int
    seconds: float
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Point:
    """One size of one series, and how it is measured; it takes part in the first ``rounds`` rounds."""

    series: str
    size: float
    measure: Callable[[], Sample]
    rounds: int | None = None


def in_turn(points: Sequence[Point], *, rounds: int, tell: Callable[[str], None]) -> dict[str, list[dict[str, Any]]]:
    """One round visits all points in turn; results by series, the smallest size first."""
    samples: list[list[Sample]] = [[] for _ in points]
    for number in range(rounds):
        for point, found in zip(points, samples, strict=True):
            if point.rounds is None or number < point.rounds:
                found.append(point.measure())
        tell(f"round {number + 1} of {rounds}")
    series: dict[str, list[dict[str, Any]]] = {}
    before: dict[str, Sequence[Sample]] = {}
    for point, found in sorted(zip(points, samples, strict=True), key=lambda pair: pair[0].size):
        result = {"size": point.size, **_summary(found), **_relative(found, before.get(point.series))}
        series.setdefault(point.series, []).append(result)
        before[point.series] = found
    return {point.series: series[point.series] for point in points}


def _summary(samples: Sequence[Sample]) -> dict[str, Any]:
    speeds = [sample.tokens / sample.seconds for sample in samples]
    return {
        "tokens_per_second": median(speeds), "lowest": min(speeds), "highest": max(speeds), "rounds": speeds,
        "figures": {name: median(s.figures[name] for s in samples) for name in samples[0].figures},
    }  # fmt: skip


def _relative(samples: Sequence[Sample], before: Sequence[Sample] | None) -> dict[str, Any]:
    """The cost of a token relative to the size before: the median of the rounds' own ratios, drift cancelling out."""
    if before is None:
        return {"cost_relative_to_before": None}
    ratios = [s.seconds / s.tokens * b.tokens / b.seconds for s, b in zip(samples, before, strict=False)]
    return {"cost_relative_to_before": median(ratios)}


def growth(sizes: Sequence[float], costs: Sequence[float]) -> dict[str, Any]:
    """How a cost grows with size: its fitted exponent, its whole factor, and the step where it grows most steeply.

    The exponent is the slope of a straight line through the logarithms, by least squares: 0 is a cost that stays the
    same, 1 one that doubles with the size.
    """
    x, y = np.log(sizes), np.log(costs)
    slopes = (np.diff(y) / np.diff(x)).tolist()
    steepest, step = max((slope, i) for i, slope in enumerate(slopes))
    return {
        "exponent": float(np.polyfit(x, y, 1)[0]), "factor": costs[-1] / costs[0], "from": sizes[0], "to": sizes[-1],
        "steepest": steepest, "steepest_from": sizes[step], "steepest_to": sizes[step + 1],
    }  # fmt: skip


def growth_of_cost(results: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The growth of the cost of a token over the points of a series; None of fewer than two."""
    if len(results) < 2:
        return None
    return growth([r["size"] for r in results], [1 / r["tokens_per_second"] for r in results])


def growth_of_figure(results: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any] | None:
    """The same of one of the other figures; None where it was not measured."""
    found = [(r["size"], r["figures"][name]) for r in results if name in r["figures"]]
    return growth(*zip(*found, strict=True)) if len(found) > 1 else None
