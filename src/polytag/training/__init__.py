"""Training: from a plan to a model, in a directory or in memory. Needs PyTorch, the extra ``polytag[train]``.

Without it importing this folder raises a `PolytagError` that says so, and so does whatever trains.
"""

import json
import os
import shutil
import threading
import time
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from polytag.errors import ModelError, PlanError, PolytagError, PolytagWarning

try:
    import torch  # noqa: F401 - nothing below works without it, nothing outside this folder needs it
except ModuleNotFoundError as error:
    raise PolytagError("PyTorch is not installed, expected it for training: pip install 'polytag[train]'") from error

from polytag.files import locked, nothing_left_on_failure, remove_partial
from polytag.model import Model, load_model
from polytag.model.checkpoint import save_description
from polytag.model.report_file import read_report
from polytag.model.temperatures import remove_temperatures
from polytag.plan import Plan
from polytag.plan.consistency import check_refit
from polytag.plan_file import check_texts, from_memory, load_plan
from polytag.reports.chart import check_matplotlib
from polytag.reports.training_curves import FILE as CURVES
from polytag.reports.training_curves import write_curves
from polytag.splits import given_splits
from polytag.tagger.tagging import Tagger
from polytag.training.calibrating import calibrate, temperatures_of, texts_of
from polytag.training.chosen import Chosen
from polytag.training.device import find_device
from polytag.training.directory import asked_anew, check_first_pass, check_passes, is_complete
from polytag.training.distributed import World, joined
from polytag.training.events import Evaluation as Evaluation
from polytag.training.events import Event as Event
from polytag.training.events import Note as Note
from polytag.training.events import Step as Step
from polytag.training.events import Trained as Trained
from polytag.training.loop import METRICS
from polytag.training.loop import Trainer as Trainer
from polytag.training.prepare import Prepared as Prepared
from polytag.training.prepare import prepare as prepare
from polytag.training.report import make_report
from polytag.training.resume import first_pass, restore, save_state, state_file
from polytag.training.threads import cpu_threads
from polytag.training.torch_network import load_weights, save_weights

_DRAWING = threading.Lock()  # matplotlib's style is one for the whole process
SAVE_SECONDS = 60.0  # a killed training loses at most about this much


Tables = Mapping[str, Any]
Corpora = Mapping[str, Mapping[str, Any]]


def train(
    plan: Plan | str | os.PathLike[str] | Tables,
    *,
    output: str | os.PathLike[str] | None = None,
    corpora: Corpora | None = None,
    data: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    resume: bool = False,
    settings: Iterable[str] = (),
    device: str = "cpu",
) -> Tagger:
    """Train a plan and return the tagger with the best epoch's weights.

    In a script that ``torchrun`` starts, all its processes train together; each must make the same call.

    Args:
        plan: a plan file, a dict of what stands in one, or a plan.
        output: the model directory to make; without it nothing is written, and `Tagger.save` can write it later.
        corpora: sentences in place of files: of each task, by the splits ``"train"``, ``"dev"`` and ``"test"``. Those
            of a split are an iterable of `polytag.Sentence`, of pairs of words and tags, or of mappings with
            ``"words"`` or ``"tokens"`` and, under the task's name, ``TASK_tags`` or ``tags``, the tags; or a
            ``DataFrame`` or a ``Dataset`` with such columns and a row for each sentence. What is not given the plan's
            files have.
        data: where the plan's relative paths are looked up after its own directory.
        seed: overrides ``training.seed``.
        resume: continue the training that ``output`` holds.
        settings: overrides, ``"training.epochs=5"``.
        device: where to compute, ``"cpu"`` or ``"cuda"``.

    Raises:
        PlanError: the plan cannot be used.
        CorpusError: a file or a sentence cannot be used; says which.
        PolytagError: the output or the device cannot be used.
    """
    overrides = [*settings, *([] if seed is None else [f"training.seed={seed}"])]
    with joined() as world:
        checked = world.agree(lambda: _planned(plan, corpora, data=data, settings=overrides))
        for event in train_events(checked, output=output, corpora=corpora, resume=resume, device=device):
            if isinstance(event, Trained):
                model = event.model
        return Tagger(model)


def train_events(
    plan: Plan | str | os.PathLike[str] | Tables,
    *,
    output: str | os.PathLike[str] | None = None,
    corpora: Corpora | None = None,
    resume: bool = False,
    device: str = "cpu",
    command: str = "",
    save_seconds: float = SAVE_SECONDS,
) -> Iterator[Event]:
    """The same as a generator of events, for whoever wants to watch; the last is `Trained`, with the model.

    Of a refit the events of both passes come, and one `Trained`.

    ``command`` is recorded in the report; what a killed training resumes from is saved every ``save_seconds``.
    """
    if resume and output is None:
        raise ModelError("resume continues the training that a directory holds, expected an output")
    with joined() as world:
        checked = world.agree(lambda: _planned(plan, corpora))
        check_refit(checked, "plan")
        if output is None and checked.training.best_per_task:
            raise PlanError("training.best_per_task keeps weights for each task in files, expected an output for them")
        with cpu_threads(checked.training.threads):
            if output is None:
                yield from _train_in_memory(checked, corpora, world, device=device, command=command)
            else:
                yield from _train(
                    checked, corpora, world, Path(output),
                    resume=resume, device=device, command=command, save_seconds=save_seconds,
                )  # fmt: skip


def _planned(
    plan: Plan | str | os.PathLike[str] | Tables,
    corpora: Corpora | None,
    *,
    data: str | os.PathLike[str] | None = None,
    settings: Iterable[str] = (),
) -> Plan:
    """The plan, checked, with what ``corpora`` gives in place of files."""
    memory = given_splits(corpora or {})
    if not isinstance(plan, Plan):
        return load_plan(plan, data=data, settings=settings, memory=memory)
    if data is not None or [*settings]:
        raise PlanError("data, seed and settings belong to a plan that is read, expected them in a plan that is made")
    return from_memory(plan, memory) if memory else plan


def _train_in_memory(
    plan: Plan, corpora: Corpora | None, world: World, *, device: str, command: str
) -> Iterator[Event]:
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


def _train(
    plan: Plan, corpora: Corpora | None, world: World, directory: Path, *, resume: bool, **options: Any
) -> Iterator[Event]:
    if world.first(lambda: is_complete(directory, resume=resume)):
        done = world.agree(lambda: Trained(load_model(directory), read_report(directory)))
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
