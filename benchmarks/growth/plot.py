"""The picture: small multiples, tokens per second against each size, and memory against file size."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from growth.dimensions import DIMENSIONS
from polytag.errors import PolytagError
from polytag.files import atomic_write

COLOURS = ("#1f6fb2", "#6aa9d8", "#c8442d")
OF_SERIES = {"training": "#c8442d", "paper network": "#1f6fb2", "tiny network": "#7a7a7a"}
COLUMNS = 3

Series = Mapping[str, Sequence[Mapping[str, Any]]]


def pyplot() -> Any:
    """matplotlib, set up to give the same bytes each time.

    Raises:
        PolytagError: it is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise PolytagError("the plot needs matplotlib: pip install 'polytag[experiments]'") from None
    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "polytag"
    import matplotlib.pyplot as plt

    return plt


def draw(path: Path, results: Mapping[str, Series]) -> None:
    """One panel for each dimension, with the range of the rounds as bars, and one for the memory of files."""
    plt = pyplot()
    panels = [(name, series, False) for name, series in results.items()]
    panels += [(name, results[name], True) for name in ("files",) if name in results]
    rows = -(-len(panels) // COLUMNS)
    size = (4.2 * min(COLUMNS, len(panels)), 3.4 * rows)
    figure, axes = plt.subplots(rows, min(COLUMNS, len(panels)), figsize=size, layout="constrained", squeeze=False)
    for place, (name, series, memory) in zip(axes.flat, panels, strict=False):
        (_memory if memory else _speeds)(place, series)
        _frame(place, name, series)
        place.set_title(DIMENSIONS[name].title + ", memory" * memory, fontsize=10)
    for place in axes.flat[len(panels) :]:
        place.set_axis_off()
    with atomic_write(path, "wb") as file:
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _speeds(axes: Any, series: Series) -> None:
    for (name, results), colour in zip(series.items(), COLOURS, strict=False):
        speeds = [r["tokens_per_second"] for r in results]
        ranges = [
            [s - r["lowest"] for s, r in zip(speeds, results, strict=True)],
            [r["highest"] - s for s, r in zip(speeds, results, strict=True)],
        ]
        style = {"color": OF_SERIES.get(name, colour), "marker": "o", "markersize": 3.5, "capsize": 2.5}
        axes.errorbar([r["size"] for r in results], speeds, yerr=ranges, label=name, **style)
    axes.set_ylabel("tokens/s")
    axes.set_yscale("log")
    low, high = (
        edge(r[key] for of in series.values() for r in of) for edge, key in ((min, "lowest"), (max, "highest"))
    )
    ticks = [tick * 10**power for power in range(8) for tick in (1, 2, 5) if low / 2 < tick * 10**power < high * 2]
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])


def _memory(axes: Any, series: Series) -> None:
    for name, results in series.items():
        peaks = [r["figures"]["peak_mb"] for r in results]
        axes.plot(
            [r["size"] for r in results], peaks, color=OF_SERIES.get(name), marker="o", markersize=3.5, label=name
        )
    axes.set_ylabel("peak memory, MB")
    axes.set_ylim(bottom=0)


def _frame(axes: Any, name: str, series: Series) -> None:
    sizes = sorted({result["size"] for results in series.values() for result in results})
    axes.set_xlabel(DIMENSIONS[name].unit)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,.10g}" for size in sizes])
    axes.minorticks_off()
    axes.grid(color="#eeeeee")
    axes.legend(frameon=False, fontsize=8)
