"""A report on a model: its tasks' analyses on one page."""

from collections.abc import Collection, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytag.corpus.sentence import Sentence
from polytag.reports.breakdown import breakdowns, overall
from polytag.reports.browser import browser
from polytag.reports.cases import Cases, read_cases
from polytag.reports.confusion import all_outcomes, boundaries, confusion, kinds, most_frequent
from polytag.reports.page import render
from polytag.reports.reliability import diagrams

if TYPE_CHECKING:
    from polytag.tagger.tagging import Tagger

SENTENCES_SHOWN = 300


def report_cases(
    tagger: "Tagger",
    sentences: Mapping[str, Iterable[Sentence]],
    *,
    data: str | PathLike[str] | None = None,
    consistent: Collection[str] = (),
) -> dict[str, Cases]:
    """Tag the sentences of each task and set what was found against their tags.

    Training files, for scores by frequency, are looked up as the model's plan says and below ``data``. ``consistent``
    are the tasks whose names are to be.

    Raises:
        CorpusError: the sentences cannot be read, or there is none.
    """
    plan = tagger.plan
    if data is not None:
        plan = plan.model_copy(update={"search": (*plan.search, str(Path(data).resolve()))})
    return {
        task: read_cases(tagger, task, found, plan=plan, consistent=task in consistent)
        for task, found in sentences.items()
    }


def report_page(
    cases: Mapping[str, Cases], *, title: str, curves: str = "", sentences_shown: int = SENTENCES_SHOWN
) -> str:
    """The report as one HTML page: scores with intervals, confusions, calibration, and an error browser for each task.

    ``curves`` is an SVG of the training's curves, as `curves_of` draws them, for the end of the page.

    Raises:
        PolytagError: Jinja2 or matplotlib is not installed.
    """
    analyses = [_analysis(found, sentences_shown=sentences_shown) for found in cases.values()]
    return render("report.html", title=title, analyses=analyses, curves=curves)


def _analysis(cases: Cases, *, sentences_shown: int) -> dict[str, Any]:
    """All that the page says about one task: scores, confusions, calibration and errors."""
    found = all_outcomes(cases)
    by_kind = kinds(found)
    return {
        "task": cases.task,
        "plain": cases.plain,
        "sources": cases.sources,
        "sentences": len(cases.cases),
        "words": cases.words,
        "accuracy": cases.counts().accuracy,
        "right_sentences": sum(case.is_right for case in cases.cases),
        "overall": overall(cases),
        "breakdowns": breakdowns(cases),
        "errors": sum(kind.count for kind in by_kind),
        "kinds": by_kind,
        "boundaries": boundaries(found),
        "confusion": confusion(cases),
        "frequent": most_frequent(cases),
        "diagrams": diagrams(cases),
        "browser": browser(cases, found, most=sentences_shown),
        "note": f"scores by frequency in training are left out: {cases.seen_note}" if cases.seen_note else "",
    }
