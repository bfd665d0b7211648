"""``polytag tag``."""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from polytag.cli.options import (
    BY_LINES,
    TAGGED,
    TEXTS,
    consistent_option,
    constrained_option,
    directory_option,
    from_option,
    min_probability_option,
    quiet_option,
    reading_options,
    word_option_of,
)
from polytag.cli.outputs import check_apart, check_file, opened, tell
from polytag.corpus.formats import FORMATS
from polytag.corpus.sentence import MOST_ALTERNATIVES

if TYPE_CHECKING:
    from polytag.bulk import Assignment
    from polytag.bulk.pieces import AnyPiece
    from polytag.bulk.processes import Render
    from polytag.corpus.notes import Notes

    Writer = Callable[[Iterable[bytes], IO[bytes]], None]


@click.command()
@reading_options("Tag with", from_option(TAGGED, BY_LINES), word=word_option_of("csv, parquet"))
@click.option(
    "--to",
    "target_format",
    type=click.Choice(["conll", "jsonl"]),
    help="Of tagged text: a line per word (conll), or a record per sentence, with offsets and spans of characters.",
)
@click.option(
    "--confidence", is_flag=True, help="Also give the probability of each tag (records and tables: and span)."
)
@click.option(
    "--nbest",
    metavar="K",
    type=click.IntRange(min=1, max=MOST_ALTERNATIVES),
    help="Also give the K most probable tag sequences of each sentence, best first, with their probabilities.",
)
@min_probability_option("Leave out spans less probable than P; of a type (repeatable), or of all")
@click.option(
    "--familiarity", is_flag=True,
    help="Say how well the model knows each text, by its first words: new words, characters, mean probability of tags.",
)  # fmt: skip
@consistent_option("in the text")
@constrained_option
@directory_option("Write here instead of to stdout.")
@quiet_option
@click.option("--workers", type=click.IntRange(min=1), help="Processes, each with the model and a thread.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray: a cluster tags each file into a file of the directory --output, and can be restarted.",
)
def tag(
    model: Path,
    files: tuple[Path, ...],
    source_format: str,
    target_format: str | None,
    data: Path | None,
    output: Path | None,
    workers: int | None,
    engine: str,
    quiet: bool,
    tasks: tuple[str, ...],
    confidence: bool,
    nbest: int | None,
    least: float | dict[str, float],
    consistent: bool,
    constrained: bool | None,
    **options: Any,
) -> None:
    """Tag FILES, or standard input, with MODEL; memory stays constant however large they are.

    Order, other columns, comments and blank lines stay as they are: conll lines get the tags of each task as further
    columns, conllu words as the task's column or a key of MISC, jsonl records under "tags".

    Text, raw or in records, is cut into words by the plan's tokeniser. A blank line ends a sentence of raw text, a
    single line end does not, but for --from lines. Each word gets a line with its tags. --to jsonl writes a record per
    sentence instead: its "text" and at which character of the input it starts, then the same as records of jsonl.

    With --consistent, what the other mentions of a name are found to be speaks for a type: one sentence often tells
    what others leave open. Mentions are those in the same one or two megabytes of a file, whatever documents or records
    it holds, so a sentence's tags depend on what stands around it.

    Tables (Parquet and Arrow) have words as lists, or a text, in a column, that of --word or else words, tokens or
    text; the same rows are written to --output with a column for each task, and columns TASK.predicted_spans,
    TASK.confidence and TASK.alternatives.

    With --nbest, lines get K pairs of columns after a task's own: the tag in the sequence of that rank, and the
    probability of the sequence, the same on each line (conllu: keys TASK.1, TASK.1.probability, TASK.2, ...); where a
    sentence has fewer sequences, _ and 0.

    Records of jsonl keep what they hold and get "words", "offsets" where there is a text, "tags" and "predicted_spans",
    for each task a list of {"type", "start", "end", "characters", "probability"}, start and end counting words; with
    --confidence "confidence", and with --nbest "alternatives", for each task a list of {"tags", "probability"}.
    """
    from polytag.bulk import Assignment, is_table
    from polytag.corpus.lookup import find_file
    from polytag.tagger.request import Request

    _check(source_format, target_format, options["tokeniser"])
    if engine != "ray" and output is not None:
        check_file(output)
    sources = [file if str(file) == "-" else find_file(file, data) for file in files]
    check_apart(output, sources)
    tables = [source for source in sources or [Path("-")] if is_table(source, source_format)]
    request = Request(tasks, confidence, nbest or 0, constrained, least, consistent)
    assignment = Assignment(model=str(model), request=request, records=target_format == "jsonl", **options)
    if engine == "ray":
        _tag_on_ray(sources, output, assignment, format=source_format, workers=workers)
    else:
        write = _writer(sources, tables, output)
        _tag_here(sources, output, assignment, write, format=source_format, workers=workers or 1, quiet=quiet)


