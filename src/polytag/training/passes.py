"""A training from its plan to the model, in one pass or, of a refit, two: in memory, or in a directory that resumes."""

import json
import shutil
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from polytag.errors import ModelError, PolytagError, PolytagWarning
from polytag.files import locked, nothing_left_on_failure, remove_partial
from polytag.model import Model, load_model
from polytag.model.checkpoint import save_description
from polytag.model.report_file import read_report
from polytag.model.temperatures import remove_temperatures
from polytag.plan import Plan
from polytag.plan_file import check_texts
from polytag.reports.chart import check_matplotlib
from polytag.reports.training_curves import FILE as CURVES
from polytag.reports.training_curves import write_curves
from polytag.tagger.tagging import Tagger
from polytag.training.calibrating import calibrate, temperatures_of, texts_of
from polytag.training.chosen import Chosen
from polytag.training.device import find_device
from polytag.training.directory import asked_anew, check_first_pass, check_passes, is_complete
from polytag.training.distributed import World
from polytag.training.events import Evaluation, Event, Note, Trained
from polytag.training.loop import METRICS, Trainer
from polytag.training.prepare import prepare
from polytag.training.report import make_report
from polytag.training.resume import first_pass, restore, save_state, state_file
from polytag.training.torch_network import load_weights, save_weights

Corpora = Mapping[str, Mapping[str, Any]]
_DRAWING = threading.Lock()  # matplotlib's style is one for the whole process


def in_memory(plan: Plan, corpora: Corpora | None, world: World, *, device: str, command: str) -> Iterator[Event]:
    """The events of a training that writes nothing."""
    one = partial(_pass_in_memory, plan, corpora, world, device=device, command=command)
    chosen = (yield from _first_pass(one(), None)) if plan.training.refit else None
    yield from one(chosen)


def _pass_in_memory(
    plan: Plan, corpora: Corpora | None, world: World, chosen: Chosen | None = None, *, device: str, command: str
) -> Iterator[Event]:
    place = world.agree(lambda: find_device(device))
    prepared = world.agree(lambda: prepare(plan, corpora, chosen=chosen))
    yield from map(Note, prepared.notes)
    trainer = Trainer(prepared, device=place, world=world)
    for event in trainer.events():
        if isinstance(event, Evaluation):
            trainer.publish()
        yield event
    yield _finish(trainer, Tagger(Model(trainer.plan, trainer.vocabularies, trainer.kept)), command=command)


def _first_pass(events: Iterator[Event], directory: Path | None) -> Generator[Event, None, Chosen]:
    """The events of a refit's first pass but for the last; ``directory`` is that of both passes."""
    history: list[Any] = []
    for event in events:
        if isinstance(event, Trained):
            trained = event
        else:
            yield event
    if directory is not None:
        lines = (first_pass(directory) / METRICS).read_text(encoding="utf-8").splitlines()
        history = [json.loads(line) for line in lines]
    chosen = Chosen(trained.model, trained.report, history)
    yield Note(chosen.note)
    return chosen


def into_directory(
    plan: Plan, corpora: Corpora | None, world: World, directory: Path, *, resume: bool, **options: Any
) -> Iterator[Event]:
    """The events of a training into a model directory, or on with the one that it holds."""
    if world.first(lambda: is_complete(directory, resume=resume)):
        done = world.agree(lambda: Trained(load_model(directory), read_report(directory)))
        world.first(lambda: _remove_left(directory))
        told = f"{directory}: the training is complete; nothing to resume"
        if (anew := asked_anew(done.model.plan, plan)) and world.is_first:
            warnings.warn(told + anew, PolytagWarning, stacklevel=2)
        elif not anew:
            yield Note(told)
        yield done
        return
    world.first(lambda: check_passes(directory, plan, resume=resume))

    def one(place: Path, chosen: Chosen | None = None, *, resume: bool) -> Iterator[Event]:
        return _pass(plan, corpora, world, place, chosen, resume=resume, **options)

    if not plan.training.refit:
        yield from one(directory, resume=resume)
        return
    with ExitStack() as stack:
        lock = "resume/.lock"
        world.first(lambda: stack.enter_context(locked(directory, lock=lock, doing="training into", kind=ModelError)))
        first = first_pass(directory)
        is_done = world.first(lambda: is_complete(first, resume=resume))
        events = iter([Trained(load_model(first), read_report(first))]) if is_done else one(first, resume=resume)
        chosen = yield from _first_pass(events, directory)
        second = world.first(state_file(directory).exists)
        yield from one(directory, chosen, resume=second)


