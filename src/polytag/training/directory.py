"""The directory that a training writes into: one writer, nothing overwritten."""

import json
from pathlib import Path

from polytag.errors import ModelError
from polytag.model.checkpoint import WEIGHTS
from polytag.model.report_file import REPORT
from polytag.plan import Plan
from polytag.plan_file import first_difference
from polytag.training.prepare import Prepared
from polytag.training.resume import has_first_pass, identity, state_file


def is_complete(directory: Path, *, resume: bool) -> bool:
    """Whether there is nothing left to resume.

    Raises:
        ModelError: there is something that must not be overwritten.
    """
    if directory.exists() and not directory.is_dir():
        raise ModelError(f"{directory}: the output must be a directory, found a file")
    above = next((parent for parent in directory.parents if parent.exists()), Path())
    if not above.is_dir():
        raise ModelError(f"{directory}: cannot be made: {above} is a file, expected a directory")
    weights, state = (directory / WEIGHTS).exists(), state_file(directory).exists()
    if not resume and (weights or state):
        raise ModelError(f"{directory}: holds a training already; continue it with --resume or name another directory")
    if not (resume or weights or state) and (directory / "plan.toml").exists():
        raise ModelError(f"{directory}: holds a plan.toml, which the model's own would replace; name another directory")
    complete = weights and (directory / REPORT).exists()
    if weights and not state and not complete:
        raise ModelError(f"{directory}: holds weights, but no state to resume their training from")
    return complete


def asked_anew(trained: Plan, plan: Plan) -> str:
    """What to say of a plan that a finished training did not have; nothing where it had it."""
    found = {  # what training itself finds in the data
        name: task.model_copy(update={"scheme": trained.tasks[name].scheme})
        for name, task in plan.tasks.items()
        if name in trained.tasks and task.scheme == "auto"
    }
    training = plan.training.model_copy(
        update={"epochs": trained.training.epochs} if plan.training.epochs == "auto" else {}
    )
    now = plan.model_copy(update={"tasks": {**plan.tasks, **found}, "training": training, "search": trained.search})
    if difference := first_difference(trained.to_dict(), now.to_dict()):
        key, was, is_ = difference
        return f": {key} was {was!r} in it and stays, though now it is {is_!r}; name another directory to train anew"
    return ""


def check_passes(directory: Path, plan: Plan, *, resume: bool) -> None:
    """See to it that an unfinished training in a directory is to be resumed, with as many passes as it began with.

    Raises:
        ModelError: it is not.
    """
    first, refit = has_first_pass(directory), plan.training.refit
    if first and not resume:
        raise ModelError(f"{directory}: holds a training already; continue it with --resume or name another directory")
    if first != refit and (first or state_file(directory).exists()):
        was, now = (str(value).lower() for value in (first, refit))
        raise ModelError(f"{directory}: cannot resume: training.refit was {was} when it began, now it is {now}")


def check_first_pass(directory: Path, prepared: Prepared) -> None:
    """See to it that the first pass of a refit had the plan and the data that the second has.

    Raises:
        ModelError: names the first difference.
    """
    plan, chosen = prepared.plan, prepared.chosen
    assert chosen is not None
    tasks = {  # more files may show another scheme
        name: task.model_copy(update={"scheme": plan.tasks[name].scheme} if name in plan.tasks else {})
        for name, task in chosen.model.plan.tasks.items()
    }
    before = chosen.model.plan.model_copy(update={"tasks": tasks})
    saved, now = (
        identity(of, data, is_over=True) for of, data in ((before, chosen.report["data"]), (plan, prepared.checksums))
    )
    if found := first_difference(json.loads(saved), json.loads(now)):
        key, was, is_ = found
        raise ModelError(f"{directory}: cannot resume: {key} was {was!r} in its first pass, now it is {is_!r}")