def _check(source_format: str, target_format: str | None, tokeniser: str | None) -> None:
    """The options that only text has."""
    if tokeniser and source_format == "tokenised":
        raise click.UsageError("tokenised text is in words already, so it takes no --tokeniser")
    if target_format and source_format not in (*TEXTS, "auto"):
        raise click.UsageError("--to is for plain text: say --from text or lines")


def _writer(files: Sequence[Path], tables: Sequence[Path], output: Path | None) -> "Writer":
    """What writes all that was tagged: text as it comes, tables as one."""
    if not tables:
        return lambda rendered, target: target.writelines(rendered)
    if tables != files or Path("-") in files or output is None:
        raise click.UsageError("tables are read from FILES and written to one, with no texts among them: name both")
    from polytag.bulk.tables import write

    return partial(write, name=str(output), like=files[0])


def _tag_here(
    files: Sequence[Path],
    output: Path | None,
    assignment: "Assignment",
    write: "Writer",
    *,
    format: str,
    workers: int,
    quiet: bool,
) -> None:
    from polytag.bulk import tagging
    from polytag.corpus.notes import Notes

    notes = Notes()
    consistent = assignment.request.consistent
    pieces = _pieces(files, notes, format=format, word=assignment.word, consistent=consistent)
    with tagging(assignment, workers=workers, notes=notes) as render, opened(output) as target:
        is_watched = not quiet and sys.stderr.isatty()
        write(_with_progress(render, pieces, _bytes_of(files)) if is_watched else render(pieces), target)
    tell(notes)


def _with_progress(render: "Render", pieces: "Iterable[AnyPiece]", total: int | None) -> Iterator[bytes]:
    """What is rendered, with a bar on stderr once it has taken a second; ``total`` is in bytes, if that is known."""
    from tqdm import tqdm

    sizes = deque[int]()

    def noted() -> Iterator["AnyPiece"]:
        for piece in pieces:
            sizes.append(piece.size)
            yield piece

    with tqdm(total=total, unit="B", unit_scale=True, leave=False, delay=1, file=sys.stderr) as bar:
        for text in render(noted()):
            yield text
            bar.update(sizes.popleft())


def _bytes_of(files: Sequence[Path]) -> int | None:
    """The bytes of all files; None where one is a stream or packed, as tables are."""
    packed = (".gz", ".xz", *(suffix for row in FORMATS.values() if row.is_table for suffix in row.suffixes))
    known = files and all(file.is_file() and file.suffix not in packed for file in files)
    return sum(file.stat().st_size for file in files) if known else None


def _tag_on_ray(files: Sequence[Path], output: Path | None, assignment: "Assignment", **options: Any) -> None:
    from polytag.bulk.ray_engine import tag_files

    if output is None or not files:
        raise click.UsageError("--engine ray tags FILES into a directory: name both, the directory with --output")
    tag_files(files, output, assignment, **options)


def _pieces(files: Sequence[Path], notes: "Notes", **options: Any) -> "Iterator[AnyPiece]":
    """All files in order, or standard input."""
    from polytag.bulk import cut

    for file in files or [Path("-")]:
        is_stream = str(file) == "-"
        name = "<stdin>" if is_stream else str(file)
        yield from cut(sys.stdin.buffer if is_stream else file, name=name, notes=notes, **options)
