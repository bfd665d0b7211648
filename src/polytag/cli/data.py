"""``polytag data``: get, check, convert."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.data_get import get
from polytag.cli.options import (
    ANNOTATED,
    PATH,
    TEXTS,
    data_option,
    encoding_option,
    from_option,
    map_option,
    named,
    tag_option,
    tokeniser_option,
    word_option,
)
from polytag.cli.outputs import FileToWrite, tell
from polytag.corpus.formats import WRITERS
from polytag.errors import counted
from polytag.tag_schemes import SCHEMES
from polytag.tokenisers import UNICODE

if TYPE_CHECKING:
    from polytag.corpus.check import Report


@click.group()
def data() -> None:
    """Look at corpora and convert them."""


data.add_command(get)


@data.command()
@click.argument("paths", nargs=-1, required=True, type=PATH)
@from_option((*ANNOTATED, *TEXTS))
@word_option
@click.option("--outside", default="O", metavar="TAG", help="The tag of words in no span, where it is not O.")
@click.option(
    "--marks", multiple=True, metavar="TYPE",
    help="A type of spans that the files mark (repeatable), as in a plan: others are problems.",
)  # fmt: skip
@encoding_option
@tokeniser_option("What cuts text into words")
@data_option
def check(
    paths: tuple[Path, ...], source_format: str, tokeniser: str | None, data: Path | None, **options: Any
) -> None:
    """Count sentences, tokens and tags of PATHS, detect tag schemes, and report problems with file and line.

    Tokens include -DOCSTART- lines, as the paper's Table 1 does. The exit code is 1 if there are problems, else 0.
    """
    from polytag.corpus.check import check as check_corpus
    from polytag.corpus.lookup import find_file

    problems = 0
    for path in paths:
        found = find_file(path, data)
        report = check_corpus(found, format=source_format, tokeniser=tokeniser or UNICODE, **options)
        problems += report.problem_count
        click.echo(_describe(report))
    if problems:
        click.get_current_context().exit(1)


def _at(line: int) -> str:
    """Where something stands; nothing of what has no lines."""
    return f" (line {line})" if line else ""


def _describe(report: "Report") -> str:
    docstart = f", {report.documents:,} of them -DOCSTART-" if report.documents else ""
    lines = [
        f"{report.path}: {report.format}, {report.encoding}",
        f"  {counted(report.sentences, 'sentence')}, {counted(report.tokens, 'token')}{docstart}",
    ]
    if report.sentences:
        (words, sentence_line), (word, word_line) = report.longest_sentence, report.longest_word
        lines.append(
            f"  longest sentence {counted(words, 'word')}{_at(sentence_line)}, "
            f"longest word {counted(len(word), 'character')}{_at(word_line)}"
        )
    for column in report.columns:
        common = ", ".join(f"{tag} {count:,}" for tag, count in column.tags.most_common(6))
        more = len(column.tags) - 6
        lines.append(f"  column {column.name}: {column.note}")
        lines.append(f"    {common}{f', and {more:,} more' if more > 0 else ''}")
    lines += [f"{report.path}:{f'{line}:' if line else ''} {text}" for line, text in report.problems]
    lines += [note.listed() for note in report.notes]
    hidden = report.problem_count - len(report.problems)
    if hidden > 0:
        lines.append(f"{report.path}: {counted(hidden, 'more problem')}")
    return "\n".join(lines)


_UNLESS_GIVEN = {"scheme": "", "source_scheme": "auto", "outside": "O"}


def _of_layers(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> str | dict[str, str]:
    """One value for all layers, or one for each layer named; the default where none is."""
    option = param.opts[0]
    if len(values) < 2 and "=" not in "".join(values):
        return values[0] if values else _UNLESS_GIVEN[str(param.name)]
    return named(option, values, expected="one for all layers, or NAME=VALUE for each", ctx=ctx)


@data.command()
@click.argument("source", type=PATH)
@click.argument("target", type=FileToWrite())
@from_option((*ANNOTATED, *TEXTS))
@click.option(
    "--to",
    "target_format",
    type=click.Choice(["auto", *WRITERS]),
    default="auto",
    show_default=True,
    help="How the target is written; auto goes by a suffix that tells it (.conll, .iob2, .tsv, .conllu, .jsonl, ...).",
)
@word_option
@tag_option("A layer of tags: its name and its column or key.")
@click.option(
    "--scheme",
    multiple=True,
    callback=_of_layers,
    metavar="[NAME=]SCHEME",
    help=f"Rewrite the tags in {', '.join(SCHEMES)}; those of a layer named alone, else of all.",
)
@click.option(
    "--from-scheme",
    "source_scheme",
    multiple=True,
    callback=_of_layers,
    metavar="[NAME=]SCHEME",
    help="What the tags are written in, checked; auto reads spans of any scheme, plain is for labels of single words.",
)
@click.option(
    "--outside",
    multiple=True,
    callback=_of_layers,
    metavar="[NAME=]TAG",
    help="The source's tag of words in no span, where it is not O, such as 0 or NONE; it is written as O.",
)
@map_option("all layers of SOURCE")
@encoding_option
@tokeniser_option("What cuts text into words")
@data_option
def convert(
    source: Path,
    target: Path,
    source_format: str,
    tags: dict[str, int | str],
    tokeniser: str | None,
    data: Path | None,
    **options: Any,
) -> None:
    """Convert SOURCE to TARGET, which is whole or as it was; the formats go by the suffixes unless named.

    TARGET holds the words and the layers of tags named with --tag, in that order; without --tag, words alone. A suffix
    that tells no format, such as .txt, wants --to. jsonl-spans has a text and spans of characters instead of a tag per
    word; text has a sentence per line, words parted by blanks, and no tags. From JSONL, --tag ner=spans reads spans of
    characters (ner=spans.ner those of a task), --tag ner=KEY a tag per word.

    Example: polytag data convert eng.train eng.jsonl --tag ner=3 --scheme iob2
    """
    from polytag.corpus.convert import convert as convert_corpus
    from polytag.corpus.lookup import find_file
    from polytag.corpus.notes import Notes

    source = find_file(source, data)
    notes, how = Notes(), tokeniser or UNICODE
    count = convert_corpus(source, target, format=source_format, tags=tags, tokeniser=how, notes=notes, **options)
    tell(notes)
    if not tags:
        _tell_left_out(source, format=source_format, word=options["word"], encoding=options["encoding"])
    click.echo(counted(count, "sentence"), err=True)


def _tell_left_out(source: Path, **read_as: Any) -> None:
    from polytag.corpus.check import columns_of

    if left_out := columns_of(source, **read_as):
        columns = f"column{'s' if len(left_out) > 1 else ''} {', '.join(left_out)}"
        click.echo(f"no --tag: words alone, {columns} left out", err=True)
