"""All that a report says about one task."""

from collections.abc import Sequence
from dataclasses import dataclass

from polytag.reports.breakdown import Breakdown, Row, breakdowns, overall
from polytag.reports.browser import Browser, browser
from polytag.reports.cases import Cases
from polytag.reports.confusion import Confusion, KindCount, all_outcomes, boundaries, confusion, kinds, most_frequent
from polytag.reports.intervals import TRIALS
from polytag.reports.reliability import Diagram, diagrams
from polytag.scoring import Tally

SENTENCES_SHOWN = 300


@dataclass(frozen=True)
class Analysis:
    """Scores, confusions, calibration and errors of one task on some sentences."""

    task: str
    plain: bool
    sources: Sequence[str]
    sentences: int
    words: int
    accuracy: Tally  # of words
    right_sentences: int
    overall: Row
    breakdowns: Sequence[Breakdown]
    errors: int
    kinds: Sequence[KindCount]
    boundaries: Sequence[tuple[str, Sequence[int]]]
    confusion: Confusion
    frequent: Sequence[tuple[str, str, int]]
    diagrams: Sequence[Diagram]
    browser: Browser
    note: str  # what could not be told, and why


def analyse(cases: Cases, *, trials: int = TRIALS, sentences_shown: int = SENTENCES_SHOWN) -> Analysis:
    """Analyse the cases of one task.

    Args:
        cases: gold and predicted spans of at least one sentence.
        trials: resampled sets of sentences behind each interval.
        sentences_shown: in the error browser at most.
    """
    found, counts = all_outcomes(cases), cases.counts()
    by_kind = kinds(found)
    return Analysis(
        task=cases.task,
        plain=cases.plain,
        sources=cases.sources,
        sentences=len(cases.cases),
        words=cases.words,
        accuracy=counts.tokens["all"],
        right_sentences=sum(case.is_right for case in cases.cases),
        overall=overall(cases, trials=trials),
        breakdowns=breakdowns(cases, trials=trials),
        errors=sum(kind.count for kind in by_kind),
        kinds=by_kind,
        boundaries=boundaries(found),
        confusion=confusion(cases),
        frequent=most_frequent(cases),
        diagrams=diagrams(cases),
        browser=browser(cases, found, most=sentences_shown),
        note=f"scores by frequency in training are left out: {cases.seen_note}" if cases.seen_note else "",
    )
