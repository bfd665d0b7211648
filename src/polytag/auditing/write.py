"""What an audit writes: a record for each finding, and a page to browse the disagreements."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytag.auditing.repeats import Copy, OddLabel
from polytag.auditing.suspects import Suspect
from polytag.errors import counted
from polytag.files import atomic_write
from polytag.reports.browser import NEVER, browser
from polytag.reports.cases import Case, Key, line_of, place
from polytag.reports.confusion import all_outcomes
from polytag.reports.page import render

if TYPE_CHECKING:
    from polytag.auditing import Audited

RECORDS, PAGE = "audit.jsonl", "audit.html"
SENTENCES_SHOWN = 500

Record = dict[str, Any]


def write_all(directory: Path, found: Mapping[str, "Audited"]) -> tuple[Path, Path]:
    """Write both files; returns where the page and the records lie."""
    page, records = directory / PAGE, directory / RECORDS
    with atomic_write(records) as file:
        for task, of in found.items():
            file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in as_json(task, of))
    title = f"Audit of {', '.join(found)}"
    with atomic_write(page, "wb") as binary:
        html = render("audit.html", title=title, tasks=[_shown(task, of) for task, of in found.items()])
        binary.write(html.encode("utf-8", "backslashreplace"))
    return page, records


def as_json(task: str, found: "Audited") -> Iterator[Record]:
    """The records of one task: disagreements, odd labels, then sentences that stand more than once."""
    yield from (suspect_as_json(task, suspect) for suspect in found.suspects)
    yield from (_odd_as_json(task, odd) for odd in found.odd)
    yield from (_copy_as_json(task, "duplicate", copy) for copy in found.copies)
    yield from (_copy_as_json(task, "overlap", copy) for copy in found.overlap)


def suspect_as_json(task: str, suspect: Suspect) -> Record:
    """A disagreement: what is annotated and what predicted, one of which may be None."""
    case, outcome = suspect.case, suspect.outcome
    return {
        **_place(task, outcome.kind, case, outcome.start),
        "annotated": _side(case, outcome.gold),
        "predicted": _side(case, outcome.found),
        "suspicion": round(suspect.suspicion, 4),
    }


def summary(found: "Audited") -> dict[str, list[str]]:
    """How much was found, in sentences; of each but the first, what it was."""
    copies = f"{counted(len(found.copies), 'sentence')} more than once in training"
    if found.copies:
        copies += f", {sum(not copy.same for copy in found.copies):,} of them annotated differently"
    odd = f"{counted(len(found.odd), 'annotation')} whose words have another label three times as often or more"
    lines: dict[str, list[str]] = {
        f"{counted(len(found.suspects), 'disagreement')} in {counted(len(found.cases.cases), 'sentence')}": [],
        odd: list(map(_odd_told, found.odd)),
        copies: list(map(_copy_told, found.copies)),
    }
    for split in dict.fromkeys(copy.split for copy in found.overlap):
        told = [_copy_told(copy) for copy in found.overlap if copy.split == split]
        lines[f"{counted(len(told), f'{split} sentence')} in training too, so the score says too much"] = told
    return lines


def _odd_told(odd: OddLabel) -> str:
    words = " ".join(odd.case.words[odd.start : odd.end])
    at = place(odd.case.source, line_of(odd.case, odd.start))
    return f"{at}: {words} is {odd.label} here, {odd.usual} {odd.usual_times:,} times"


def _copy_told(copy: Copy) -> str:
    places = ", ".join(copy.places)
    return f"{place(copy.source, copy.line)} is {places}{'' if copy.same else ', annotated differently'}"


def _shown(task: str, found: "Audited") -> Record:
    most: dict[int, float] = {}
    for suspect in found.suspects:
        most[id(suspect.case)] = max(most.get(id(suspect.case), NEVER), suspect.suspicion)
    cases = found.cases
    sure = [most.get(id(case), NEVER) for case in cases.cases]
    shown = browser(cases, all_outcomes(cases), most=SENTENCES_SHOWN, sure=sure)
    return {"task": task, "plain": cases.plain, "lines": summary(found), "browser": shown}


def _place(task: str, kind: str, case: Case, word: int) -> Record:
    return {"kind": kind, "task": task, "file": case.source, "line": line_of(case, word)}


def _side(case: Case, key: Key | None) -> Record | None:
    if key is None:
        return None
    words = case.words[key.start : key.end]
    return {"words": list(words), "start": key.start, "end": key.end, "label": key.type}


def _odd_as_json(task: str, odd: OddLabel) -> Record:
    return {
        **_place(task, "odd label", odd.case, odd.start),
        "annotated": _side(odd.case, Key(odd.start, odd.end, odd.label)),
        "times": odd.times,
        "usual": odd.usual,
        "usual_times": odd.usual_times,
    }


def _copy_as_json(task: str, kind: str, copy: Copy) -> Record:
    at = {"kind": kind, "task": task, "file": copy.source, "line": copy.line, "split": copy.split}
    return {**at, "words": list(copy.words), "places": [*copy.places], "same_annotation": copy.same}
