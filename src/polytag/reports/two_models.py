"""Compare two model directories: which task of each, on which sentences."""

from os import PathLike

from polytag.errors import PlanError
from polytag.evaluation import sentences_to_score
from polytag.reports.cases import read_cases
from polytag.reports.comparison import Comparison, compare_cases
from polytag.tagging import Tagger


def compare_models(
    a: str | PathLike[str],
    b: str | PathLike[str],
    *,
    task: str | None = None,
    data_file: str | PathLike[str] | None = None,
    split: str = "test",
    data: str | PathLike[str] | None = None,
    precision: str = "float32",
    device: str = "cpu",
) -> Comparison:
    """Tag the same sentences with two models and compare what they say.

    Args:
        a: a model directory; its plan says how the file is read.
        b: another.
        task: its name in both, or ``"NAME:OTHER"`` where ``b`` has another name for it; may be left out where the
            models have one task in common, or one task each.
        data_file: an annotated file; else the ``split`` of a's plan.
        split: ``"test"`` or ``"dev"``.
        data: where relative paths are looked up besides the places that a's plan remembers.
        precision: as for `Tagger.load`.
        device: as for `Tagger.load`.

    Raises:
        PolytagError: a model or a file cannot be read, or the task cannot be told.
    """
    first_model, second_model = (Tagger.load(model, precision=precision, device=device) for model in (a, b))
    first, second = _tasks(first_model, second_model, task)
    chosen = sentences_to_score(first_model, tasks=[first], data_file=data_file, split=split, data=data)
    sentences = list(chosen[first])
    return compare_cases(
        read_cases(first_model, first, sentences), read_cases(second_model, second, sentences, gold=first)
    )


def _tasks(a: Tagger, b: Tagger, task: str | None) -> tuple[str, str]:
    if task is not None:
        first, _, second = task.partition(":")
        return a.choose([first])[0], b.choose([second or first])[0]
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
