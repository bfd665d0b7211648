"""The command line: one file per command, each parses, calls the library and prints.

Results go to stdout, progress to stderr. Exit code 0, 1 for a user's error with one sentence, 2 for wrong usage.
"""

import io
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from polytag.cli.interrupts import after_imports
from polytag.errors import PolytagError, PolytagWarning
from polytag.garbage import look_rarely

COMMANDS = {
    "init": "Write a plan for your files, and show what is in them.",
    "train": "Train a plan into a model directory.",
    "evaluate": "Score a model on annotated files.",
    "tag": "Tag files or standard input.",
    "suggest": "Choose the sentences whose annotation would teach most.",
    "audit": "Find training sentences whose annotation is probably wrong.",
    "show": "Show the parts, sharing, sizes and settings of a plan or a model.",
    "data": "Look at corpora and convert them.",
    "vectors": "Make word vectors of text without labels.",
    "distill": "Tag text without labels with models, for another to learn from.",
    "calibrate": "Make a model's probabilities come true on a file nobody trained on.",
    "compare": "Compare two models on the same sentences.",
    "curve": "Measure what joint training and more annotation bring to a task.",
    "tune": "Search for better settings of a plan by training it.",
    "serve": "Serve a model over HTTP: a page, and JSON for programs.",
    "pack": "Pack a model into one file for shipping.",
    "push": "Write a model to the Hugging Face Hub.",
    "export": "Write a model as an ONNX graph.",
}


_show_warning = warnings.showwarning
OUT_OF_MEMORY = "out of memory; try a smaller training.batch_sentences or shorter sentences"

# Raised where only a command's name is given: its text is the help, in several lines.
_HelpShown: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())


class LazyGroup(click.Group):
    """Imports a command's file only when it is called, so that --help answers at once."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read the output has seen enough, as in `polytag tag ... | head`
            _abandon_stdout()
            return 0

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


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from polytag import native  # here, so that --help need not load it

        click.echo(f"polytag, version {version('polytag')}\n{native.description()}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version,
    help="Show the version and which native core computes, then exit.",
)  # fmt: skip
def cli() -> None:
    """Train sequence taggers from scratch and run them: any language, several tasks and languages in one network."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the only place that turns errors into sentences and exit codes."""
    _prepare_streams()
    look_rarely()
    warnings.showwarning = _tell
    try:
        with after_imports():
            status = cli.main(
                args=None if arguments is None else list(arguments), prog_name="polytag", standalone_mode=False
            )
    except _HelpShown as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _fail(_usage(error), code=error.exit_code)
    except click.Abort as error:
        _fail("; ".join(["interrupted", *error.args]), code=130)
    except PolytagError as error:
        _fail(str(error))
    except OSError as error:
        if error.filename is None:  # files have names, so it is stdout that failed
            _abandon_stdout()
        _fail(f"{error.filename or 'standard output'}: {error.strerror or error}")
    except MemoryError:
        _fail(OUT_OF_MEMORY)
    except RuntimeError as error:  # what PyTorch raises where memory runs out
        if "allocate memory" not in str(error) and "bad_alloc" not in str(error):
            raise
        _fail(OUT_OF_MEMORY)
    sys.exit(status if isinstance(status, int) else 0)


def _tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
    """A warning of ours is for whoever typed the command, any other for whoever wrote the code."""
    if issubclass(category, PolytagWarning):
        click.echo(f"polytag: {message}", err=True)
    else:
        _show_warning(message, category, *place, **more)


def _prepare_streams() -> None:
    """Open what the caller closed (``<&-``), and write UTF-8 wherever we are: names and words are of any script."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for good
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")


def _usage(error: click.ClickException) -> str:
    """Click's message as a sentence, with the command whose help tells more."""
    message = error.format_message().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    more = f"; see '{context.command_path} --help'" if context else ""
    return f"{message[:1].lower()}{message[1:]}{more}"


def _abandon_stdout() -> None:
    """Point stdout elsewhere, so that the interpreter can flush what is left when it ends."""
    with suppress(OSError, ValueError):  # there is no such descriptor where stdout is an object
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(sentence: str, *, code: int = 1) -> None:
    click.echo(f"polytag: {' '.join(sentence.split())}", err=True)
    sys.exit(code)
