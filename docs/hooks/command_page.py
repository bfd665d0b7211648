"""Every command and every option, as a page: what ``--help`` says, from the same objects."""

import inspect
import re
from collections.abc import Iterator

import click

from polytag.cli import COMMANDS, cli

HEAD = """# Commands

<!-- Made by python docs/hooks/generated.py, from src/polytag/cli -->

Results go to standard output, progress to standard error. The exit code is 0, 1 for an error in what was given (one
sentence on standard error), 2 for a command that is not used right. `polytag COMMAND --help` says what this page says.
"""


def commands_page() -> str:
    """The page in Markdown; a heading for each command, a table for the options of each."""
    context = click.Context(cli, info_name="polytag")
    lines = [HEAD, "| command | what it does |", "|---|---|"]
    lines += [f"| [`polytag {name}`](#polytag-{name}) | {what} |" for name, what in COMMANDS.items()]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        lines += section(command, click.Context(command, info_name=name, parent=context), level=2)
    return "\n".join(lines) + "\n"


def section(command: click.Command, context: click.Context, *, level: int) -> Iterator[str]:
    """One command with its subcommands, each a level deeper."""
    path = context.command_path
    yield f"\n{'#' * level} {path} {{ #{path.replace(' ', '-')} }}\n"
    usage = " ".join(piece for piece in command.collect_usage_pieces(context))
    yield from ("```text", f"{path} {usage}", "```", "", _prose(command.help or ""), "")
    options = [row for parameter in command.params if (row := _row(parameter, context))]
    if options:
        yield from ("| option | value | default | meaning |", "|---|---|---|---|", *options)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from section(inner, click.Context(inner, info_name=name, parent=context), level=level + 1)


def _row(parameter: click.Parameter, context: click.Context) -> str:
    """A row of the table; nothing for arguments, which the usage shows."""
    if not isinstance(parameter, click.Option) or parameter.hidden:
        return ""
    names = [*parameter.opts, *parameter.secondary_opts]
    value = "" if parameter.is_flag else parameter.make_metavar(context)
    meaning = _cell(parameter.help or "")
    if parameter.envvar:
        meaning += f" Also from the environment: `{parameter.envvar}`."
    if parameter.required:
        meaning += " Required."
    cells = [" ".join(f"`{name}`" for name in names), _code(value), _code(_default(parameter, context)), meaning]
    return f"| {' | '.join(cells)} |"


def _default(parameter: click.Option, context: click.Context) -> str:
    """The default as the help shows it; nothing where there is none."""
    if not parameter.show_default:
        return ""
    default = parameter.get_default(context)
    return " ".join(map(str, default)) if isinstance(default, tuple | list) else str(default)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""  # a bar inside code ends no cell


def _cell(text: str) -> str:
    """Text inside a table: a bar and a tag would end the cell or vanish."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _prose(text: str) -> str:
    """A help text as Markdown: paragraphs as they are, nothing else of what it holds means anything."""
    return re.sub(r"([<*_])", r"\\\1", inspect.cleandoc(text))
