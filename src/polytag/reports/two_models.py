"""Compare two model directories: which task of each, on which sentences."""

from collections import Counter
from dataclasses import replace
from os import PathLike
from typing import Unpack

from polytag.corpus.labels import Labels
from polytag.errors import PlanError, nearest
from polytag.reports.cases import read_cases
from polytag.reports.comparison import Comparison, compare_cases
from polytag.tagger.evaluation import Chosen, sentences_to_score
from polytag.tagger.tagging import Tagger, as_tagger
from polytag.vocabulary.vocabularies import TagVocabulary


def compare(
    a: Tagger | str | PathLike[str],
    b: Tagger | str | PathLike[str],
    *,
    task: str | None = None,
    best_for: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    **chosen: Unpack[Chosen],
) -> Comparison:
    """Tag the same sentences with two models and compare what they say.

    Args:
        a: a model directory, a packed file or a tagger; its plan says how the file is read.
        b: another.
        task: its name in both, or ``"NAME:OTHER"`` where ``b`` has another name for it; may be left out where the
            models have one task in common, or one task each.
        best_for: use the weights kept for this task; ``"NAME:OTHER"`` for others of ``b``, ``"NAME:"`` for a alone.
        precision: as for `Tagger.load`.
        threads: as for `Tagger.load`.
        chosen: as for `polytag.evaluate`, by the plan of ``a``. A map also reads what ``b`` says, of types that ``a``
            has not; no ``tasks``.

    Raises:
        PolytagError: a model or a file cannot be read, or the task cannot be told.
    """
    if "tasks" in chosen:
        raise PlanError(f"tasks = {chosen['tasks']!r}: one task is compared, expected task, such as task='ner'")
    kept = _pair(best_for) if best_for else (None, None)
    first_model, second_model = (
        as_tagger(model, best_for=weights or None, precision=precision, threads=threads)
        for model, weights in zip((a, b), kept, strict=True)
    )
    first, second = _tasks(first_model, second_model, task)
    sentences = list(sentences_to_score(first_model, **(chosen | Chosen(tasks=[first])))[first])
    has, others_has = _tags(first_model, first), _tags(second_model, second)
    map = {old: new for old, new in chosen.get("map", {}).items() if old not in has.types}
    cases = read_cases(first_model, first, sentences)
    of, labels = first_model.plan.tasks[first], Labels(map=map, plain=has.plain)
    others = read_cases(second_model, second, sentences, gold=first, of=of, labels=labels)
    gold = Counter(key.type for case in cases.cases for key in case.gold)
    said = {map.get(label, label) for label in others_has.types}
    lacking = {"A": has.lacking(gold), "B": others_has.lacking({k: n for k, n in gold.items() if k not in said})}
    return replace(compare_cases(cases, others), lacking={name: text for name, text in lacking.items() if text})


def _tags(tagger: Tagger, task: str) -> TagVocabulary:
    return tagger.engine.part(task).vocabulary


def _pair(names: str) -> tuple[str, str]:
    """What ``"NAME"`` or ``"NAME:OTHER"`` says of each model."""
    first, colon, second = names.partition(":")
    return first, second if colon else first


def _tasks(a: Tagger, b: Tagger, task: str | None) -> tuple[str, str]:
    if task is not None:
        wanted = dict(zip("AB", _pair(task), strict=True))
        for letter, model in {"A": a, "B": b}.items():
            if wanted[letter] not in (tasks := model.plan.tasks):
                raise PlanError(f"model {letter} has no task '{wanted[letter]}'{nearest(wanted[letter], tasks)}")
        return wanted["A"], wanted["B"]
    common = [name for name in a.plan.tasks if name in b.plan.tasks]
    if len(common) == 1:
        return common[0], common[0]
    if len(a.plan.tasks) == len(b.plan.tasks) == 1:
        return next(iter(a.plan.tasks)), next(iter(b.plan.tasks))
    if common:
        raise PlanError(f"the models have several tasks in common, so name one: {', '.join(common)}")
    raise PlanError(
        f"the models have no task in common, so name one of each, as in {next(iter(a.plan.tasks))}:"
        f"{next(iter(b.plan.tasks))}"
    )
