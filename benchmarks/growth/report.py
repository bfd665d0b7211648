"""The results as a page of Markdown: a table for each dimension and, under it, what the figures say."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from growth.dimensions import DIMENSIONS
from growth.measure import growth_of_cost, growth_of_figure

Results = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]  # dimension -> series -> points

MADE = (
    "{sections}: made by `{command}` on {date}: {machine}; {versions}; one thread. Load of the machine: {load_before} "
    "before, {load_after} after. {network}; words as long as those of {words}; at most {rounds} rounds."
)
METHOD = (
    "All points: [growth.json](growth.json). The network is untrained: speed does not depend on the weights. The text "
    "is synthetic: words as frequent as Zipf's law says, as long as real ones at the same rank, the same in each run. "
    "One round visits all points of a dimension in turn; a figure is the median of the rounds (fewer where a point "
    "takes long), with the lowest and the highest behind it. *× before* is the cost of a token, relative to that of "
    "the size in the line above: the median of the rounds' own ratios. An exponent is the slope of the fitted line in "
    "the logarithms of size and cost: 0 is a cost that stays the same, 1 one that doubles with the size.",
    "![Tokens per second against each size](growth.svg)",
)
FIGURES = {  # by name: heading, digits
    "distinct_words": ("in the text", 0), "tokens": ("tokens", 0), "seconds": ("s", 1), "start": ("first output, s", 1),
    "peak_mb": ("peak MB", 0),
}  # fmt: skip


def page(abouts: Mapping[str, Mapping[str, Any]], results: Results) -> str:
    """The whole page, ending in a line end; ``abouts`` holds how each dimension was measured."""
    parts = ["# How the cost grows", *_made(abouts), *METHOD]
    for name, series in results.items():
        dimension = DIMENSIONS[name]
        table = _files_table if name == "files" else _table
        parts += [f"## {dimension.title}", dimension.note, "\n".join(table(series, dimension.unit))]
        parts += [" ".join(sentences(series, dimension.unit))]
    return "\n\n".join(parts) + "\n"


def _made(abouts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A paragraph for each command, with the sections that it made."""
    for about in {str(about): about for about in abouts.values()}.values():
        yield MADE.format(
            **about, sections=", ".join(DIMENSIONS[name].title for name in abouts if abouts[name] == about)
        )


def _table(series: Mapping[str, Sequence[Mapping[str, Any]]], unit: str) -> Iterator[str]:
    """A line for each size, two columns for each series; figures that are the same for all series once."""
    rows = {result["size"]: result for results in series.values() for result in reversed(results)}
    figures = {name for results in series.values() for result in results for name in result["figures"]}
    shown = [name for name in FIGURES if name in figures]
    yield _line(
        unit, *(FIGURES[name][0] for name in shown), *(c for of in series for c in (f"{of}: tokens/s", "× before"))
    )
    yield _line(*["---:"] * (1 + len(shown) + 2 * len(series)))
    for size in sorted(rows):
        of_size = [next((r for r in results if r["size"] == size), None) for results in series.values()]
        told = [_figure(name, next((r for r in of_size if r and r["figures"]), None)) for name in shown]
        yield _line(_size(size), *told, *(cell for result in of_size for cell in _speed(result)))


def _files_table(series: Mapping[str, Sequence[Mapping[str, Any]]], unit: str) -> Iterator[str]:
    """A line for each size of each network."""
    headings = [FIGURES[name][0] for name in ("tokens", "seconds", "start")]
    yield _line("", unit, *headings, "tokens/s", "× before", "peak MB", "× before")
    yield _line("---", *["---:"] * 8)
    for name, results in series.items():
        before = None
        for result in results:
            figures = [_figure(figure, result) for figure in ("tokens", "seconds", "start")]
            peak = result["figures"].get("peak_mb")
            growth = f"{peak / before:.2f}" if peak and before else ""
            yield _line(name, _size(result["size"]), *figures, *_speed(result), _figure("peak_mb", result), growth)
            before = peak


def _speed(result: Mapping[str, Any] | None) -> tuple[str, str]:
    if result is None:
        return "", ""
    ratio = result["cost_relative_to_before"]
    speeds = f"{result['tokens_per_second']:,.0f} ({result['lowest']:,.0f}–{result['highest']:,.0f})"
    return speeds, "" if ratio is None else f"{ratio:.2f}"


def _figure(name: str, result: Mapping[str, Any] | None) -> str:
    return "" if result is None or name not in result["figures"] else f"{result['figures'][name]:,.{FIGURES[name][1]}f}"


def sentences(series: Mapping[str, Sequence[Mapping[str, Any]]], unit: str) -> Iterator[str]:
    """What the figures say, in a sentence for each kind of cost."""
    costs = {name: growth_of_cost(results) for name, results in series.items()}
    memory = {name: growth_of_figure(results, "peak_mb") for name, results in series.items()}
    for what, growths in (("The cost of a token", costs), ("Peak memory", memory)):
        told = [f"{name}, by {_told(growth)}" for name, growth in growths.items() if growth]
        if told:
            yield f"{what} changes with the size ({unit}): {'; '.join(told)}."


def _told(growth: Mapping[str, Any]) -> str:
    whole = f"a factor of {growth['factor']:.2f} from {_size(growth['from'])} to {_size(growth['to'])}"
    steepest = f"{growth['steepest']:.2f} from {_size(growth['steepest_from'])} to {_size(growth['steepest_to'])}"
    return f"{whole} (fitted exponent {growth['exponent']:.2f}, at the steepest {steepest})"


def _size(size: float) -> str:
    return f"{size:,.10g}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