def _pass(
    plan: Plan,
    corpora: Corpora | None,
    world: World,
    directory: Path,
    chosen: Chosen | None = None,
    *,
    resume: bool,
    device: str,
    command: str,
    save_seconds: float,
) -> Iterator[Event]:
    """Train into a directory; for a refit, with what its first pass has ``chosen``, the second."""
    place = world.agree(lambda: find_device(device))
    check_texts(plan.kept_in(directory), str(directory))  # where it searches, too, goes into the model
    prepared = world.agree(
        lambda: prepare(plan, corpora, chosen=chosen)
    )  # before anything is written: a mistake leaves nothing behind
    if chosen:
        world.agree(lambda: check_first_pass(directory, prepared))
    yield from map(Note, prepared.notes)
    with ExitStack() as stack:
        world.first(lambda: stack.enter_context(locked(directory, doing="training into", kind=ModelError)))
        if world.first(lambda: is_complete(directory, resume=resume)):  # made by another process in the meantime
            yield world.agree(lambda: Trained(load_model(directory), read_report(directory)))
            return
        trainer = Trainer(prepared, directory, device=place, world=world)
        resumed = yield from _begin(trainer, directory, resume=resume)
        yield from _continue(trainer, save_seconds=save_seconds)
        world.first(lambda: _describe_anew(trainer, directory) if resumed else None)  # before anyone reads it
        best = world.agree(lambda: Tagger.load(directory, threads=plan.training.threads))
        yield from map(Note, world.first(lambda: _draw(trainer, directory)))
        trained = _finish(trainer, best, command=command)
        world.first(lambda: shutil.rmtree(state_file(directory).parent, ignore_errors=True))
    yield trained


def _finish(trainer: Trainer, best: Tagger, *, command: str) -> Trained:
    """Calibrate and score the best weights; both are written where there is an output directory."""
    fits = trainer.world.first(lambda: calibrate(trainer, best))
    report = make_report(trainer, best, command=command, calibration=fits)
    return Trained(replace(best.model, temperatures=temperatures_of(fits), texts=texts_of(fits)), report)


def _begin(trainer: Trainer, directory: Path, *, resume: bool) -> Generator[Note, None, bool]:
    """Restore the state, or write the first one; returns whether there was one."""
    world = trainer.world
    resumed = world.agree(lambda: resume and restore(trainer))
    if len(set(world.gather((resumed, trainer.progress.epoch, trainer.progress.turn)))) > 1:
        raise ModelError(f"{directory}: not all processes of the training find the same state there")
    if resumed:
        world.first(lambda: _clean(directory))
        world.first(lambda: remove_temperatures(directory))  # of weights that will be others
        world.first(trainer.publish)  # a kill may have come between state and publication
        yield Note(f"resumed after epoch {trainer.progress.epoch}, step {trainer.progress.turn} of the next")
    else:
        if resume:
            yield Note(f"{directory}: holds no training to resume, so a new one begins")
        world.first(lambda: _write_beginning(trainer, directory))
    return resumed


def _remove_left(directory: Path) -> None:
    """Remove what a kill after the report has left of a training, unless a process is still at it."""
    state = state_file(directory).parent
    if state.exists() or (directory / ".lock").exists():
        with suppress(ModelError), locked(directory, doing="training into", kind=ModelError):
            shutil.rmtree(state, ignore_errors=True)


def _clean(directory: Path) -> None:
    for leftovers in (directory, directory / "vocabulary", state_file(directory).parent):
        remove_partial(leftovers)


def _write_beginning(trainer: Trainer, directory: Path) -> None:
    _clean(directory)
    with nothing_left_on_failure(directory):
        save_description(directory, trainer.plan, trainer.vocabularies)
        save_state(trainer)


def _continue(trainer: Trainer, *, save_seconds: float) -> Iterator[Event]:
    """Train to the end, with all that a resumed training needs on disk."""
    saved = time.monotonic()
    for event in trainer.events():
        is_due = isinstance(event, Evaluation) or time.monotonic() - saved > save_seconds
        if trainer.world.is_first and is_due:
            save_state(trainer)
            saved = time.monotonic()
        if trainer.world.is_first and isinstance(event, Evaluation):
            trainer.publish()
        yield event


def _draw(trainer: Trainer, directory: Path) -> list[str]:
    """Draw the curves; returns what the user should know where that cannot be, which is no reason to fail."""
    try:
        check_matplotlib()
    except PolytagError as error:
        return [f"{CURVES} is not drawn: {error}"]
    with _DRAWING:
        write_curves(directory, trainer.metrics())
    return []


def _describe_anew(trainer: Trainer, directory: Path) -> None:
    """Bring plan.toml up to date: the number of epochs and where files lie may change between kill and resumption."""
    save_description(directory, trainer.plan, trainer.vocabularies)
    for path in directory.glob("*.safetensors"):  # each holds the checksums of the description
        load_weights(path, trainer.network)
        save_weights(directory, trainer.network.state_dict(), path.name)
