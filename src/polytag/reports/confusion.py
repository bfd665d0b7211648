"""Which types are taken for which, and which boundaries are missed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from polytag.reports.cases import Cases
from polytag.reports.span_errors import CORRECT, KINDS, SIDES, Outcome, outcomes

NONE = "(none)"
MOST_TYPES = 24  # a wider table cannot be read
MOST_PAIRS = 12
BOUNDARY_KINDS = ("too short", "too long", "shifted", "wrong type and boundary")


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each gold type (row) met each predicted type (column) on the same words.

    The last row and column stand for spans whose boundaries only one side has. ``left_out`` counts types that take
    part in the fewest confusions and so have no row.
    """

    names: Sequence[str]
    cells: Sequence[Sequence[int]]
    left_out: int


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many errors are of one kind, and what share of all errors that is."""

    kind: str
    count: int
    share: float
    meaning: str


def all_outcomes(cases: Cases) -> list[list[Outcome]]:
    """The outcomes of each sentence."""
    return [outcomes(case.gold, case.found) for case in cases.cases]


def kinds(found: Iterable[Sequence[Outcome]]) -> list[KindCount]:
    """All kinds of errors with their counts, which add up to all errors."""
    counts = Counter(outcome.kind for sentence in found for outcome in sentence)
    errors = sum(count for kind, count in counts.items() if kind != CORRECT)
    return [KindCount(kind, counts[kind], counts[kind] / max(1, errors), text) for kind, text in KINDS.items()]


def boundaries(found: Iterable[Sequence[Outcome]]) -> list[tuple[str, list[int]]]:
    """Of each kind of error with a wrong boundary: how often the left one, the right one, or both were wrong."""
    counts = Counter((outcome.kind, outcome.side) for sentence in found for outcome in sentence)
    return [(kind, [counts[kind, side] for side in SIDES]) for kind in BOUNDARY_KINDS]


def confusion(cases: Cases) -> Confusion:
    """The confusion of types among spans with the same boundaries."""
    pairs = _pairs(cases)
    confused: Counter[str] = Counter()
    for (gold, found), count in pairs.items():
        for name in {gold, found} - {NONE}:
            confused[name] += count if gold != found else 0
    names = sorted(name for name, _ in sorted(confused.items(), key=lambda item: (-item[1], item[0]))[:MOST_TYPES])
    rows = names if cases.plain else [*names, NONE]
    return Confusion(rows, [[pairs[gold, found] for found in rows] for gold in rows], len(confused) - len(names))


def most_frequent(cases: Cases) -> list[tuple[str, str, int]]:
    """Gold type, predicted type and count of the confusions that occur most."""
    wrong = [
        (gold, found, n) for (gold, found), n in _pairs(cases).items() if gold != found and NONE not in (gold, found)
    ]
    return sorted(wrong, key=lambda pair: (-pair[2], pair))[:MOST_PAIRS]


def _pairs(cases: Cases) -> Counter[tuple[str, str]]:
    pairs: Counter[tuple[str, str]] = Counter()
    for case in cases.cases:
        gold, found = ({key[:2]: key.type for key in keys} for keys in (case.gold, case.found))
        pairs.update((gold.get(place, NONE), found.get(place, NONE)) for place in gold.keys() | found.keys())
    return pairs
