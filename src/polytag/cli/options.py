"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

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
device_option = click.option(
    "--device", default="cpu", show_default=True, help="Where to compute: cpu, cuda, cuda:1, ..."
)


def precision_option(default: str) -> Callable[[F], F]:
    """``--precision``; the command decides what holds unless it is given."""
    return click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16", "int8"]),
        default=default,
        show_default=True,
        help="Of the recurrent layers on a CPU; auto: what the processor is fast at with next to no loss.",
    )
