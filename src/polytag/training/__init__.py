"""Training: from a plan to a model directory."""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from polytag.errors import ModelError
from polytag.files import remove_partial
from polytag.model.checkpoint import WEIGHTS, load_weights, save_description, save_weights
from polytag.plan import Plan
from polytag.plan_file import load_plan
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
    if _is_complete(directory, resume=resume):
        yield Note(f"{directory}: the training is complete; nothing to resume")
        return
    if plan.training.threads:
        torch.set_num_threads(plan.training.threads)
    prepared = prepare(plan)  # before anything is written: a mistake in the plan leaves no directory behind
    yield from map(Note, prepared.notes)
    with _locked(directory):
        if not _is_complete(directory, resume=resume):  # nor has another process made it while this one prepared
            yield from _train(prepared, directory, resume=resume, command=command, save_seconds=save_seconds)


def _train(prepared: Prepared, directory: Path, *, resume: bool, command: str, save_seconds: float) -> Iterator[Event]:
    trainer = Trainer(prepared, directory)
    resumed = resume and restore(trainer)
    for leftovers in (directory, directory / "vocabulary", state_file(directory).parent):
        remove_partial(leftovers)
    if resumed:
        trainer.publish()  # a kill may have come between state and publication
        yield Note(f"resumed after epoch {trainer.progress.epoch}, step {trainer.progress.turn} of the next")
    else:
        with _nothing_left_on_failure(directory):
            save_description(directory, trainer.plan, prepared.tagger.vocabularies)
            save_state(trainer)
    saved = time.monotonic()
    for event in trainer.events():
        if isinstance(event, Evaluation) or time.monotonic() - saved > save_seconds:
            save_state(trainer)
            saved = time.monotonic()
        if isinstance(event, Evaluation):
            trainer.publish()
        yield event
    if resumed:
        _describe_anew(trainer)
    best = Tagger.load(directory)
    write_report(directory, trainer, best, command=command)
    shutil.rmtree(state_file(directory).parent, ignore_errors=True)


@contextmanager
def _nothing_left_on_failure(directory: Path) -> Iterator[None]:
    """Remove what came into a directory if the body fails: half a beginning is nothing that can be resumed."""
    before = set(directory.iterdir())
    try:
        yield
    except BaseException:
        for path in set(directory.iterdir()) - before:
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def _describe_anew(trainer: Trainer) -> None:
    """Bring plan.toml up to date: the number of epochs and where files lie may change between kill and resumption."""
    save_description(trainer.output, trainer.plan, trainer.tagger.vocabularies)
    for path in trainer.output.glob("*.safetensors"):  # each holds the checksums of the description
        load_weights(path, trainer.network)
        save_weights(trainer.output, trainer.network, path.name)


def _is_complete(directory: Path, *, resume: bool) -> bool:
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
    complete = weights and (directory / "report.json").exists()
    if weights and not state and not complete:
        raise ModelError(f"{directory}: holds weights, but no state to resume their training from")
    return complete


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    path, is_new = directory / ".lock", not directory.exists()
    lock = FileLock(path, timeout=0)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise ModelError(f"{directory}: another process is training into this directory") from None
    except OSError as error:
        raise ModelError(f"{directory}: cannot be written: {error.strerror or error}") from None
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is held: afterwards it could be another's
        lock.release()
        with suppress(OSError):
            if is_new:
                directory.rmdir()  # which it is only if nothing came into it
