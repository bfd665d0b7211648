"""``polytag curve``."""

from pathlib import Path
from typing import Any

import click

from polytag.cli.options import (
    PATH,
    data_option,
    directory_option,
    jobs_option,
    quiet_option,
    set_option,
    several_values,
    split_option,
)
from polytag.cli.outputs import check_directory

RATES = (0.03, 0.1, 0.3, 1.0)


class _Rate(click.ParamType):  # type: ignore[type-arg]  # which newer versions of click have
    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            rate = float(str(value))
        except ValueError:
            self.fail(f"{value!r} is no share, such as 0.1", param, ctx)
        if not 0 < rate <= 1:
            self.fail(f"{value} is not above 0 and at most 1", param, ctx)
        return rate


@click.command(cls=several_values("--more", several_values("--rates")))
@click.argument("plan", type=PATH)
@directory_option("The directory for everything; curve-TASK unless given.")
@click.option("--task", required=True, help="The task whose labels are rationed.")
@click.option(
    "--rates", type=_Rate(), multiple=True, default=RATES, show_default=True, metavar="SHARE...",
    help="Shares of the task's training sentences.",
)  # fmt: skip
@click.option(
    "--partner", "partners", multiple=True, metavar="TASK",
    help="Also train with this task in one network, with all its labels (repeatable: all partners together).",
)  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 1000), default=3, show_default=True, help="Trainings for each point.")
@click.option(
    "--more", type=click.IntRange(min=1), multiple=True, metavar="N...",
    help="What so many more sentences would bring, from at least three rates; half as many again unless given.",
)  # fmt: skip
@split_option("dev", "the task's")
@jobs_option
@data_option
@set_option
@quiet_option
def curve(plan: Path, output: Path | None, task: str, quiet: bool, **options: Any) -> None:
    """Measure what joint training and more annotation bring to a task of PLAN.

    Trains the task at each labeling rate, alone and with its partners, once per seed, and writes a table (curve.md,
    curve.csv), what more annotation would bring (also forecast.json) and a plot (curve.svg); stdout gets the table and
    the sentences of answer. Called again, it skips what is trained and resumes what was killed; rates and seeds can be
    added.
    """
    from polytag.curves import curve as measure

    output = output or Path(f"curve-{task}")
    check_directory(output)
    found = measure(plan, task=task, output=output, **options | ({} if quiet else {"say": _say}))
    click.echo(f"{found.table}\n\n{found.answer}\n{found.forecast}\n\nplot: {found.plot}\ntable: {found.page}")


def _say(line: str) -> None:
    click.echo(line, err=True)
