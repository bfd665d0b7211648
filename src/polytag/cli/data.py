"""``polytag data``: list, check, convert."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from polytag.cli.data_get import get
from polytag.cli.options import data_option

if TYPE_CHECKING:
    from polytag.corpus.check import Report

FORMATS = click.Choice(["auto", "conll", "conllu", "treebank", "jsonl", "text"])
TARGETS = click.Choice(["auto", "conll", "conllu", "jsonl", "jsonl-spans", "text"])
BY_SUFFIX = "How the file is written; auto goes by its suffix, and is conll where that says nothing."
SUFFIXES = (
    ".conll",
    ".conllu",
    ".txt",
    ".tsv",
    ".iob",
    ".iob2",
    ".mrg",
    ".jsonl",
    ".train",
    ".testa",
    ".testb",
    ".test",
)


@click.group()
def data() -> None:
    """Look at corpora and convert them."""


data.add_command(get)


@data.command("list")
@data_option
def list_(data: Path | None) -> None:
    """List the files under the data directory that look like corpora, with their sizes."""
    from polytag.errors import PolytagError

    if data is None:
        raise PolytagError("no data directory: name one with --data or POLYTAG_DATA")
    if not data.is_dir():
        raise PolytagError(f"{data}: there is no such directory")
    for path in sorted(data.rglob("*")):
        if path.is_file() and path.name.removesuffix(".gz").endswith(SUFFIXES):
            click.echo(f"{path.stat().st_size / 1e6:8.1f} MB  {path.relative_to(data)}")


@data.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "format_", type=FORMATS, default="auto", show_default=True, help=BY_SUFFIX)
@click.option("--word", default=0, show_default=True, help="Column of the words (conll).")
@click.option("--encoding", default="auto", show_default=True, help="A codec; auto is UTF-8, else latin-1.")
def check(paths: tuple[Path, ...], format_: str, word: int, encoding: str) -> None:
    """Count sentences, tokens and tags of PATHS, detect tag schemes, and report problems with file and line.

    Tokens include -DOCSTART- lines, as the paper's Table 1 does. The exit code is 1 if there are problems, else 0.
    """
    from polytag.corpus.check import check as check_corpus

    problems = 0
    for path in paths:
        report = check_corpus(path, format=format_, word=word, encoding=encoding)
        problems += report.problem_count
        click.echo(_describe(report))
    if problems:
        click.get_current_context().exit(1)


def _describe(report: "Report") -> str:
    from polytag.corpus.check import counted

    docstart = f", {report.documents:,} of them -DOCSTART-" if report.documents else ""
    lines = [
        f"{report.path}: {report.format}, {report.encoding}",
        f"  {counted(report.sentences, 'sentence')}, {counted(report.tokens, 'token')}{docstart}",
    ]
    if report.sentences:
        (words, sentence_line), (word, word_line) = report.longest_sentence, report.longest_word
        lines.append(
            f"  longest sentence {counted(words, 'word')} (line {sentence_line}), "
            f"longest word {counted(len(word), 'character')} (line {word_line})"
        )
    for column in report.columns:
        common = ", ".join(f"{tag} {count:,}" for tag, count in column.tags.most_common(6))
        more = len(column.tags) - 6
        lines.append(f"  column {column.name}: {column.note}")
        lines.append(f"    {common}{f', and {more:,} more' if more > 0 else ''}")
    lines += [f"{report.path}:{f'{line}:' if line else ''} {text}" for line, text in report.problems]
    hidden = report.problem_count - len(report.problems)
    if hidden > 0:
        lines.append(f"{report.path}: {counted(hidden, 'more problem')}")
    return "\n".join(lines)


@data.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--from", "source_format", type=FORMATS, default="auto", show_default=True, help=BY_SUFFIX)
@click.option("--to", "target_format", type=TARGETS, default="auto", show_default=True, help=BY_SUFFIX)
@click.option("--word", default=0, show_default=True, help="Column of the words (conll).")
@click.option(
    "--tag", "tags", multiple=True, metavar="NAME=PLACE", help="A layer of tags: its name and its column or key."
)
@click.option(
    "--scheme",
    "schemes",
    multiple=True,
    metavar="[NAME=]SCHEME",
    help="Rewrite the tags in iob1, iob2, bioes, bilou or plain; those of a layer named alone, else of all.",
)
@click.option(
    "--from-scheme",
    "source_schemes",
    multiple=True,
    metavar="[NAME=]SCHEME",
    help="What the tags are written in, checked; auto reads spans of any scheme, plain is for labels of single words.",
)
@click.option("--encoding", default="auto", show_default=True, help="A codec; auto is UTF-8, else latin-1.")
@click.option(
    "--docstart/--no-docstart",
    default=None,
    help="Keep -DOCSTART- lines, as sentences of one word; unless given, from conll to conll.",
)
@click.option("--tokenised", is_flag=True, help="Text to read has a sentence per line, words parted by blanks.")
@click.option("--language", metavar="CODE", help="Whose rules split raw text, such as en; rules for any unless given.")
def convert(
    source: Path,
    target: Path,
    source_format: str,
    target_format: str,
    word: int,
    tags: tuple[str, ...],
    schemes: tuple[str, ...],
    source_schemes: tuple[str, ...],
    encoding: str,
    docstart: bool | None,
    tokenised: bool,
    language: str | None,
) -> None:
    """Convert SOURCE to TARGET, which is whole or as it was; the formats go by the suffixes unless named.

    TARGET holds the words and the layers of tags named with --tag, in that order; without --tag, words
    alone. jsonl-spans has a text and spans of characters instead of a tag per word; text has a sentence per line,
    words parted by blanks, and no tags. From JSONL, --tag ner=spans reads spans of characters (ner=spans.ner those
    of a task), --tag ner=KEY a tag per word.

    Example: polytag data convert eng.train eng.jsonl --tag ner=3 --scheme iob2
    """
    from polytag.corpus.check import counted, layers
    from polytag.corpus.convert import AUTO
    from polytag.corpus.convert import convert as convert_corpus
    from polytag.corpus.rawtext import ANY_LANGUAGE

    if (tokenised or language) and source_format != "text":
        raise click.UsageError(f"{'--tokenised' if tokenised else '--language'} is for plain text: say --from text")
    count = convert_corpus(
        source,
        target,
        format="tokenised" if tokenised else source_format,
        target_format=target_format,
        word=word,
        tags=dict(_layer(tag) for tag in tags),
        scheme=_schemes(schemes) or "",
        source_scheme=_schemes(source_schemes) or AUTO,
        encoding=encoding,
        docstart=docstart,
        language=language or ANY_LANGUAGE,
    )
    if not tags and (left_out := layers(source, format=source_format, word=word, encoding=encoding)):
        columns = f"column{'s' if len(left_out) > 1 else ''} {', '.join(left_out)}"
        click.echo(f"no --tag: words alone, {columns} left out", err=True)
    click.echo(counted(count, "sentence"), err=True)


def _schemes(options: tuple[str, ...]) -> str | dict[str, str]:
    """One scheme for all layers, or one for each layer named."""
    if len(options) == 1 and "=" not in options[0]:
        return options[0]
    named = dict[str, str]()
    for option in options:
        name, equals, scheme = option.partition("=")
        if not equals or not name or not scheme:
            raise click.UsageError(f"scheme '{option}': expected one for all layers, or NAME=SCHEME for each")
        named[name] = scheme
    return named


def _layer(option: str) -> tuple[str, int | str]:
    name, equals, place = option.partition("=")
    if not equals or not name or not place:
        raise click.UsageError(f"--tag {option}: expected NAME=PLACE, such as ner=3 or pos=upos")
    try:
        return name, int(place)
    except ValueError:
        return name, place
