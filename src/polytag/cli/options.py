"""Options that several commands share."""

from pathlib import Path

import click

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="POLYTAG_DATA",
    show_envvar=True,
    help="Where relative paths of the plan are looked up after its own directory.",
)
set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a setting, such as training.epochs=5."
)
best_for_option = click.option(
    "--best-for", metavar="TASK", help="Use the weights kept for this task (training.best_per_task)."
)
