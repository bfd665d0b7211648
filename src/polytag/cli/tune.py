"""``polytag tune``."""

from functools import partial
from pathlib import Path
from typing import Any

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
    task_option,
)
from polytag.cli.outputs import check_directory

TRIALS = 20


@click.command()
@click.argument("plan", type=PATH)
@directory_option("The directory for everything.")
@click.option(
    "--trials", type=click.IntRange(1), help=f"Trainings in all, those of earlier calls included.  [{TRIALS}]"
)
@click.option(
    "--vary", multiple=True, metavar="KEY=VALUES",
    help="A setting to search over (repeatable): LOW..HIGH or [A, B], such as training.learning_rate=0.001..0.01; * in "
    "it stands for every name, as in words.*.dropout=0..0.5.  [learning rate, batch, dropout, size]",
)  # fmt: skip
@jobs_option
@click.option("--resume", is_flag=True, help="Continue the search that PLAN, a directory, holds.")
@data_option
@set_option
@task_option("Train")
@device_option
@quiet_option
def tune(
    plan: Path, output: Path | None, trials: int | None, resume: bool, data: Path | None, jobs: int, quiet: bool,
    **request: Any,
) -> None:  # fmt: skip
    """Search for better settings of PLAN by training it, and write the best as a plan, best.toml.

    The first trial is PLAN itself. A trial whose development score lies below the median of those before it is stopped
    early; the model of the best is kept. The same command, or --resume DIR, goes on where it was interrupted; more
    --trials can be asked for later.
    """
    plan, output = places(plan, output, resume=resume, command="tune")
    check_directory(output)
    from polytag.runs import tune as runs

    told: dict[str, Any] = {} if quiet else {"say": partial(click.echo, err=True)}
    with telling_how_to_go_on(output, lambda: runs.is_tuned(output), command="tune"):
        if plan.parent == output:
            if request["settings"] or request["vary"] or request["tasks"]:
                raise click.UsageError(f"{output}: its search goes on as it began, expected no other settings")
            found = runs.resume(output, trials=trials, data=data, jobs=jobs, **told)
        else:
            found = runs.tune(plan, output=output, trials=trials or TRIALS, data=data, jobs=jobs, **told, **request)
    click.echo(f"{found.table}\n\nbest plan: {output / found.plan.name}\nits model: {output / found.model.name}")
