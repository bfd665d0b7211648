"""``polytag tag``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import click

from polytag.cli.options import best_for_option, device_option, precision_option

if TYPE_CHECKING:
    from polytag.bulk import Piece


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--task", "tasks", multiple=True, help="Tag with this task only (repeatable).")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["auto", "conll", "conllu", "jsonl", "text", "parquet"]),
    default="auto",
    show_default=True,
    help="By the file's suffix unless given; text is raw: it is split into sentences and words.",
)
@click.option("--tokenised", is_flag=True, help="The text is split: a sentence per line, words parted by blanks.")
@click.option("--language", metavar="CODE", help="Split raw text by the rules of this language, not those of the plan.")
@click.option(
    "--output-format",
    type=click.Choice(["conll", "jsonl"]),
    help="Of tagged text: a line per word (conll), or a record per sentence, with offsets and spans of characters.",
)
@click.option("--word", default=0, show_default=True, help="Column of the words (conll).")
@click.option("--column", help="Column of the words or of the text (parquet) if not words, tokens or text.")
@click.option("--confidence", is_flag=True, help="Also give the probability of each tag (jsonl, parquet: and span).")
@click.option(
    "--nbest",
    metavar="K",
    type=click.IntRange(min=1, max=1_000),
    help="Also give the K most probable tag sequences of each sentence, best first, with their probabilities.",
)
@click.option(
    "--constrained/--unconstrained", default=None, help="Valid tag sequences only; as the plan says if absent."
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes, each with the model and a thread.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray: a cluster tags each file into a file of the directory --output, and can be restarted.",
)
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads, of each worker.")
@precision_option("auto")
@device_option
@best_for_option
def tag(
    model: Path,
    files: tuple[Path, ...],
    tasks: tuple[str, ...],
    format_: str,
    output: Path | None,
    workers: int | None,
    engine: str,
    column: str | None,
    nbest: int | None,
    tokenised: bool,
    output_format: str | None,
    **options: Any,
) -> None:
    """Tag FILES, or standard input, with MODEL; memory stays constant however large they are.

    Order, other columns, comments and blank lines stay as they are: conll lines get the tags of each task as further
    columns, conllu words as the task's column or a key of MISC, jsonl records under "tags".

    Raw text is split by spaCy's rules for the language (pip install 'polytag[text]'); a blank line ends a sentence, a
    single line end does not. Each word gets a line with its tags. --output-format jsonl writes a record per sentence
    instead: its "text" and at which character of the input it starts, "words" and their "offsets" in the text, "tags",
    and "spans" of characters.

    With --nbest, lines get K pairs of columns after a task's own: the tag in the sequence of that rank, and the
    probability of the sequence, the same on each line (conllu: keys TASK.1, TASK.1.probability, TASK.2, ...); where a
    sentence has fewer sequences, _ and 0. Records of jsonl get "alternatives", for each task a list of {"tags",
    "probability"}; with --confidence also "predicted_spans", for each task a list of {"type", "start", "end",
    "probability"}, words numbered from 0 and end exclusive.
    """
    from polytag.bulk import Request, tagging

    format_ = _text_format(format_, tokenised=tokenised, language=options["language"], output_format=output_format)
    request = Request(model=str(model), tasks=tasks, nbest=nbest or 0, records=output_format == "jsonl", **options)
    if engine == "ray":
        from polytag.bulk.ray_engine import tag_files

        if output is None or not files:
            raise click.UsageError("--engine ray tags FILES into a directory: name both, the directory with --output")
        tag_files(files, output, request, format=format_, column=column, workers=workers)
        return
    if format_ == "parquet" or (format_ == "auto" and any(file.suffix == ".parquet" for file in files)):
        raise click.UsageError("Parquet is tagged into a directory: use --engine ray")
    with tagging(request, workers=workers or 1) as rendered, _opened(output) as target:
        target.writelines(rendered(_pieces(files, format_, request.word)))
        target.flush()


def _text_format(format_: str, *, tokenised: bool, language: str | None, output_format: str | None) -> str:
    """The format, with the options that only text has checked."""
    if tokenised and language:
        raise click.UsageError("--tokenised text is not split, so it takes no --language")
    for option, value in (("--tokenised", tokenised), ("--language", language), ("--output-format", output_format)):
        if value and format_ != "text":
            raise click.UsageError(f"{option} is for plain text: say --format text")
    return "tokenised" if tokenised else format_


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    """The file to write, which appears when it is whole, or stdout."""
    from polytag.files import atomic_write

    if output is None:
        yield sys.stdout.buffer
        return
    with atomic_write(output, "wb") as target:
        yield target


def _pieces(files: tuple[Path, ...], format_: str, word: int) -> Iterator["Piece"]:
    """All files in order, or standard input."""
    from polytag.bulk import cut

    for file in files or [None]:
        source: Path | BinaryIO = sys.stdin.buffer if file is None or str(file) == "-" else file
        if format_ == "auto":
            _warn_of_text(source)
        yield from cut(source, format=format_, word=word, name="<stdin>" if file is None else str(file))


def _warn_of_text(source: "Path | BinaryIO") -> None:
    """Tell on stderr if the input, read as columns, looks like raw text; a pipe is not looked into, as it may wait."""
    from polytag.suggesting.reading import recognised

    if isinstance(source, Path):
        name, found = str(source), recognised(source)
    elif source.seekable():
        start = source.tell()
        name, found = "<stdin>", recognised(source)
        source.seek(start)
    else:
        return
    if found.format == "text":
        click.echo(f"{name}: looks like raw text but is read as columns; say --format text", err=True)
