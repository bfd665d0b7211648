"""What trains goes on where it was interrupted: with a directory in the place of the plan."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from polytag.errors import PolytagError


def places(plan: Path, output: Path | None, *, resume: bool, command: str) -> tuple[Path, Path]:
    """The plan file and the directory to write into; a directory in the place of the plan is both."""
    if not plan.is_dir():
        if output is None and resume and not plan.exists():
            raise PolytagError(f"{plan}: no such directory, expected one that '{command}' has begun")
        if output is None:
            raise click.UsageError("Missing option '--output' / '-o'.")
        return plan, output
    if not resume or output not in (None, plan):
        raise PolytagError(
            f"{plan}: a directory, expected a plan file; what is in it goes on with '{command} --resume {plan}'"
        )
    return plan / "plan.toml", plan


@contextmanager
def telling_how_to_go_on(output: Path, can_go_on: Callable[[], bool], *, command: str = "train") -> Iterator[None]:
    """Where what was interrupted left a state, say what continues it."""
    try:
        yield
    except KeyboardInterrupt:
        if can_go_on():
            click.echo(err=True)  # the terminal wrote ^C
            raise click.Abort(f"to go on: polytag {command} --resume {shlex.quote(str(output))}") from None
        raise
