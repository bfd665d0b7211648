"""Audits: training sentences whose annotation is probably wrong, by models that were not trained on them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from polytag.auditing.repeats import Copy, OddLabel, duplicates, odd_labels, overlap
from polytag.auditing.suspects import Suspect, suspects
from polytag.auditing.write import write_all
from polytag.corpus.sentence import Sentence
from polytag.errors import PlanError
from polytag.plan import Plan
from polytag.plan_file import load_plan
from polytag.reports.cases import Cases, line_of, read_cases
from polytag.reports.page import check_jinja
from polytag.runs import repeat
from polytag.runs.work import Say
from polytag.splits import split_sentences
from polytag.tagger.evaluation import sentences_to_score
from polytag.tagger.tagging import Tagger, load

SETTINGS = ("size=small",)


@dataclass(frozen=True)
class Audited:
    """What was found of one task, each the most telling first; ``cases`` are all its training sentences."""

    cases: Cases
    suspects: Sequence[Suspect]
    odd: Sequence[OddLabel]
    copies: Sequence[Copy]  # within training
    overlap: Sequence[Copy]  # of dev and test with training


@dataclass(frozen=True)
class Audit:
    """All tasks by name, and where the page and the records lie."""

    tasks: Mapping[str, Audited]
    page: Path
    records: Path


def audit(
    plan: str | PathLike[str],
    *,
    output: str | PathLike[str],
    folds: int = 3,
    tasks: Sequence[str] = (),
    settings: Sequence[str] = (),
    data: str | PathLike[str] | None = None,
    jobs: int = 1,
    say: Say = lambda line: None,  # noqa: ARG005
) -> Audit:
    """Find training sentences whose annotation is probably wrong, and write ``audit.jsonl`` and ``audit.html``.

    Each of several small models is trained on all training sentences but a fold, which it then tags. Called again, it
    goes on where it was interrupted.

    Args:
        plan: a plan file.
        output: the directory for everything.
        folds: into how many parts the training sentences are cut, at least 2.
        tasks: those to look at; none: all.
        settings: laid over the plan and, unless its tasks read more layers, ``size=small``: ``"training.epochs=5"``.
        data: where the plan's relative paths are looked up after its own directory.
        jobs: how many trainings at a time.
        say: gets a line of progress now and then.

    Raises:
        PolytagError: the plan, a file, the output or a training cannot be used, or Jinja2 is not installed.
    """
    check_jinja()
    directory = Path(output)
    laid = _laid(plan, settings, data)
    whole = load_plan(plan, data=data, settings=laid)
    others = _others(whole.only(tasks))
    done = repeat(
        plan, output=directory / "models", folds=folds, tasks=tasks, settings=laid, data=data, jobs=jobs, say=say
    )
    taggers = [load(run.directory) for run in done.runs]
    found = {task: _audited(taggers, task, of, data) for task, of in others.items()}
    page, records = write_all(directory, found)
    return Audit(found, page, records)


def _laid(plan: str | PathLike[str], settings: Sequence[str], data: str | PathLike[str] | None) -> tuple[str, ...]:
    """What is laid over the plan: the small size, unless tasks of it read a layer that this lacks."""
    with suppress(PlanError):
        load_plan(plan, data=data, settings=(*SETTINGS, *settings))
        return (*SETTINGS, *settings)
    return tuple(settings)


def _others(plan: Plan) -> dict[str, dict[str, list[Sentence]]]:
    """The sentences of each task's dev and test files."""
    return {
        task: {
            split: list(map(_near, split_sentences(plan, task, split)))
            for split in ("dev", "test")
            if getattr(settings, split)
        }
        for task, settings in plan.tasks.items()
    }


def _audited(
    taggers: Sequence[Tagger],
    task: str,
    others: Mapping[str, Sequence[Sentence]],
    data: str | PathLike[str] | None,
) -> Audited:
    folds = [(tagger, _held_out(tagger, task, data)) for tagger in taggers]
    cases = sorted(
        (case for _, fold in folds for case in fold.cases), key=lambda case: (case.source, line_of(case) or 0)
    )
    ranked = sorted(_all_suspects(folds), key=lambda suspect: -suspect.suspicion)
    files = tuple(dict.fromkeys(case.source for case in cases))
    together = replace(folds[0][1], cases=cases, sources=files)
    return Audited(together, ranked, odd_labels(cases), duplicates(cases), overlap(cases, others))


def _held_out(tagger: Tagger, task: str, data: str | PathLike[str] | None) -> Cases:
    """The fold that a model was not trained on, tagged."""
    held_out = sentences_to_score(tagger, tasks=[task], split="dev", data=data)[task]
    return read_cases(tagger, task, list(map(_near, held_out)))


def _near(sentence: Sentence) -> Sentence:
    """The same, but its file is told from the working directory, where it is below that."""
    path, here = Path(os.path.normpath(sentence.source)), Path.cwd()
    return replace(sentence, source=str(path.relative_to(here) if path.is_relative_to(here) else path))


def _all_suspects(folds: Sequence[tuple[Tagger, Cases]]) -> Iterator[Suspect]:
    for tagger, cases in folds:
        yield from suspects(tagger, cases)
