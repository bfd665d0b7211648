"""Options and arguments that several commands share: one name, one form and one text for each."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from polytag.cli.outputs import FileToWrite, NamedPath
from polytag.corpus.formats import FORMATS
from polytag.tokenisers import TOKENISERS, is_tokeniser

F = TypeVar("F", bound=Callable[..., Any])

PATH = NamedPath()
ANNOTATED = ("auto", *(name for name, row in FORMATS.items() if row.has_tags))
TEXTS = tuple(name for name, row in FORMATS.items() if not row.has_tags)
TAGGED = ("auto", *(name for name, row in FORMATS.items() if row.is_tagged))
TABLES = tuple(name for name, row in FORMATS.items() if row.is_table)
BY_SUFFIX = "auto goes by the suffix, and is conll where that says nothing"
BY_LINES = "auto goes by the suffix and, where that says nothing, by the first lines"
TEXT_IS = "text is raw, lines is raw with a document per line, tokenised has a sentence per line in words"


_NUMBER = re.compile(r"[0-9]*\.?[0-9]+(e-?[0-9]+)?|[0-9]+\.")


def several_values(option: str, base: type[click.Command] = click.Command) -> type[click.Command]:
    """A command that takes several numbers after one option: ``--rates 0.03 0.1 0.3 1``."""

    class Command(base):  # type: ignore[misc, valid-type]
        def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
            expanded: list[str] = []
            values = 0  # that the option has had, where its values are at hand
            for argument in args:
                if argument == option:
                    values = 1
                elif values and _NUMBER.fullmatch(argument):
                    expanded += [option] if values > 1 else []
                    values += 1
                else:
                    values = 0
                expanded.append(argument)
            parsed: list[str] = super().parse_args(ctx, expanded)
            return parsed

    return Command


def together(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Several options as one decorator, in the order of the help."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _settings(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001
    for value in values:
        key, equals, _ = value.partition("=")
        if not equals or not all(key.split(".")):
            raise click.UsageError(f"--set {value}: expected KEY=VALUE, such as training.epochs=5", ctx)
    return values


def named(option: str, values: Sequence[str], *, expected: str, ctx: click.Context) -> dict[str, str]:
    """What several NAME=VALUE say, by name; the value begins behind the last equals sign.

    Raises:
        UsageError: one is of another form, or two have one name.
    """
    found = dict[str, str]()
    for given in values:
        name, equals, value = given.rpartition("=")
        if not equals or not name or not value:
            raise click.UsageError(f"{option} {given}: expected {expected}", ctx)
        if name in found:
            raise click.UsageError(f"{option} {given}: '{name}' is named twice, expected names that differ", ctx)
        found[name] = value
    return found


def _layers(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, int | str]:  # noqa: ARG001
    places = named("--tag", values, expected="NAME=PLACE, such as ner=3 or pos=upos", ctx=ctx)
    return {name: column_of(place) for name, place in places.items()}


def _map(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:  # noqa: ARG001
    return named("--map", values, expected="LABEL=NEW, such as person=PER or Chemical=O", ctx=ctx)


def _tokeniser(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001
    if value is not None and not is_tokeniser(value):
        raise click.UsageError(f"--tokeniser {value}: expected {TOKENISERS}", ctx)
    return value


def _least(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> float | dict[str, float]:  # noqa: ARG001
    """One probability for all types, or one for each."""
    found: dict[str, float] = {}
    for value in values:
        type_, equals, number = value.rpartition("=")
        if type_ in found:
            raise click.BadParameter(f"'{value}': {type_ or 'a number for all types'} is there twice, expected it once")
        try:
            found[type_] = float(number)
        except ValueError:
            type_, equals = "", "="
        if equals and not type_:
            raise click.BadParameter(f"'{value}': expected a number from 0 to 1, or TYPE= and one")
    if "" in found and len(found) > 1:
        raise click.BadParameter("one probability for all types, or one for each, expected not both")
    return found.get("", found)


def column_of(value: str) -> int | str:
    """A column by its number, where that is one, or name."""
    return int(value) if value.removeprefix("-").isdecimal() else value


model_argument = click.argument("model", type=PATH)
data_option = click.option(
    "--data", type=PATH, metavar="DIR", envvar="POLYTAG_DATA", show_envvar=True,
    help="The data directory: a relative path that leads to nothing by itself is looked up in it.",
)  # fmt: skip
set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", callback=_settings,
    help="Override a setting, such as training.epochs=5.",
)  # fmt: skip
best_for_option = click.option(
    "--best-for", metavar="TASK", help="Use the weights kept for this task (training.best_per_task)."
)
device_option = click.option(
    "--device", default="cpu", show_default=True, help="Where to compute: cpu, cuda, cuda:1, ..."
)
threads_option = click.option("--threads", type=click.IntRange(min=1), help="CPU threads; all cores if absent.")
json_option = click.option("--json", "as_json", is_flag=True, help="Numbers for machines.")
html_option = click.option("--html", type=FileToWrite(), metavar="FILE", help="Also write a report, one HTML page.")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
jobs_option = click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Trainings at a time.")
constrained_option = click.option(
    "--constrained/--unconstrained", default=None, help="Valid tag sequences only; as the plan says if absent."
)


def consistent_option(among: str) -> Callable[[F], F]:
    """``--consistent``; the help says where the mentions are that count."""
    return click.option("--consistent", is_flag=True, help=f"Tag names with an eye to their other mentions {among}.")


encoding_option = click.option(
    "--encoding", default="auto", show_default=True, help="A codec; auto is UTF-8, else latin-1."
)


precision_option = click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16", "int8"]),
    help="Of the matrix products; the model's own if absent. auto: what the processor is fast at with next to no loss.",
)


def weights_options() -> Callable[[F], F]:
    """What `Tagger.load` takes: best_for, precision and threads."""
    return together(best_for_option, precision_option, threads_option)


def task_option(does: str) -> Callable[[F], F]:
    """``--task``, as ``tasks``; the help says what the command does with it."""
    return click.option("--task", "tasks", multiple=True, metavar="NAME", help=f"{does} this task only (repeatable).")


def from_option(formats: Sequence[str], more: str = BY_SUFFIX) -> Callable[[F], F]:
    """``--from``, as ``source_format``: how what is read is written."""
    texts = f"; {TEXT_IS}" if "text" in formats else ""
    return click.option(
        "--from", "source_format", type=click.Choice(formats), default="auto", show_default=True,
        help=f"How the input is written: {more}{texts}.",
    )  # fmt: skip


def tokeniser_option(does: str) -> Callable[[F], F]:
    """``--tokeniser``; the help says what the command does with it."""
    names = "unicode, blanks, or spacy:CODE, such as spacy:en"
    return click.option("--tokeniser", metavar="NAME", callback=_tokeniser, help=f"{does}: {names}.")


def tag_option(help: str) -> Callable[[F], F]:
    """``--tag``, as ``tags``: names and their columns or keys."""
    return click.option("--tag", "tags", multiple=True, metavar="NAME=PLACE", callback=_layers, help=help)


def word_option_of(formats: str = "csv") -> Callable[[F], F]:
    """``--word``; formats are those whose columns have names."""
    return click.option(
        "--word", default="0", show_default=True, metavar="COLUMN", callback=lambda _, __, value: column_of(value),
        help=f"Column of the words: its number (conll, csv) or name ({formats}).",
    )  # fmt: skip


word_option = word_option_of()


def min_probability_option(help: str) -> Callable[[F], F]:
    """``--min-probability``, as ``least``: one for all types, or one for each."""
    metavar = "[TYPE=]P"
    return click.option("--min-probability", "least", metavar=metavar, multiple=True, callback=_least, help=f"{help}.")


def map_option(of: str = "the files") -> Callable[[F], F]:
    """``--map``: labels and what they are read as."""
    return click.option(
        "--map", multiple=True, metavar="LABEL=NEW", callback=_map,
        help=f"Read a type of spans, or plain tag, of {of} as another, as O for none (repeatable); others stay.",
    )  # fmt: skip


def split_option(default: str, of: str = "the plan's") -> Callable[[F], F]:
    """``--split``."""
    splits = click.Choice(["dev", "test"])
    return click.option("--split", type=splits, default=default, show_default=True, help=f"Which of {of} files.")


def data_file_options(does: str, of: str = "the task's") -> Callable[[F], F]:
    """``--data-file``, a file instead of a split of the plan, and how it is written where that is otherwise."""
    unless = f"unless given, as of {of} files"
    return together(
        click.option("--data-file", type=PATH, help=f"{does} this file, read as {of} files are, but for:"),
        click.option(
            "--from", "format", type=click.Choice(ANNOTATED[1:]),
            help=f"How --data-file is written; by its suffix or, where that tells nothing, {unless}.",
        ),
        click.option(
            "--word", metavar="COLUMN", callback=lambda _, __, value: None if value is None else column_of(value),
            help=f"Column of its words; {unless}.",
        ),
        tag_option(f"A task, and the column or key of its tags in --data-file (repeatable); {unless}."),
        click.option("--encoding", help=f"Its codec; {unless}."),
        click.option("--outside", metavar="TAG", help=f"Its tag of words in no span; {unless}."),
        map_option(),
    )  # fmt: skip


def output_option(help: str = "Write here instead of to stdout.", **attributes: Any) -> Callable[[F], F]:
    """``--output``, a file."""
    return click.option("--output", "-o", type=FileToWrite(), help=help, **attributes)


def directory_option(help: str, **attributes: Any) -> Callable[[F], F]:
    """``--output``, a directory."""
    return click.option("--output", "-o", type=PATH, help=help, **attributes)


def scoring_options(does: str, *, split: str, preposition: str) -> Callable[[F], F]:
    """MODEL, its tasks and the annotated sentences that a command reads: a split of the plan, or a file."""
    return together(
        model_argument,
        task_option(does),
        data_file_options(f"{does} {preposition}"),
        split_option(split),
        data_option,
        weights_options(),
        json_option,
    )


def reading_options(
    does: str, from_: Callable[[Any], Any], *, word: Callable[[Any], Any] = word_option
) -> Callable[[F], F]:
    """MODEL, its tasks, and files or standard input to tag."""
    return together(
        model_argument,
        click.argument("files", nargs=-1, type=PATH),
        task_option(does),
        from_,
        tokeniser_option("Cut text into words by it, not by the plan's"),
        word,
        data_option,
        weights_options(),
    )
