"""``polytag calibrate``."""

import json
from pathlib import Path
from typing import Any

import click

from polytag.cli.options import best_for_option, data_option, device_option, precision_option


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--task", "tasks", multiple=True, help="Calibrate this task only (repeatable).")
@click.option("--data-file", type=click.Path(path_type=Path), help="Fit on this file, read as the task's files are.")
@click.option(
    "--split", type=click.Choice(["dev", "test"]), default="dev", show_default=True, help="Which of the plan's files."
)
@data_option
@best_for_option
@precision_option("float32")
@device_option
@click.option("--json", "as_json", is_flag=True, help="Numbers for machines.")
def calibrate(model: Path, as_json: bool, **options: Any) -> None:
    """Make the probabilities of MODEL come true on the plan's development split, or on a file nobody trained on.

    One temperature for each task divides all its scores; tags stay as they are. It is written into the model directory,
    for all commands. Training does this at its end. The calibration error, printed before (at temperature 1) and after,
    is how far probabilities and the share of right tags, or spans, are apart.
    """
    from polytag.calibration import calibrate as calibrate_model

    fits = calibrate_model(model, **options)
    if as_json:
        click.echo(json.dumps({task: found.as_dict() for task, found in fits.items()}, indent=2, ensure_ascii=False))
        return
    for task, found in fits.items():
        click.echo(f"{task}: temperature {found.temperature:.4f} from {found.sentences:,} sentences")
        for name, loss, of in zip(("before", "after"), found.loss, (found.before, found.after), strict=True):
            click.echo(f"  calibration error {name + ':':<7} {of}; loss {loss:.4f} nats per sentence")
