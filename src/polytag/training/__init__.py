"""Training: from a plan to a model directory."""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from polytag.errors import ModelError
from polytag.model.checkpoint import WEIGHTS, save_description
from polytag.plan import Plan, load_plan
from polytag.tagging import Tagger
from polytag.training.loop import Evaluation as Evaluation
from polytag.training.loop import Event as Event
from polytag.training.loop import Note as Note
from polytag.training.loop import Step as Step
from polytag.training.loop import Trainer as Trainer
from polytag.training.prepare import Prepared as Prepared
from polytag.training.prepare import prepare as prepare
from polytag.training.report import write_report
from polytag.training.resume import restore, save_state, state_file

SAVE_SECONDS = 60.0  # a killed training loses at most about this much


def train(
    plan: Plan | str | os.PathLike[str],
    *,
    output: str | os.PathLike[str],
    data: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    resume: bool = False,
    settings: Iterable[str] = (),
) -> Tagger:
    """Train a plan into a model directory and return the tagger with the best epoch's weights.

    Args:
        plan: a plan, or the path of a plan file.
        output: the model directory to make.
        data: where the plan's relative paths are looked up after its own directory.
        seed: overrides ``training.seed``.
        resume: continue the training that ``output`` holds.
        settings: overrides, ``"training.epochs=5"``.

    Raises:
        PolytagError: the plan, the data or the output cannot be used.
    """
    if not isinstance(plan, Plan):
        plan = load_plan(plan, data=data, settings=[*settings, *([] if seed is None else [f"training.seed={seed}"])])
    for _ in train_events(plan, output=output, resume=resume):
        pass
    return Tagger.load(output)


def train_events(
    plan: Plan,
    *,
    output: str | os.PathLike[str],
    resume: bool = False,
    command: str = "",
    save_seconds: float = SAVE_SECONDS,
) -> Iterator[Event]:
    """The same as a generator of events, for whoever wants to watch; ``command`` is recorded in the report."""
    directory = Path(output)
    _check_output(directory, resume=resume)
    if resume and (directory / "report.json").exists():
        yield Note(f"{directory}: the training is complete; nothing to resume")
        return
    if plan.training.threads:
        torch.set_num_threads(plan.training.threads)
    prepared = prepare(plan)  # before anything is written: a mistake in the plan leaves no directory behind
    yield from map(Note, prepared.notes)
    with _locked(directory):
        yield from _train(prepared, directory, resume=resume, command=command, save_seconds=save_seconds)


def _train(prepared: Prepared, directory: Path, *, resume: bool, command: str, save_seconds: float) -> Iterator[Event]:
    trainer = Trainer(prepared, directory)
    if resume and restore(trainer):
        yield Note(f"resumed after epoch {trainer.progress.epoch}, step {trainer.progress.turn} of the next")
    else:
        save_description(directory, trainer.plan, prepared.tagger.vocabularies)
        save_state(trainer)
    saved = time.monotonic()
    for event in trainer.events():
        if isinstance(event, Evaluation) or time.monotonic() - saved > save_seconds:
            save_state(trainer)
            saved = time.monotonic()
        yield event
    best = Tagger.load(directory)
    write_report(directory, trainer, best, command=command)
    shutil.rmtree(state_file(directory).parent, ignore_errors=True)


def _check_output(directory: Path, *, resume: bool) -> None:
    if resume or not directory.exists():
        return
    if not directory.is_dir():
        raise ModelError(f"{directory}: the output must be a directory, found a file")
    if (directory / WEIGHTS).exists() or state_file(directory).exists():
        raise ModelError(f"{directory}: holds a training already; continue it with --resume or name another directory")


def _locked(directory: Path) -> Any:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return FileLock(directory / ".lock", timeout=0).acquire()
    except Timeout:
        raise ModelError(f"{directory}: another process is training into this directory") from None
    except OSError as error:
        raise ModelError(f"{directory}: cannot be written: {error.strerror or error}") from None
