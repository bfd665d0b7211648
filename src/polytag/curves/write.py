"""A curve as files: trainings (CSV), the table with the answers (Markdown), the forecast (JSON), the plot (SVG)."""

import csv
import json
from collections.abc import Sequence
from functools import partial
from statistics import mean
from typing import TYPE_CHECKING

from polytag.curves.answer import answer
from polytag.curves.estimates import Estimate, Point
from polytag.curves.forecast import LAW, forecasts, looked_back, told
from polytag.curves.runs import ALONE, JOINT, Question, Result
from polytag.errors import PolytagError
from polytag.files import atomic_write
from polytag.reports.chart import COLOURS, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CSV, TABLE, PLOT, FORECAST = "curve.csv", "curve.md", "curve.svg", "forecast.json"
METRICS = {"f1": "F1", "accuracy": "accuracy"}


def write_all(question: Question, results: Sequence[Result], points: Sequence[Point], more: Sequence[int]) -> None:
    """Write the four files into the question's directory."""
    with atomic_write(question.output / CSV) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["arm", "rate", "seed", "sentences", "split", "metric", "score", "epoch"])
        for r in results:
            run = r.run
            writer.writerow(
                [run.arm, f"{run.rate:g}", run.seed, r.sentences, question.split, r.metric, f"{r.score:.4f}", r.epoch]
            )
    metric = METRICS.get(results[0].metric, results[0].metric)
    with atomic_write(question.output / TABLE) as file:
        file.write(_page(question, results, points, metric, more))
    with atomic_write(question.output / FORECAST) as file:
        file.write(json.dumps(_forecast(question, results, more), indent=2) + "\n")
    with atomic_write(question.output / PLOT) as file:
        file.write(plot(question, points, metric))


def table(question: Question, points: Sequence[Point]) -> str:
    """A Markdown table: a row for each rate, each mean with the half-width of its 95 % interval."""
    names = ["labeling rate", "sentences", ALONE]
    if question.partners:
        names += [f"with {', '.join(question.partners)}", "gain", "95 % interval of the gain"]
    rows = [_row(question, point) for point in points]
    lines = [names, ["---:"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def plot(question: Question, points: Sequence[Point], metric: str) -> str:
    """Score by labeling rate: the mean of each arm, its seeds as dots, from the least to the best as a band.

    Raises:
        PolytagError: matplotlib is not installed.
    """
    return draw([partial(_panel, question, points, metric)], title=f"{question.task}: {question.split} {metric}")


def _panel(question: Question, points: Sequence[Point], metric: str, axes: "Axes") -> None:
    names = {ALONE: f"{question.task} alone", JOINT: f"with {', '.join(question.partners)}"}
    lines = {}
    for arm, colour in zip(question.arms, COLOURS, strict=False):
        found = [(point.rate, point.scores[arm]) for point in points if arm in point.scores]
        rates = [rate for rate, _ in found]
        (lines[names[arm]],) = axes.plot(rates, [mean(scores) for _, scores in found], color=colour, marker="o")
        low, high = ([edge(scores) for _, scores in found] for edge in (min, max))
        axes.fill_between(rates, low, high, color=colour, alpha=0.15, linewidth=0)
        dots = [(rate, score) for rate, scores in found for score in scores]
        axes.plot(*zip(*dots, strict=True), ".", color=colour, alpha=0.45)
    axes.set(title=f"{question.task}: {question.split} {metric}", xlabel="labeling rate", ylabel=metric, xscale="log")
    axes.set_xticks([point.rate for point in points], [f"{point.rate:g}" for point in points])
    axes.minorticks_off()
    axes.legend(lines.values(), lines)


def _forecast(question: Question, results: Sequence[Result], more: Sequence[int]) -> dict[str, object]:
    """Ends of the interval are null where one seed tells nothing of it."""
    try:
        found = forecasts(results, more)
    except PolytagError:
        found = []
    rows = []
    for one in found:
        gain = one.gain
        ends = {} if gain.half is None else {"low": round(gain.low, 4), "high": round(gain.high, 4)}
        rows.append(
            {
                "sentences": one.sentences,
                "more": one.more,
                "gain": round(gain.mean, 4),
                "low": None,
                "high": None,
                **ends,
            }
        )
    said = {"task": question.task, "split": question.split, "metric": results[0].metric}
    return {**said, "text": told(results, more), "forecasts": rows}


def _page(
    question: Question, results: Sequence[Result], points: Sequence[Point], metric: str, more: Sequence[int]
) -> str:
    seeds = len(question.seeds)
    return (
        f"# {question.task}: how much annotation is worth\n\n"
        f"{answer(points, partners=question.partners, metric=results[0].metric)}\n\n"
        f"{told(results, more)}\n\n"
        f"{table(question, points)}\n\n![{metric} by labeling rate]({PLOT})\n\n"
        f"{metric} on the {question.split} split, mean of {seeds} seed{'s' * (seeds > 1)}"
        f"{' with the half-width of the 95 % interval (Student)' * (seeds > 1)}. Each seed draws its own sentences, "
        "the same for all ways to train; those of a lower rate are among those of a higher one. The gain and its "
        f"interval come from differences seed by seed. {_kept(question)}\n\n"
        f"What more annotation would bring: {LAW} {looked_back(results)}".rstrip()
        + "\n"
    )


def _kept(question: Question) -> str:
    return (
        "The epoch that is kept was chosen on the same split, so scores are a little high on both sides; "
        "`--split test` has not that flaw."
        if question.split == "dev"
        else "The epoch that is kept was chosen on the development split, where there is one."
    )


def _row(question: Question, point: Point) -> list[str]:
    cells = [f"{point.rate:g}", f"{point.sentences:,}", _mean(point.means[ALONE])]
    if question.partners and point.gain is not None:
        gain = point.gain
        ends = "one seed" if gain.half is None else f"{gain.low:+.2f} to {gain.high:+.2f}"
        cells += [_mean(point.means[JOINT]), f"{gain.mean:+.2f}", ends]
    return cells


def _mean(found: Estimate) -> str:
    return f"{found.mean:.2f}" + ("" if found.half is None else f" ± {found.half:.2f}")
