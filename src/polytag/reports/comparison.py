"""Two models on the same sentences: scores, whether they differ by more than chance, and where they differ."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from polytag.errors import PlanError
from polytag.reports.browser import Segment, segments, window
from polytag.reports.cases import Case, Cases, Key
from polytag.reports.intervals import TRIALS, Interval, rates, resampled
from polytag.reports.page import render
from polytag.scoring import approximate_randomisation
from polytag.scoring.counts import Tally
from polytag.scoring.significance import Triple

RANDOMISATIONS = 10_000
SENTENCES_SHOWN = 300
VERDICTS = {  # who is right about a sentence -> what that means
    "A": "A has it right, B does not",
    "B": "B has it right, A does not",
    "neither": "both are wrong, in different ways",
}


@dataclass(frozen=True, slots=True)
class Line:
    """The scores of both models on one group of items, 0 to 100 (F1; of plain tags accuracy or F1 of the tag)."""

    name: str
    gold: int
    a: float
    b: float

    @property
    def difference(self) -> float:
        """B less A."""
        return self.b - self.a


@dataclass(frozen=True, slots=True)
class Difference:
    """A sentence about which the models differ: who is right, and how many errors each makes."""

    number: int  # of the sentence in the file, from 1
    verdict: str  # a key of VERDICTS
    a: Case
    b: Case

    @property
    def errors(self) -> tuple[int, int]:
        """Spans of A, and of B, that are missing or wrong."""
        return _errors(self.a), _errors(self.b)


@dataclass(frozen=True, repr=False)
class Comparison:
    """What a comparison found; differences are B's score less A's. As text and in notebooks, its table."""

    task: str
    plain: bool
    sources: Sequence[str]
    sentences: int
    words: int
    precision: Line
    recall: Line
    score: Line
    types: Sequence[Line]
    interval: Interval  # of the difference of the score
    probability: float
    differences: Sequence[Difference]
    verdicts: dict[str, int]
    lacking: Mapping[str, str] = field(default_factory=dict)  # model -> what to say of labels that it never finds

    def __repr__(self) -> str:
        return f"Comparison({self.task}: {self.answer})"

    def __str__(self) -> str:
        """A line for each type, the scores over all, and the answer."""
        head = f"{self.task}: {self.sentences:,} sentences, {self.words:,} words of {', '.join(self.sources)}"
        names = f"{'':<20} {'A':>7} {'B':>7} {'B - A':>7} {'gold':>7}"
        rows = (f"{row.name:<20} {row.a:7.2f} {row.b:7.2f} {row.difference:+7.2f} {row.gold:7,}" for row in self.lines)
        return "\n".join([head, "", names, *rows, "", *self._told])

    def _repr_html_(self) -> str:
        """The same, for notebooks."""
        cells = (
            f"<tr><th>{escape(row.name)}</th><td>{row.a:.2f}</td><td>{row.b:.2f}</td><td>{row.difference:+.2f}</td>"
            f"<td>{row.gold:,}</td></tr>"
            for row in self.lines
        )
        names = "".join(f"<th>{name}</th>" for name in ("", "A", "B", "B - A", "gold"))
        told = "".join(f"<p>{escape(line)}</p>" for line in self._told)
        return f"<table><thead><tr>{names}</tr></thead><tbody>{''.join(cells)}</tbody></table>{told}"

    @property
    def lines(self) -> list[Line]:
        """The scores of each type, and those over all."""
        return [*self.types, *([self.score] if self.plain else [self.precision, self.recall, self.score])]

    @property
    def _told(self) -> list[str]:
        lost = ", ".join(f"{line.name} {line.difference:+.2f}" for line in self.lost)
        verdicts = (
            f"They differ in {len(self.differences):,} sentences: A is right in {self.verdicts['A']:,}, "
            f"B in {self.verdicts['B']:,}, neither in {self.verdicts['neither']:,}."
        )
        return [self.answer, *([f"Types that lost from A to B: {lost}."] if lost else []), verdicts]

    @property
    def metric(self) -> str:
        """What `score` is."""
        return "accuracy" if self.plain else "F1"

    @property
    def lost(self) -> list[Line]:
        """The types that B finds less well than A, those that lost most first."""
        return sorted((line for line in self.types if line.difference < 0), key=lambda line: line.difference)

    @property
    def answer(self) -> str:
        """The result as one sentence."""
        better, points = ("B" if self.score.difference > 0 else "A"), abs(self.score.difference)
        test = f"95 % interval {self.interval.low:+.2f} to {self.interval.high:+.2f}, p = {self.probability:.4f}"
        if not points:
            return f"A and B have the same {self.metric} ({test})."
        if self.probability < 0.05:
            return f"{better} is better by {points:.2f} {self.metric} ({test})."
        return f"{better} is ahead by {points:.2f} {self.metric}, which may well be chance ({test})."


def compare_cases(a: Cases, b: Cases, *, trials: int = TRIALS, randomisations: int = RANDOMISATIONS) -> Comparison:
    """Hold two models against each other; tags of different schemes are compared as the spans that they mark.

    The probability is that of a difference at least as large if it were chance which model said what (approximate
    randomisation over sentences); the interval comes from random samples of sentences, the same for both models.

    Raises:
        PlanError: one model labels words, the other spans.
        ValueError: the two are not about the same sentences.
    """
    if a.plain != b.plain:
        plain, spans = (a, b) if a.plain else (b, a)
        raise PlanError(f"'{plain.task}' labels single words and '{spans.task}' spans, expected two of a kind")
    if [case.gold for case in a.cases] != [case.gold for case in b.cases]:
        raise ValueError("two models were tagged on different sentences, expected the same sentences twice")
    counts = [[_triple(case) for case in cases.cases] for cases in (a, b)]
    totals = [Tally(*(sum(column) for column in zip(*one, strict=True))) for one in counts]
    found = _differences(a, b)
    verdicts = Counter(difference.verdict for difference in found)
    return Comparison(
        task=a.task if a.task == b.task else f"{a.task} and {b.task}",
        plain=a.plain,
        sources=a.sources,
        sentences=len(a.cases),
        words=a.words,
        precision=Line("precision", totals[0].gold, *(total.precision for total in totals)),
        recall=Line("recall", totals[0].gold, *(total.recall for total in totals)),
        score=Line("accuracy" if a.plain else "F1", totals[0].gold, *(total.f1 for total in totals)),
        types=_types(a.counts().types, b.counts().types),
        interval=_interval(*counts, trials=trials),
        probability=approximate_randomisation(*counts, trials=randomisations),
        differences=found,
        verdicts={verdict: verdicts[verdict] for verdict in VERDICTS},
    )


def comparison_page(comparison: Comparison, *, names: tuple[str, str]) -> str:
    """The comparison as one HTML page.

    Raises:
        PolytagError: Jinja2 is not installed.
    """
    shown = comparison.differences[:SENTENCES_SHOWN]
    cards = [(difference, rows(difference, plain=comparison.plain)) for difference in shown]
    return render("comparison.html", title=f"{names[0]} and {names[1]}", c=comparison, names=names, cards=cards,
                  verdicts=VERDICTS)  # fmt: skip


def rows(difference: Difference, *, plain: bool) -> list[tuple[str, list[Segment]]]:
    """Gold and both models' spans in context; of plain tags those that the models differ about."""
    a, b = difference.a, difference.b
    sides = {"gold": a.gold, "A": a.found, "B": b.found}
    gold = set(a.gold)
    disputed = {key[:2] for key in set(a.found) ^ set(b.found)} | {
        key[:2] for key in (set(a.found) | set(b.found)) - gold
    }
    within = window(len(a.words), [(key.start, key.end) for key in set(a.found) ^ set(b.found)])
    found = []
    for name, keys in sides.items():
        wrong = frozenset(key for key in keys if key not in gold)
        shown: Sequence[Key] = [key for key in keys if key[:2] in disputed] if plain else keys
        case = b if name == "B" else a
        found.append(
            (name, segments(case, shown, within=within, wrong=wrong, probable=name != "gold", only_wrong=False))
        )
    return found


