"""Training: from a plan to a model directory. Needs PyTorch, the extra ``polytag[train]``.

Without it importing this folder raises a `PolytagError` that says so, and so does whatever trains.
"""

import os
import shutil
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from polytag.errors import ModelError, PolytagError

try:
    import torch  # noqa: F401 - nothing below works without it, nothing outside this folder needs it
except ModuleNotFoundError as error:
    raise PolytagError("PyTorch is not installed, expected it for training: pip install 'polytag[train]'") from error

from polytag.files import locked, remove_partial
from polytag.model.checkpoint import save_description
from polytag.model.temperatures import remove_temperatures
from polytag.plan import Plan
from polytag.plan_file import check_texts, load_plan
from polytag.reports.chart import check_matplotlib
from polytag.reports.training_curves import FILE as CURVES
from polytag.reports.training_curves import write_curves
from polytag.tagger.tagging import Tagger
from polytag.training.calibrating import calibrate
from polytag.training.device import find_device
from polytag.training.directory import is_complete, nothing_left_on_failure
from polytag.training.distributed import World, joined
from polytag.training.events import Evaluation as Evaluation
from polytag.training.events import Event as Event
from polytag.training.events import Note as Note
from polytag.training.events import Step as Step
from polytag.training.loop import Trainer as Trainer
from polytag.training.prepare import Prepared as Prepared
from polytag.training.prepare import prepare as prepare
from polytag.training.report import write_report
from polytag.training.resume import restore, save_state, state_file
from polytag.training.threads import cpu_threads, threads_for
from polytag.training.torch_network import load_weights, save_weights

_DRAWING = threading.Lock()  # matplotlib's style is one for the whole process
SAVE_SECONDS = 60.0  # a killed training loses at most about this much


def train(
    plan: Plan | str | os.PathLike[str],
    *,
    output: str | os.PathLike[str],
    data: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    resume: bool = False,
    settings: Iterable[str] = (),
    device: str = "cpu",
) -> Tagger:
    """Train a plan into a model directory and return the tagger with the best epoch's weights.

    In a script that ``torchrun`` starts, all its processes train together; each must make the same call.

    Args:
        plan: a plan, or the path of a plan file.
        output: the model directory to make.
        data: where the plan's relative paths are looked up after its own directory.
        seed: overrides ``training.seed``.
        resume: continue the training that ``output`` holds.
        settings: overrides, ``"training.epochs=5"``.
        device: where to compute, ``"cpu"`` or ``"cuda"``.

    Raises:
        PolytagError: the plan, the data, the output or the device cannot be used.
    """
    overrides = [*settings, *([] if seed is None else [f"training.seed={seed}"])]
    with joined() as world:
        if not isinstance(plan, Plan):
            plan = world.agree(partial(load_plan, plan, data=data, settings=overrides))
        for _ in train_events(plan, output=output, resume=resume, device=device):
            pass
        return Tagger.load(output)


def train_events(
    plan: Plan,
    *,
    output: str | os.PathLike[str],
    resume: bool = False,
    device: str = "cpu",
    command: str = "",
    save_seconds: float = SAVE_SECONDS,
) -> Iterator[Event]:
    """The same as a generator of events, for whoever wants to watch; ``command`` is recorded in the report."""
    with joined() as world, cpu_threads(threads_for(plan)):
        yield from _train(
            plan, world, Path(output), resume=resume, device=device, command=command, save_seconds=save_seconds
        )


def _train(
    plan: Plan,
    world: World,
    directory: Path,
    *,
    resume: bool,
    device: str,
    command: str,
    save_seconds: float,
) -> Iterator[Event]:
    if world.first(lambda: is_complete(directory, resume=resume)):
        yield Note(f"{directory}: the training is complete; nothing to resume")
        return
    place = world.agree(lambda: find_device(device))
    check_texts(plan.kept_in(directory), str(directory))  # where it searches, too, goes into the model
    prepared = world.agree(lambda: prepare(plan))  # before anything is written: a mistake leaves no directory behind
    yield from map(Note, prepared.notes)
    with ExitStack() as stack:
        world.first(lambda: stack.enter_context(locked(directory, doing="training into", kind=ModelError)))
        if world.first(lambda: is_complete(directory, resume=resume)):
            return  # another process has made it while this one prepared
        trainer = Trainer(prepared, directory, device=place, world=world)
        resumed = yield from _begin(trainer, resume=resume)
        yield from _continue(trainer, save_seconds=save_seconds)
        world.first(lambda: _describe_anew(trainer) if resumed else None)  # before anyone reads the directory
        best = world.agree(lambda: Tagger.load(directory, threads=plan.training.threads))
        temperatures = world.first(lambda: calibrate(trainer, best))
        yield from map(Note, world.first(lambda: _draw(trainer)))
        write_report(directory, trainer, best, command=command, calibration=temperatures)
        world.first(lambda: shutil.rmtree(state_file(directory).parent, ignore_errors=True))


def _begin(trainer: Trainer, *, resume: bool) -> Generator[Note, None, bool]:
    """Restore the state, or write the first one; returns whether there was one."""
    world, directory = trainer.world, trainer.output
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
        world.first(lambda: _write_beginning(trainer))
    return resumed


def _clean(directory: Path) -> None:
    for leftovers in (directory, directory / "vocabulary", state_file(directory).parent):
        remove_partial(leftovers)


def _write_beginning(trainer: Trainer) -> None:
    _clean(trainer.output)
    with nothing_left_on_failure(trainer.output):
        save_description(trainer.output, trainer.plan, trainer.vocabularies)
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


def _draw(trainer: Trainer) -> list[str]:
    """Draw the curves; returns what the user should know where that cannot be, which is no reason to fail."""
    try:
        check_matplotlib()
    except PolytagError as error:
        return [f"{CURVES} is not drawn: {error}"]
    with _DRAWING:
        write_curves(trainer.output, trainer.progress.history)
    return []


def _describe_anew(trainer: Trainer) -> None:
    """Bring plan.toml up to date: the number of epochs and where files lie may change between kill and resumption."""
    save_description(trainer.output, trainer.plan, trainer.vocabularies)
    for path in trainer.output.glob("*.safetensors"):  # each holds the checksums of the description
        load_weights(path, trainer.network)
        save_weights(trainer.output, trainer.network, path.name)
