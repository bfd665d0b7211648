"""Compare two model directories: which task of each, on which sentences."""

from os import PathLike
from typing import Unpack

from polytag.errors import PlanError, nearest
from polytag.reports.cases import read_cases
from polytag.reports.comparison import Comparison, compare_cases
from polytag.tagger.evaluation import Chosen, sentences_to_score
from polytag.tagger.tagging import Tagger


def compare_models(
    a: str | PathLike[str],
    b: str | PathLike[str],
    *,
    task: str | None = None,
    best_for: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    **chosen: Unpack[Chosen],
) -> Comparison:
    """Tag the same sentences with two models and compare what they say.

    Args:
        a: a model directory; its plan says how the file is read.
        b: another.
        task: its name in both, or ``"NAME:OTHER"`` where ``b`` has another name for it; may be left out where the
            models have one task in common, or one task each.
        best_for: use the weights kept for this task; ``"NAME:OTHER"`` for others of ``b``, ``"NAME:"`` for a alone.
        precision: as for `Tagger.load`.
        threads: as for `Tagger.load`.
        chosen: ``data_file``, ``split`` and ``data`` as for `polytag.evaluate`, by the plan of ``a``.

    Raises:
        PolytagError: a model or a file cannot be read, or the task cannot be told.
    """
    kept = _pair(best_for) if best_for else (None, None)
    first_model, second_model = (
        Tagger.load(model, best_for=weights or None, precision=precision, threads=threads)
        for model, weights in zip((a, b), kept, strict=True)
    )
    first, second = _tasks(first_model, second_model, task)
    sentences = list(sentences_to_score(first_model, **(chosen | Chosen(tasks=[first])))[first])
    return compare_cases(
        read_cases(first_model, first, sentences),
        read_cases(second_model, second, sentences, gold=first, of=first_model.plan.tasks[first]),
    )


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
