"""The pictures: paper against measurement, the learning curve, country names by t-SNE; the same bytes each time."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.catalogue import AT, Catalogue
from experiments.results import Result, latest, read_results
from experiments.tables import Line
from polytag.errors import PolytagError
from polytag.files import atomic_write

PAPER, OURS, OTHER = "#555555", "#1f6fb2", "#c8442d"
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
CURVE = {  # label, colour -> how the runs of a rate are named; the rate 1 alone is Table 5's
    ("Spanish alone", PAPER): "table8/es-{rate}",
    ("with English", OURS): "table8/es-{rate}-with-en",
}
FULL_ALONE = "table5/ours"


def overview(path: Path, found: Sequence[tuple[str, Line, Line | None]]) -> bool:
    """Each row that has the paper's figure and a result: a grey mark for the paper, blue ones for the measured.

    A row is its label, what was measured, and the same by our recipe, if that was run.
    """
    rows = [row for row in reversed(found) if row[1].row.paper is not None and row[1].best_on_test]
    if not rows:
        return False
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(8, 1.4 + 0.28 * len(rows)), layout="constrained")

    def mark(values: Mapping[int, float], label: str, **style: Any) -> None:
        axes.scatter(list(values.values()), list(values), label=label, **style)

    paper = {y: line.row.paper for y, (_, line, _) in enumerate(rows) if line.row.paper is not None}
    best = {y: statistics.mean(line.best_on_test) for y, (_, line, _) in enumerate(rows)}
    recipe = {y: statistics.mean(ours.best_on_test) for y, (*_, ours) in enumerate(rows) if ours}
    axes.hlines(list(paper), [best[y] for y in paper], list(paper.values()), color="#cccccc", zorder=1)
    mark(paper, "paper", color=PAPER, marker="|", s=90)
    mark(best, "best-on-test", color=OURS, s=22)
    selected = {y: statistics.mean(line.test) for y, (_, line, _) in enumerate(rows)}
    mark(selected, "dev-selected", facecolors="white", edgecolors=OURS, s=22)
    mark(recipe, "best-on-test by our recipe", color=OTHER, marker="D", s=14)
    axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
    axes.margins(y=0.5 / len(rows))
    axes.set_axisbelow(True)
    axes.set_xlabel("test score, percent")
    axes.grid(axis="x", color="#eeeeee")
    figure.legend(loc="outside upper right", ncols=4, frameon=False, fontsize=8)
    _save(figure, path)
    return True


def learning_curve(path: Path, catalogue: Catalogue) -> bool:
    """Spanish entities over labeling rates with and without English: mean and spread of the seeds."""
    drawn = {label: _curve(catalogue, name, alone=i == 0) for i, (label, name) in enumerate(CURVE.items())}
    if not any(drawn.values()):
        return False
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for (label, colour), points in drawn.items():
        rates = sorted(points)
        axes.plot(rates, [statistics.mean(points[rate]) for rate in rates], color=colour, marker="o", label=label)
        axes.fill_between(
            rates, [min(points[r]) for r in rates], [max(points[r]) for r in rates], color=colour, alpha=0.15
        )
    axes.set_xscale("log")
    axes.set_xticks(RATES, [f"{rate:g}" for rate in RATES])
    axes.minorticks_off()
    axes.set_xlabel("labeling rate of Spanish")
    axes.set_ylabel("test F1, epoch chosen on the development split")
    axes.grid(color="#eeeeee")
    axes.legend(frameon=False)
    _save(figure, path)
    return True


def names(path: Path, pairs: Sequence[tuple[str, str]], vectors: tuple[NDArray[Any], NDArray[Any]], title: str) -> None:
    """t-SNE of country names: English black, Spanish red, as in the paper."""
    from sklearn.manifold import TSNE

    plt = _pyplot()
    everything = np.concatenate(vectors)
    perplexity = min(15, (len(everything) - 1) / 3)
    places = TSNE(random_state=13, init="pca", perplexity=perplexity).fit_transform(everything)
    figure, axes = plt.subplots(figsize=(11, 9), layout="constrained")
    texts = [*((name, "black") for name, _ in pairs), *((name, OTHER) for _, name in pairs)]
    axes.scatter(places[:, 0], places[:, 1], s=2, color="#aaaaaa")
    for (name, colour), (x, y) in zip(texts, places, strict=True):
        axes.annotate(name, (float(x), float(y)), color=colour, fontsize=7)
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()
    _save(figure, path)


def _curve(catalogue: Catalogue, name: str, *, alone: bool) -> dict[float, list[float]]:
    points: dict[float, list[float]] = {}
    for rate in RATES:
        home = FULL_ALONE if alone and rate == 1 else name.format(rate=f"{rate:g}")
        scores = [result.test for result in _of(catalogue, home) if result.test is not None]
        if scores:
            points[rate] = scores
    return points


def _of(catalogue: Catalogue, home: str) -> list[Result]:
    """Spanish results with our vectors."""
    folder, _, name = home.partition("/")
    found = latest(read_results(catalogue.root / folder))
    return [r for r in found if r.row == name and AT not in r.row and r.task == "es-ner" and r.vectors == "ours"]


def _save(figure: Any, path: Path) -> None:
    metadata: Mapping[str, None] = {"Date": None, "Creator": None}
    with atomic_write(path, "wb") as file:
        figure.savefig(file, format="svg", metadata=metadata)
    _pyplot().close(figure)


def _pyplot() -> Any:
    try:
        import matplotlib as mpl
    except ImportError:
        raise PolytagError("plots need matplotlib and scikit-learn: pip install 'polytag[experiments]'") from None
    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "polytag"
    import matplotlib.pyplot as plt

    return plt
