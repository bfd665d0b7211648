"""A plan trained several times: with several seeds, and on all parts but one of its training sentences in turn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from polytag.errors import ModelError, PlanError
from polytag.files import locked, write_json
from polytag.model.report_file import read_report
from polytag.plan import Plan
from polytag.plan.values import NONE
from polytag.plan_file import load_plan
from polytag.runs.home import PLAN, read_request, settle
from polytag.runs.scores import Scored, as_json, table
from polytag.runs.work import Run, Say, fail, left, train_all, without_refit
from polytag.splits import has_split

REQUEST, SCORES = "runs.json", "scores.json"


@dataclass(frozen=True)
class Repeated:
    """All trainings, a table for people, and of seeds the training with the best development score.

    Folds have none: each is scored on sentences of its own.
    """

    runs: Sequence[Scored]
    table: str
    best: Scored | None
    file: Path


def repeat(
    plan: str | PathLike[str],
    *,
    output: str | PathLike[str],
    seeds: Sequence[int] = (),
    folds: int | None = None,
    tasks: Sequence[str] = (),
    settings: Sequence[str] = (),
    data: str | PathLike[str] | None = None,
    device: str = "cpu",
    jobs: int = 1,
    say: Say = lambda line: None,  # noqa: ARG005
) -> Repeated:
    """Train a plan with several seeds, by cross-validation, or both, and write the scores into ``scores.json``.

    Each training makes a model directory of its own in ``output``. Called again, or by `resume`, it trains what is
    not trained yet and goes on with what was killed; seeds can be added.

    Args:
        plan: a plan file.
        output: the directory for everything.
        seeds: the values of ``training.seed``; none: the plan's own.
        folds: into how many parts the training sentences of each task are cut; each training holds one out and is
            scored on it. Development files are not read then.
        tasks: those to train; none: all.
        settings: laid over the plan, ``"training.epochs=5"``.
        data: where the plan's relative paths are looked up after its own directory.
        device: where to compute.
        jobs: how many trainings at a time.
        say: gets a line of progress now and then.

    Raises:
        PolytagError: the plan, the output or a training cannot be used.
    """
    path, directory = Path(plan), Path(output).resolve()
    whole = load_plan(path, data=data, settings=settings)
    checked = whole.only(tasks)
    chosen = tuple(dict.fromkeys(seeds)) or (checked.training.seed,)
    _check(checked, path, folds)
    with locked(directory, doing="training into", kind=ModelError):
        request = {"folds": folds, "tasks": [*tasks], "device": device}
        more = {"seeds": [*chosen]}
        settle(directory, REQUEST, request, more=more, plan=path, checked=whole, settings=settings)
        place = None if data is None else Path(data).resolve()
        runs = [
            Run(name, directory / PLAN, directory / name, own, tasks, place, device)
            for name, own in _variants(checked, chosen, folds)
        ]
        train_all(left(runs, say), jobs=max(1, jobs), say=say, ended=fail)
        return _summary(runs, directory, checked, folds)


def resume(
    output: str | PathLike[str],
    *,
    data: str | PathLike[str] | None = None,
    jobs: int = 1,
    say: Say = lambda line: None,  # noqa: ARG005
) -> Repeated:
    """Go on with the trainings that a directory holds.

    Raises:
        PolytagError: as `repeat`.
    """
    directory = Path(output)
    request = read_request(directory / REQUEST)
    return repeat(directory / PLAN, output=directory, data=data, jobs=jobs, say=say, **request)


def is_repeated(directory: Path) -> bool:
    """Whether several trainings of a plan are in a directory."""
    return (directory / REQUEST).exists()


def _check(plan: Plan, path: Path, folds: int | None) -> None:
    if folds is not None and folds < 2:
        raise PlanError(f"{folds} folds were asked for, expected at least 2")
    if folds is None and not any(has_split(task, split) for task in plan.tasks.values() for split in ("dev", "test")):
        raise PlanError(f"{path}: no task has dev or test files to score on; expected them, holdout or folds")


def _variants(plan: Plan, seeds: Sequence[int], folds: int | None) -> Iterator[tuple[str, list[str]]]:
    """Of each training a name, and what is laid over the plan."""
    for seed in seeds:
        for fold in range(1, folds + 1) if folds else (None,):
            names = [f"seed{seed}"] * (len(seeds) > 1 or not folds) + [f"fold{fold}"] * (fold is not None)
            held = [
                f"tasks.{task}.{key}={value}"
                for task in plan.tasks
                for key, value in (("dev", NONE), ("holdout", 0.0), ("fold", f"{fold}/{folds}"))
                if fold is not None
            ]
            yield "-".join(names), [f"training.seed={seed}", *held, *(without_refit(plan) if folds else [])]


def _summary(runs: Sequence[Run], directory: Path, plan: Plan, folds: int | None) -> Repeated:
    found = [_scored(run) for run in runs]
    chosen = {} if folds else {each.name: each.selected(plan.training.select) for each in found}
    known = {name: score for name, score in chosen.items() if score is not None}
    best = max((each for each in found if each.name in known), key=lambda each: known[each.name], default=None)
    file = directory / SCORES
    write_json(file, as_json(found, best=best.name if best else None))
    return Repeated(found, table(found), best, file)


def _scored(run: Run) -> Scored:
    report = read_report(run.directory)
    return Scored(run.name, run.directory, int(report["best_epoch"]), report["scores"])
