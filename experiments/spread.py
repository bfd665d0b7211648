"""What other seeds would say of a difference: Welch's t over the seeds of two rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from statistics import mean

from scipy import stats

from experiments.catalogue import AT, Catalogue, Table
from experiments.tables import Line, lines_of


@dataclass(frozen=True, slots=True)
class Spread:
    """The difference of two rows' mean test scores, in points, with its 95 % interval."""

    row: str  # both with @variant
    against: str
    seeds: tuple[int, int]  # how many of each row
    difference: float
    low: float
    high: float
    probability: float  # of one at least as large, either way, if the rows' means over all seeds were equal


def spreads(table: Table, catalogue: Catalogue) -> Iterator[Spread]:
    """Every row that is compared with another one, variants too, where both have two seeds or more.

    The seeds of the two rows are drawn apart (other networks start from the same seed), so nothing is paired.
    """
    for row in table.rows:
        if (rival := catalogue.rival(row, table)) is None:
            continue
        for variant in ("", *(AT + name for name in catalogue.variants)):
            of_row, of_rival = (lines_of(row, home + variant, catalogue) for home in (table.home(row), rival))
            for line, other in product(of_row, of_rival):
                if _one_kind(line.vectors, other.vectors) and min(len(line.test), len(other.test)) > 1:
                    yield _spread(line, other, (row.name + variant, f"{row.against}{variant}"))


def _one_kind(vectors: str, others: str) -> bool:
    """Whether two rows have the same vectors, or only one has any: those of a partner's language."""
    return vectors == others or "none" in (vectors, others)


def _spread(line: Line, other: Line, names: tuple[str, str]) -> Spread:
    found = stats.ttest_ind(line.test, other.test, equal_var=False)
    low, high = map(float, found.confidence_interval(0.95))
    difference = mean(line.test) - mean(other.test)
    return Spread(*names, (len(line.test), len(other.test)), difference, low, high, float(found.pvalue))
