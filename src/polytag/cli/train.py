"""``polytag train``."""

import os
import shlex
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.going_on import places, telling_how_to_go_on
from polytag.cli.options import (
    PATH,
    data_option,
    device_option,
    directory_option,
    jobs_option,
    quiet_option,
    set_option,
    several_values,
    task_option,
)
from polytag.cli.outputs import check_directory
from polytag.errors import PolytagError, counted

if TYPE_CHECKING:
    from polytag.model.report_file import Recorded
    from polytag.plan import Plan
    from polytag.training import Evaluation, Event, Step


@contextmanager
def _one_voice() -> Iterator[None]:
    """Under ``torchrun`` every process fails in the same way: leave it to the first to say so."""
    try:
        yield
    except (PolytagError, click.ClickException, click.Abort, KeyboardInterrupt) as error:
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


@click.command(cls=several_values("--seeds", _Command))
@click.argument("plan", type=PATH)
@directory_option("The model directory to make.")
@data_option
@click.option("--seed", type=int, help="Overrides training.seed.")
@click.option(
    "--seeds", type=click.IntRange(0, 2**32 - 1), multiple=True, metavar="SEED...",
    help="Train once with each: a model directory below DIR for each, means and deviations at the end.",
)  # fmt: skip
@click.option(
    "--folds", type=click.IntRange(2), metavar="N",
    help="Cross-validation: N trainings, each scored on the Nth of the training sentences that it holds out.",
)  # fmt: skip
@jobs_option
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
    seeds: tuple[int, ...],
    folds: int | None,
    jobs: int,
    resume: bool,
    settings: tuple[str, ...],
    tasks: tuple[str, ...],
    device: str,
    quiet: bool,
) -> None:
    """Train PLAN into a model directory, or go on with one: polytag train --resume DIR.

    Progress goes to stderr; at the end the scores of the kept epoch go to stdout. Started by torchrun, all its
    processes train together.

    With --seeds 1 2 3 or --folds 5 the plan is trained several times, and means and deviations go to stdout and into
    scores.json. The same command, or --resume DIR, goes on where it was interrupted.
    """
    from polytag.model.report_file import recorded
    from polytag.plan_file import load_plan
    from polytag.runs.repeats import is_repeated

    plan, output = places(plan, output, resume=resume, command="train")
    check_directory(output)
    if seeds or folds or is_repeated(output):
        request = {"seed": seed, "seeds": seeds, "folds": folds, "tasks": tasks, "settings": settings}
        _train_several(plan, output, request, data=data, device=device, jobs=jobs, quiet=quiet)
        return
    from polytag.training import train_events
    from polytag.training.distributed import joined
    from polytag.training.resume import first_pass, has_first_pass, is_begun

    if plan.parent == output and has_first_pass(output):
        plan = first_pass(output) / plan.name  # the first pass of a refit has the same plan
    overrides = [*settings, *([] if seed is None else [f"training.seed={seed}"])]

    def load() -> "Plan":
        return load_plan(plan, data=data, settings=overrides).only(tasks)

    command = shlex.join(["polytag", *sys.argv[1:]])
    with joined() as world:
        events = train_events(world.agree(load), output=output, resume=resume, device=device, command=command)
        with telling_how_to_go_on(output, lambda: world.is_first and is_begun(output)):
            _show(events, quiet=quiet or not world.is_first)
    if world.is_first:
        report = recorded(output)
        click.echo(_scores(report))
        for step in [] if quiet else report.next_steps:
            click.echo(f"next: {step}", err=True)


def _train_several(
    plan: Path, output: Path, request: dict[str, Any], *, data: Path | None, device: str, jobs: int, quiet: bool
) -> None:
    """Train with several seeds, by folds, or go on with what is in the directory."""
    from polytag.runs.repeats import is_repeated, repeat, resume

    seed = request.pop("seed")
    if "TORCHELASTIC_RUN_ID" in os.environ:
        raise click.UsageError("--seeds and --folds start trainings of their own, expected no torchrun")
    if seed is not None and request["seeds"]:
        raise click.UsageError("--seed and --seeds: expected one of them")
    if twice := [of for of in {*request["seeds"]} if request["seeds"].count(of) > 1]:
        raise click.UsageError(f"--seeds: {min(twice)} is there twice, expected seeds unlike each other")
    if len(request["seeds"]) == 1:
        raise click.UsageError(f"--seeds {request['seeds'][0]}: expected several, such as --seeds 1 2 3, or --seed")
    goes_on = plan.parent == output
    if goes_on and (seed is not None or any(request.values())):
        raise click.UsageError(f"{output}: its trainings go on as they began, expected no other settings")
    told: dict[str, Any] = {} if quiet else {"say": partial(click.echo, err=True)}
    with telling_how_to_go_on(output, lambda: is_repeated(output)):
        if goes_on:
            found = resume(output, data=data, jobs=jobs, **told)
        else:
            request["seeds"] = request["seeds"] or ([] if seed is None else [seed])
            found = repeat(plan, output=output, data=data, device=device, jobs=jobs, **told, **request)
    click.echo(found.table)
    if found.best:
        click.echo(f"\nbest on dev: {output / found.best.name}")
    else:
        click.echo("\neach training was scored on what it held out; for a model to use, train on all of it")


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


def _scores(report: "Recorded") -> str:
    rows = [
        f"{task:<20} {split:<5} {metric:<9} {score:6.2f}{report.said_of(split)}"
        for task, split, metric, score in report.rows
    ]
    refit = f"; refit on train and dev together, {counted(report.best_epoch, 'epoch')}" if report.is_refit else ""
    return "\n".join([f"kept epoch {report.best_epoch} of {report.epochs}{refit}", *rows])
