"""``polytag train``."""

import os
import shlex
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.options import (
    PATH,
    data_option,
    device_option,
    directory_option,
    quiet_option,
    set_option,
    task_option,
)
from polytag.cli.outputs import check_directory
from polytag.errors import PolytagError

if TYPE_CHECKING:
    from polytag.plan import Plan
    from polytag.training import Evaluation, Event, Step


@contextmanager
def _one_voice() -> Iterator[None]:
    """Under ``torchrun`` every process fails in the same way: leave it to the first to say so."""
    try:
        yield
    except (PolytagError, click.ClickException, KeyboardInterrupt) as error:
        if "TORCHELASTIC_RUN_ID" not in os.environ or os.environ.get("RANK") == "0":
            raise
        sys.exit(getattr(error, "exit_code", 1))


class _Command(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _one_voice():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_voice():
            return super().invoke(ctx)


@click.command(cls=_Command)
@click.argument("plan", type=PATH)
@directory_option("The model directory to make.")
@data_option
@click.option("--seed", type=int, help="Overrides training.seed.")
@click.option("--resume", is_flag=True, help="Continue the training that the output directory holds; PLAN may be that.")
@set_option
@task_option("Train")
@device_option
@quiet_option
def train(
    plan: Path,
    output: Path | None,
    data: Path | None,
    seed: int | None,
    resume: bool,
    settings: tuple[str, ...],
    tasks: tuple[str, ...],
    device: str,
    quiet: bool,
) -> None:
    """Train PLAN into a model directory, or go on with one: polytag train --resume DIR.

    Progress goes to stderr; at the end the scores of the kept epoch go to stdout. Started by torchrun, all its
    processes train together.
    """
    from polytag.cli.report import read_report
    from polytag.plan_file import load_plan
    from polytag.training import train_events
    from polytag.training.distributed import joined

    plan, output = _places(plan, output, resume=resume)
    check_directory(output)
    overrides = [*settings, *([] if seed is None else [f"training.seed={seed}"])]

    def load() -> "Plan":
        checked = load_plan(plan, data=data, settings=overrides)
        return checked.only(tasks) if tasks else checked

    command = shlex.join(["polytag", *sys.argv[1:]])
    with joined() as world:
        events = train_events(world.agree(load), output=output, resume=resume, device=device, command=command)
        with _telling_how_to_go_on(output, told=world.is_first):
            _show(events, quiet=quiet or not world.is_first)
    if world.is_first:
        click.echo(_scores(output))
        for step in [] if quiet else read_report(output / "report.json").next_steps:
            click.echo(f"next: {step}", err=True)


def _places(plan: Path, output: Path | None, *, resume: bool) -> tuple[Path, Path]:
    """The plan file and the directory to train into; a directory in the place of the plan is both."""
    if not plan.is_dir():
        if output is None:
            raise click.UsageError("Missing option '--output' / '-o'.")
        return plan, output
    if not resume or output not in (None, plan):
        raise PolytagError(
            f"{plan}: a directory, expected a plan file; a training goes on with 'train --resume {plan}'"
        )
    from polytag.training.resume import first_pass, has_first_pass

    began = first_pass(plan) if has_first_pass(plan) else plan  # the first pass of a refit has the same plan
    return began / "plan.toml", plan


@contextmanager
def _telling_how_to_go_on(output: Path, *, told: bool) -> Iterator[None]:
    """Where an interrupted training left a state, say what continues it."""
    from polytag.training.resume import is_begun

    try:
        yield
    except KeyboardInterrupt:
        if told and is_begun(output):
            click.echo(f"{output}: to go on: polytag train --resume {shlex.quote(str(output))}", err=True)
        raise


def _show(events: Iterable["Event"], *, quiet: bool) -> None:
    """A bar in a terminal, plain lines in a log."""
    from tqdm import tqdm

    from polytag.training import Note, Step, Trained

    bar: tqdm[None] | None = None
    lines = _Lines()
    for event in events:
        if quiet or isinstance(event, Trained):
            continue
        if isinstance(event, Step):
            if event.step == 1:  # of a training, or of the second pass of a refit
                if bar is not None:
                    bar.close()
                bar, lines = None, _Lines()
            if sys.stderr.isatty():
                bar = bar or tqdm(total=event.steps, initial=event.step - 1, unit="batch", leave=False, file=sys.stderr)
                bar.set_postfix_str(f"epoch {event.epoch}, {event.task} loss {event.loss:.2f}", refresh=False)
                bar.update()
            else:
                lines.step(event)
        else:
            text = event.text if isinstance(event, Note) else _line(event)
            tqdm.write(text, file=sys.stderr)
    if bar is not None:
        bar.close()


class _Lines:
    """A line of progress now and then, for logs: where the training stands, its rate and the time left."""

    EVERY = 30.0  # seconds

    def __init__(self) -> None:
        self.began = self.shown = time.monotonic()
        self.words = self.first_step = 0

    def step(self, event: "Step") -> None:
        self.first_step = self.first_step or event.step
        self.words += event.words
        now = time.monotonic()
        if now - self.shown < self.EVERY:
            return
        self.shown = now
        elapsed, done = now - self.began, event.step - self.first_step + 1
        left = elapsed / done * (event.steps - event.step)
        click.echo(
            f"epoch {event.epoch}, batch {event.step:,} of {event.steps:,}, {self.words / elapsed:,.0f} words/s, "
            f"at most {left / 60:,.0f} min left, {event.task} loss {event.loss:.2f}",
            err=True,
        )


def _line(event: "Evaluation") -> str:
    losses = ", ".join(f"{task} {loss:.3f}" for task, loss in event.loss.items())
    dev = ", ".join(f"{task} {score:.2f}" for task, score in event.dev.items())
    best = "  (best so far)" if event.is_best and event.dev else ""
    return f"epoch {event.epoch}: loss {losses}" + (f"; dev {dev}{best}" if dev else "") + f"; {event.seconds:,.0f} s"


def _scores(output: Path) -> str:
    from polytag.cli.report import read_report

    report = read_report(output / "report.json")
    rows = [
        f"{task:<20} {split:<5} {metric:<9} {score:6.2f}{report.said_of(split)}"
        for task, split, metric, score in report.rows
    ]
    refit = f"; refit on train and dev together, {report.best_epoch} epochs" if report.is_refit else ""
    return "\n".join([f"kept epoch {report.best_epoch} of {report.epochs}{refit}", *rows])
