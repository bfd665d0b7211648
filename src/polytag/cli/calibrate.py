"""``polytag calibrate``."""

from pathlib import Path
from typing import Any

import click

from polytag.cli.options import scoring_options
from polytag.files import json_text


@click.command()
@scoring_options("Calibrate", split="dev", preposition="on")
def calibrate(model: Path, as_json: bool, data_file: Path | None, data: Path | None, **options: Any) -> None:
    """Make the probabilities of MODEL come true on the plan's development split, or on a file nobody trained on.

    One temperature for each task divides all its scores; tags stay as they are. It is written into the model directory,
    for all commands. Training does this at its end. The calibration error, printed before (at temperature 1) and after,
    is how far probabilities and the share of right tags, or spans, are apart.
    """
    from polytag.corpus.lookup import find_file
    from polytag.tagger.calibration import calibrate as calibrate_model

    file = data_file and find_file(data_file, data)
    fits = calibrate_model(model, data_file=file, data=data, **options)
    if as_json:
        click.echo(json_text({task: found.as_dict() for task, found in fits.items()}))
        return
    for task, found in fits.items():
        click.echo(f"{task}: temperature {found.temperature:.4f} from {found.sentences:,} sentences")
        for name, loss, of in zip(("before", "after"), found.loss, (found.before, found.after), strict=True):
            click.echo(f"  calibration error {name + ':':<7} {of}; loss {loss:.4f} nats per sentence")
