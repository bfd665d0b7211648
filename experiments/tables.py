"""Markdown tables of results: paper and measurement side by side, an empty cell where nothing was run."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.catalogue import AT, Catalogue, Row, Table
from experiments.results import Result, latest, read_results

MINUS = "−"
BELOW = 1.0  # points under the paper's figure from which a cause is looked for
README = "README.md"
COLUMNS = """\
`best-on-test` is the highest test score of all epochs, mean and standard deviation over the seeds: optimistic, and
there only to be compared with the paper's figure, which the authors' code chooses so. `dev-selected` is the test score
of the epoch that the development split chose (of a joint run, for each task by its own): the number to trust.
`vectors` says whose word vectors: `ours` are far smaller than the paper's SENNA and Polyglot; `none` needs none, so
that row is exactly comparable. `minutes` are of one core and one seed. An empty cell was not run.
"""


@dataclass(frozen=True)
class Line:
    """What was measured of one row with one kind of vectors, over its seeds."""

    row: Row
    name: str  # with @variant
    results: tuple[Result, ...]

    @property
    def variant(self) -> str:
        """Its name, if any."""
        return self.name.partition(AT)[2]

    @property
    def test(self) -> list[float]:
        """Test scores at the epoch chosen on the development split."""
        return [result.test for result in self.results if result.test is not None]

    @property
    def best_on_test(self) -> list[float]:
        """The highest test scores of all epochs."""
        return [result.best_on_test for result in self.results if result.best_on_test is not None]

    @property
    def vectors(self) -> str:
        """Whose."""
        return self.results[0].vectors if self.results else ""

    @property
    def shortfall(self) -> float | None:
        """How far the mean of best-on-test stays below the paper's figure; None where there is nothing to compare."""
        if self.row.paper is None or not self.best_on_test:
            return None
        return self.row.paper - statistics.mean(self.best_on_test)

    def gain_over(self, other: "Line", score: Literal["test", "best_on_test"]) -> float | None:
        """The mean difference in a score of the seeds that both were run with; None where there is none."""
        theirs = {result.seed: getattr(result, score) for result in other.results}
        pairs = [(getattr(result, score), theirs.get(result.seed)) for result in self.results]
        gains = [ours - before for ours, before in pairs if ours is not None and before is not None]
        return statistics.mean(gains) if gains else None


def lines(table: Table, catalogue: Catalogue) -> list[Line]:
    """Every row of a table, once for each kind of vectors that it was run with; without results, once and empty."""
    found = []
    for row in table.rows:
        home = table.home(row)
        found += lines_of(row, home, catalogue) or [Line(row, home.partition("/")[2], ())]
    return found


def lines_of(row: Row, home: str, catalogue: Catalogue) -> list[Line]:
    """What FOLDER/ROW[@VARIANT] was measured to give for a row's task, once for each kind of vectors."""
    folder, _, name = home.partition("/")
    return _by_vectors(row, name, [result for result in _all(catalogue, folder, row.task) if result.row == name])


def variant_lines(table: Table, catalogue: Catalogue) -> list[tuple[Line, Line | None]]:
    """What was run of variants, each beside the same row without: only runs at home in this folder."""
    plain = {(line.name, line.row.task, line.vectors): line for line in lines(table, catalogue)}
    found = []
    for row in table.rows:
        folder, _, home = table.home(row).partition("/")
        if folder == table.folder:
            of_row = [r for r in _all(catalogue, folder, row.task) if r.row.startswith(home + AT)]
            for name in dict.fromkeys(result.row for result in of_row):
                for line in _by_vectors(row, name, [r for r in of_row if r.row == name]):
                    found.append((line, plain.get((home, row.task, line.vectors))))
    return found


def main_table(found: Sequence[Line]) -> str:
    """paper | best-on-test | dev-selected | ..."""
    head = ["", "paper", "best-on-test", "dev-selected", "dev", "epoch", "seeds", "vectors", "minutes"]
    return markdown(head, ([line.row.label, _score(line.row.paper), *_measured(line)] for line in found))


def variant_table(found: Iterable[tuple[Line, Line | None]]) -> str:
    """The same for variants, with the dev-selected difference that each makes on the same seeds."""
    head = [
        "",
        "variant",
        "paper",
        "best-on-test",
        "dev-selected",
        "dev",
        "epoch",
        "seeds",
        "vectors",
        "minutes",
        "gain",
    ]
    body = []
    for line, plain in found:
        gain = line.gain_over(plain, "test") if plain else None
        shown = "" if gain is None else signed(gain)
        body.append([line.row.label, line.variant, _score(line.row.paper), *_measured(line), shown])
    return markdown(head, body)


def markdown(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table; cells are text."""
    rows = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def picture(path: Path) -> str:
    """A picture that lies beside the page."""
    return f"![{path.stem}]({path.name})\n"


def mean_and_sd(values: Sequence[float]) -> str:
    """``88.12 ± 0.21``; nothing of nothing, and no deviation of one value."""
    if not values:
        return ""
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"


def signed(value: float) -> str:
    """``+0.51``, ``−0.20``."""
    return f"{value:+.2f}".replace("-", MINUS)


def _measured(line: Line) -> list[str]:
    if not line.results:
        return [""] * 7
    epochs = "/".join(str(result.selected_epoch) for result in line.results)
    seeds = ", ".join(str(result.seed) for result in line.results)
    dev = mean_and_sd([result.dev for result in line.results if result.dev is not None])
    minutes = f"{statistics.mean(result.minutes for result in line.results):.0f}"
    return [mean_and_sd(line.best_on_test), mean_and_sd(line.test), dev, epochs, seeds, line.vectors, minutes]


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _all(catalogue: Catalogue, folder: str, task: str) -> list[Result]:
    return [result for result in latest(read_results(catalogue.root / folder)) if result.task == task]


def _by_vectors(row: Row, name: str, results: Iterable[Result]) -> list[Line]:
    groups: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda result: result.seed):
        groups.setdefault(result.vectors, []).append(result)
    return [Line(row, name, tuple(group)) for group in groups.values()]
