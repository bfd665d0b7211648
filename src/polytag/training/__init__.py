"""Training: from a plan to a model directory."""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from polytag.files import remove_partial
from polytag.model.checkpoint import load_weights, save_description, save_weights
from polytag.plan import Plan
from polytag.plan_file import load_plan
from polytag.tagging import Tagger
from polytag.training.directory import is_complete, locked, nothing_left_on_failure
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
    if is_complete(directory, resume=resume):
        yield Note(f"{directory}: the training is complete; nothing to resume")
        return
    if plan.training.threads:
        torch.set_num_threads(plan.training.threads)
    prepared = prepare(plan)  # before anything is written: a mistake in the plan leaves no directory behind
    yield from map(Note, prepared.notes)
    with locked(directory):
        if not is_complete(directory, resume=resume):  # nor has another process made it while this one prepared
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
        with nothing_left_on_failure(directory):
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


def _describe_anew(trainer: Trainer) -> None:
    """Bring plan.toml up to date: the number of epochs and where files lie may change between kill and resumption."""
    save_description(trainer.output, trainer.plan, trainer.tagger.vocabularies)
    for path in trainer.output.glob("*.safetensors"):  # each holds the checksums of the description
        load_weights(path, trainer.network)
        save_weights(trainer.output, trainer.network, path.name)
