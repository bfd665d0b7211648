"""``python -m experiments``: list, run, report."""

import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from experiments.catalogue import HERE, Catalogue, Stage
from experiments.queued import runs, stages_of
from experiments.supervisor import supervise
from experiments.training import Place, Run, is_recorded, is_trained
from polytag.errors import PlanError, PolytagError

NEXT = "next"  # the whole queue
RUNS = HERE.parent / "runs" / "experiments"
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def _seconds(context: click.Context, option: click.Parameter, value: str | None) -> float | None:  # noqa: ARG001
    """``90m``, ``1.5h``, ``30s``."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", value)
    if match is None:
        raise click.BadParameter(f"'{value}', expected a time such as 90m, 1.5h or 30s")
    return float(match[1]) * _UNITS[match[2]]


def _swaps(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:  # noqa: ARG001
    """``senna=DIR``."""
    pairs = {name: Path(directory) for name, _, directory in (value.partition("=") for value in values)}
    for value, directory in zip(values, pairs.values(), strict=False):
        if "=" not in value or not directory.is_dir():
            raise click.BadParameter(f"'{value}', expected senna=DIR or polyglot=DIR with a directory that exists")
    return pairs


data_option = click.option(
    "--data", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="POLYTAG_DATA",
    help="Where the corpora lie; POLYTAG_DATA unless given.",
)  # fmt: skip
vectors_option = click.option(
    "--vectors", multiple=True, metavar="NAME=DIR", callback=_swaps,
    help="senna=DIR or polyglot=DIR instead of our vectors (repeatable).",
)  # fmt: skip
folders_option = click.option(
    "--folders", type=click.Path(path_type=Path, exists=True), default=HERE, help="The tables' folders.", hidden=True
)
runs_option = click.option(
    "--runs", "runs_", type=click.Path(path_type=Path), default=RUNS, show_default="runs/experiments",
    help="Where model directories go.",
)  # fmt: skip


@click.group()
def cli() -> None:
    """Reproduce the tables of the paper."""


@cli.command()
@click.argument("table")
@click.option("--row", "rows", multiple=True, help="This row alone (repeatable).")
@click.option("--seeds", multiple=True, type=int, help="Seeds; 1 unless given: --seeds 1 2 3.")
@click.option("--variant", "variants", multiple=True, help="With the settings of this variant (repeatable).")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes; one per core.")
@click.option("--budget", metavar="TIME", callback=_seconds, help="Stop cleanly after this time: 90m.")
@click.option("--again", is_flag=True, help="Train anew what is done.")
@click.option("--committed", is_flag=True, help="Train with the code of HEAD, whatever is being edited in the tree.")
@data_option
@vectors_option
@runs_option
@folders_option
def run(
    table: str,
    rows: tuple[str, ...],
    seeds: tuple[int, ...],
    variants: tuple[str, ...],
    jobs: int,
    budget: float | None,
    again: bool,
    committed: bool,
    data: Path | None,
    vectors: dict[str, Path],
    runs_: Path,
    folders: Path,
) -> None:
    """Train what is not done of TABLE (table4, joint, ...), or, with "next", of the whole queue."""
    place = replace(_place(folders, runs_, data, vectors), committed=committed)
    if data is None and folders == HERE:
        raise click.UsageError("the plans name corpora: say where they lie with --data DIR or POLYTAG_DATA")
    if table == NEXT and (rows or seeds or variants or again):
        raise click.UsageError("the queue has rows, seeds and variants of its own: name a table")
    stages = _stages(table, place.catalogue, rows, seeds or (1,), variants)
    done = supervise(place, stages, jobs=jobs, seconds=budget, again=again, say=_say)
    _say(f"{len(done.done)} done, {len(done.stopped)} stopped, {len(done.failed)} failed")
    if done.failed:
        raise SystemExit(1)


@cli.command("list")
@click.argument("table", default=NEXT)
@data_option
@vectors_option
@runs_option
@folders_option
def list_(table: str, data: Path | None, vectors: dict[str, Path], runs_: Path, folders: Path) -> None:
    """Show the queue, or one table's runs, in order, with what is done."""
    place = _place(folders, runs_, data, vectors)
    shown: set[Run] = set()
    for stage in _stages(table, place.catalogue, (), (1,), ()):
        click.echo(f"\n{stage.about}")
        for run in [run for run in runs([stage], place) if run not in shown]:
            shown.add(run)
            state = "done" if is_recorded(run, place) else "trained" if is_trained(run, place) else ""
            click.echo(f"  {state:<8} {run}")


@cli.command()
@data_option
@runs_option
@folders_option
def report(data: Path | None, runs_: Path, folders: Path) -> None:
    """Rebuild every README table and the overview page with its plots."""
    from experiments.report import write_reports

    for path in write_reports(_place(folders, runs_, data, {})):
        click.echo(path)


def _place(folders: Path, runs_: Path, data: Path | None, vectors: dict[str, Path]) -> Place:
    return Place(Catalogue(folders), runs_.resolve(), data, vectors)


def _stages(
    table: str, catalogue: Catalogue, rows: Sequence[str], seeds: Sequence[int], variants: Sequence[str]
) -> Sequence[Stage]:
    if table == NEXT:
        return catalogue.stages
    stages = stages_of(table, catalogue, rows=rows, seeds=seeds, variants=variants)
    if not any(stage.rows for stage in stages):
        raise PlanError(f"{table} has nothing to train; `python -m experiments report` makes it")
    return stages


def _say(text: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {text}", err=True)


def _seeds_apart(arguments: Sequence[str]) -> list[str]:
    """``--seeds 1 2 3`` as click has it: ``--seeds 1 --seeds 2 --seeds 3``."""
    apart: list[str] = []
    after_seeds = False
    for argument in arguments:
        if after_seeds and argument.isdigit():
            apart += ["--seeds", argument]
            continue
        after_seeds = argument == "--seeds"
        apart += [] if after_seeds else [argument]
    return apart


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: a user's error is one line and exit code 1."""
    try:
        cli.main(_seeds_apart(sys.argv[1:] if arguments is None else arguments), prog_name="python -m experiments")
    except PolytagError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
