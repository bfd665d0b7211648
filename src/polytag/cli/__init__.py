"""The command line: one file per command, each parses, calls the library and prints.

Results go to stdout, progress to stderr. Exit code 0, 1 for a user's error with one sentence, 2 for wrong usage.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from polytag.errors import PolytagError

COMMANDS = {
    "train": "Train a plan into a model directory.",
    "evaluate": "Score a model on annotated files.",
    "tag": "Tag files or standard input.",
    "show": "Show the parts, sharing, sizes and settings of a plan or a model.",
    "data": "Look at corpora and convert them.",
}


class LazyGroup(click.Group):
    """Imports a command's file only when it is called, so that --help answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"polytag.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="polytag")
def cli() -> None:
    """Train sequence taggers from scratch and run them: any language, several tasks and languages in one network."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the only place that turns errors into sentences and exit codes."""
    try:
        status = cli.main(
            args=None if arguments is None else list(arguments), prog_name="polytag", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        _fail("interrupted", code=130)
    except PolytagError as error:
        _fail(str(error))
    except BrokenPipeError:
        # whoever read the output has seen enough; point stdout elsewhere so that the interpreter can flush it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")
    except MemoryError:
        _fail("out of memory; try a smaller training.batch_sentences or shorter sentences")
    sys.exit(status if isinstance(status, int) else 0)


def _fail(sentence: str, *, code: int = 1) -> None:
    click.echo(f"polytag: {' '.join(sentence.split())}", err=True)
    sys.exit(code)
