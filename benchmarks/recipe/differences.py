"""What a choice brings: differences of two rows of the page, with Welch's interval over the seeds of both."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from math import sqrt

from scipy import stats

from benchmarks.page import SEEDS, Row, Section, line, of_seeds, sections
from benchmarks.recipe.rows import AFRICAN, RECASING, TOOLS, WITHOUT

HEADING = "## Differences"
HEAD = """
What other seeds may give, in points: the difference of two rows' means with its 95 % interval (Welch's t over the seeds
of both, of the means and standard deviations above). Rows of one seed have none.
"""
_LANGUAGES, _ALL = "english, dutch, spanish", "english, chunks, pos, dutch, spanish"
_MULTI, _LOWER = "chunks, entities, parts of speech", "chunks, parts of speech from the lower layer"
PAIRS = (
    ("english", "english small"),
    ("english, fine tuning 0.3", "english"),
    ("english small, fine tuning 0.3", "english small"),
    ("english, refit", "english"),
    (f"english small{RECASING}", "english small"),
    *((f"english small, {what}", "english small") for what in WITHOUT),
    *product((_MULTI, "chunks, parts of speech", _LOWER), ("chunks",)),
    (_LOWER, "chunks, parts of speech"),
    ("chunks, 30% of labels, with pos from the lower layer", "chunks, 30% of labels, with pos"),
    (_MULTI, "english"),
    *product((_LANGUAGES, _ALL), ("english", "dutch", "spanish")),
    (_ALL, "chunks"),
    (_ALL, _LANGUAGES),
    (_ALL, _MULTI),
    *((f"masakhaner {code}, mention replacement", f"masakhaner {code}") for code in AFRICAN),
    *(("masakhaner, ten languages", f"masakhaner {code}") for code in AFRICAN),
)
_MEANS = (("each alone, mention replacement", "each alone"), ("together", "each alone"))


def section(page: str) -> Iterator[str]:
    """The section of differences, of a page of `python -m benchmarks.recipe`."""
    found = sections(page)
    yield from (HEADING, HEAD, line(("row", "against", "task", SEEDS, "dev", "test")), "|---" * 6 + "|")
    scores = next(iter(found.values())).rows
    for name, other in PAIRS:
        for task in (task for row, task in scores if row == name and (other, task) in scores):
            yield from _told(name, other, task, scores[name, task], scores[other, task])
    mean = "MasakhaNER, mean of ten"
    for name, other in _MEANS:
        if (mean, name) in scores and (mean, other) in scores:
            yield from _told(name, other, mean, scores[mean, name], scores[mean, other])
    yield from _elsewhere(found.get("## Other domains", Section()).rows)


def _elsewhere(rows: Mapping[tuple[str, ...], Row]) -> Iterator[str]:
    """The tools against the last of them, place by place."""
    for (name, place), row in rows.items():
        for tool in TOOLS[:-1]:
            sides = ({SEEDS: row[SEEDS], "test": row.get(each, "")} for each in (tool, TOOLS[-1]))
            yield from _told(tool, TOOLS[-1], f"{name}: {place}", *sides)


def _told(name: str, other: str, task: str, row: Row, against: Row) -> Iterator[str]:
    cells = [_cell(row, against, split) for split in ("dev", "test")]
    if any(cells):
        counts = f"{len(of_seeds(row))} and {len(of_seeds(against))}"
        yield line((name, other, task, counts, *cells))


def _cell(row: Row, against: Row, split: str) -> str:
    sides = [re.fullmatch(r"([\d.]+) ± ([\d.]+)", side.get(split, "")) for side in (row, against)]
    runs = [len(of_seeds(side)) for side in (row, against)]
    if not sides[0] or not sides[1] or min(runs) < 2:
        return ""
    (mean, spread), (other, others) = ((float(side[1]), float(side[2])) for side in sides if side)
    low, high = welch((mean, spread, runs[0]), (other, others, runs[1]))
    return f"{mean - other:+.2f} ({low:+.2f} to {high:+.2f})".replace("-", "−")


def welch(one: tuple[float, float, int], other: tuple[float, float, int]) -> tuple[float, float]:
    """The 95 % interval of a difference of means (Welch 1947), each side its mean, standard deviation and runs."""
    variances = [spread**2 / runs for _, spread, runs in (one, other)]
    if not sum(variances):
        return one[0] - other[0], one[0] - other[0]
    freedom = sum(variances) ** 2 / sum(
        variance**2 / (runs - 1) for variance, (_, _, runs) in zip(variances, (one, other), strict=True)
    )
    low, high = stats.t.interval(0.95, freedom, loc=one[0] - other[0], scale=sqrt(sum(variances)))
    return float(low), float(high)