def _differences(a: Cases, b: Cases) -> list[Difference]:
    return [
        Difference(number, "A" if one.is_right else "B" if other.is_right else "neither", one, other)
        for number, (one, other) in enumerate(zip(a.cases, b.cases, strict=True), start=1)
        if set(one.found) != set(other.found)
    ]


def _triple(case: Case) -> Triple:
    return len(set(case.gold) & set(case.found)), len(case.found), len(case.gold)


def _errors(case: Case) -> int:
    """Errors as a reader counts them: a wrong span in the place of a gold one is one error."""
    gold, found = set(case.gold), set(case.found)
    return max(len(gold - found), len(found - gold))


def _types(a: Mapping[str, Tally], b: Mapping[str, Tally]) -> list[Line]:
    pairs = [(name, a.get(name, Tally()), b.get(name, Tally())) for name in sorted(a.keys() | b.keys())]
    return [Line(name, one.gold or other.gold, one.f1, other.f1) for name, one, other in pairs]


def _interval(a: Sequence[Triple], b: Sequence[Triple], *, trials: int) -> Interval:
    """The difference of F1 with the interval that holds it in 95 % of the samples, the same ones for both."""
    counts = np.stack([np.array(a, dtype=np.float64), np.array(b, dtype=np.float64)], axis=1)
    drawn = rates(np.concatenate(list(resampled(counts, trials=trials))))[..., 2]
    low, high = np.quantile(drawn[:, 1] - drawn[:, 0], [0.025, 0.975])
    observed = rates(counts.sum(0))[..., 2]
    return Interval(100 * float(observed[1] - observed[0]), 100 * float(low), 100 * float(high))
