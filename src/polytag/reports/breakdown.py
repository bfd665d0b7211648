"""Scores by group: type, known and unknown words, length, frequency in training; each with its interval."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from polytag.reports.cases import Case, Cases, Key
from polytag.reports.intervals import TRIALS, Interval, intervals

ALL = "all"
MOST_ROWS = 80  # of one table: a tag set may have hundreds
LENGTHS = ("1", "2", "3", "4", "5 or more")
FREQUENCIES = {0: "never", 1: "once", 5: "2 to 5 times"}  # up to so often -> name
OFTEN = "more than 5 times"
UNKNOWN = {0: "all words known", 1: "some words unknown", 2: "no word known"}

Group = Callable[[Case, Key], str]


@dataclass(frozen=True, slots=True)
class Row:
    """One group: how many items were correct, predicted and gold, and the rates with their intervals, 0 to 100."""

    name: str
    correct: int
    predicted: int
    gold: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A table of scores by group."""

    title: str
    note: str
    rows: Sequence[Row]
    left_out: int = 0  # groups beyond MOST_ROWS


def overall(cases: Cases, *, trials: int = TRIALS) -> Row:
    """All items of all sentences."""
    return _rows(cases.cases, lambda *_: ALL, [ALL], trials)[0]


def breakdowns(cases: Cases, *, trials: int = TRIALS) -> list[Breakdown]:
    """All tables of scores that a report shows."""
    items = "tag" if cases.plain else "span"
    found = [_by_type(cases, trials)]
    known = "A word is known if training files hold it, as the model looks words up."
    if cases.plain:
        found.append(_made("By known and unknown words", known, cases, _known_word, ("known", "unknown"), trials))
    else:
        note = f"{known} A gold {items} is told by its own words, a predicted one by its own."
        found.append(_made("By known and unknown words", note, cases, _known_words, UNKNOWN.values(), trials))
        found.append(_made("By length in words", "", cases, _length, LENGTHS, trials))
    if cases.seen is None:
        return found
    what = "the word stands in them" if cases.plain else "they annotate the same words as a span, of any type"
    note = f"How often the training files hold the {items}: how often {what}."
    names = [*FREQUENCIES.values(), OFTEN]
    return [*found, _made("By frequency in training", note, cases, _frequency(cases.seen), names, trials)]


def _by_type(cases: Cases, trials: int) -> Breakdown:
    frequency = Counter(key.type for case in cases.cases for key in case.gold)
    frequency.update({key.type: 0 for case in cases.cases for key in case.found})
    names = sorted(name for name, _ in frequency.most_common(MOST_ROWS))
    title = "By tag" if cases.plain else "By type"
    rows = _rows(cases.cases, lambda _case, key: key.type, names, trials)
    return Breakdown(title, "", rows, left_out=len(frequency) - len(names))


def _made(title: str, note: str, cases: Cases, group: Group, names: Iterable[str], trials: int) -> Breakdown:
    rows = _rows(cases.cases, group, list(names), trials)
    return Breakdown(title, note, [row for row in rows if row.gold or row.predicted])


def _rows(cases: Sequence[Case], group: Group, names: Sequence[str], trials: int) -> list[Row]:
    """A row for each name; items of groups that have no name here are left out."""
    column = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(cases), len(names), 3))
    for number, case in enumerate(cases):
        gold, found = set(case.gold), set(case.found)
        for key in gold | found:
            if (at := column.get(group(case, key))) is not None:
                counts[number, at] += (key in gold and key in found, key in found, key in gold)
    totals = counts.sum(0).astype(int).tolist()
    found_rates = intervals(counts, trials=trials)
    return [
        Row(name, total[0], total[1], total[2], *three)
        for name, total, three in zip(names, totals, found_rates, strict=True)
    ]


def _known_word(case: Case, key: Key) -> str:
    return "known" if case.known[key.start] else "unknown"


def _known_words(case: Case, key: Key) -> str:
    known = case.known[key.start : key.end]
    return UNKNOWN[0 if all(known) else 1 if any(known) else 2]


def _length(_case: Case, key: Key) -> str:
    return LENGTHS[min(key.end - key.start, len(LENGTHS)) - 1]


def _frequency(seen: Mapping[tuple[str, ...], int]) -> Group:
    def group(case: Case, key: Key) -> str:
        times = seen.get(case.words[key.start : key.end], 0)
        return next((name for most, name in FREQUENCIES.items() if times <= most), OFTEN)

    return group
