"""``polytag data``: list, check, convert."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from polytag.cli.options import data_option

if TYPE_CHECKING:
    from polytag.corpus.check import Report

FORMATS = click.Choice(["auto", "conll", "conllu", "treebank", "jsonl", "text"])
TARGETS = click.Choice(["auto", "conll", "conllu", "jsonl"])
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

    Tokens include -DOCSTART- lines, as the paper's Table 1 does.
    """
    from polytag.corpus.check import check as check_corpus

    for path in paths:
        click.echo(_describe(check_corpus(path, format=format_, word=word, encoding=encoding)))


def _describe(report: "Report") -> str:
    docstart = f", {report.documents:,} of them -DOCSTART-" if report.documents else ""
    lines = [
        f"{report.path}: {report.format}, {report.encoding}",
        f"  {report.sentences:,} sentences, {report.tokens:,} tokens{docstart}",
        f"  longest sentence {report.longest_sentence[0]:,} words (line {report.longest_sentence[1]}), "
        f"longest word {len(report.longest_word[0]):,} characters (line {report.longest_word[1]})",
    ]
    for column in report.columns:
        common = ", ".join(f"{tag} {count:,}" for tag, count in column.tags.most_common(6))
        more = len(column.tags) - 6
        lines.append(f"  column {column.name}: {column.note}")
        lines.append(f"    {common}{f', and {more:,} more' if more > 0 else ''}")
    lines += [f"{report.path}:{line}: {text}" for line, text in report.problems]
    hidden = report.problem_count - len(report.problems)
    if hidden > 0:
        lines.append(f"{report.path}: {hidden:,} more problems")
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
    "--scheme", type=click.Choice(["iob1", "iob2", "bioes", "bilou"]), help="Rewrite span tags in this scheme."
)
@click.option("--encoding", default="auto", show_default=True, help="A codec; auto is UTF-8, else latin-1.")
def convert(
    source: Path,
    target: Path,
    source_format: str,
    target_format: str,
    word: int,
    tags: tuple[str, ...],
    scheme: str | None,
    encoding: str,
) -> None:
    """Convert SOURCE to TARGET; the formats go by the suffixes unless named.

    Example: polytag data convert eng.train eng.jsonl --tag ner=3 --scheme iob2
    """
    from polytag.corpus.convert import convert as convert_corpus

    count = convert_corpus(
        source,
        target,
        format=source_format,
        target_format=target_format,
        word=word,
        tags=dict(_layer(tag) for tag in tags),
        scheme=scheme or "",
        encoding=encoding,
    )
    click.echo(f"{count:,} sentences", err=True)


def _layer(option: str) -> tuple[str, int | str]:
    name, equals, place = option.partition("=")
    if not equals or not name or not place:
        raise click.UsageError(f"--tag {option}: expected NAME=PLACE, such as ner=3 or pos=upos")
    try:
        return name, int(place)
    except ValueError:
        return name, place
