"""``polytag suggest``."""

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.options import (
    BY_LINES,
    TABLES,
    TAGGED,
    from_option,
    min_probability_option,
    output_option,
    reading_options,
)
from polytag.cli.outputs import check_apart, opened, tell

if TYPE_CHECKING:
    from polytag.suggesting import Suggested


@click.command()
@reading_options(
    "Go by",
    from_option([name for name in TAGGED if name not in TABLES], BY_LINES),
)
@click.option("--count", "-n", type=click.IntRange(min=1), default=100, show_default=True, help="Sentences to choose.")
@click.option(
    "--by",
    type=click.Choice(["entropy", "margin", "least-confidence"]),
    default="entropy",
    show_default=True,
    help="Of all tag sequences; best against second best; best alone.",
)
@click.option("--per-word/--total", "per_word", default=True, show_default=True, help="total favours long sentences.")
@click.option(
    "--diversity",
    type=click.FloatRange(0, 1),
    default=0.25,
    show_default=True,
    help="0: the least sure, however alike; more: of 20 times as many, those unlike each other.",
)
@click.option("--min-words", type=click.IntRange(min=1), default=3, show_default=True, help="Leave out shorter ones.")
@click.option(
    "--to",
    "target_format",
    type=click.Choice(["prodigy", "doccano", "label-studio", "brat", "inception", "jsonl", "conll"]),
    default="prodigy",
    show_default=True,
    help="What to write: for a tool, or (jsonl, conll) words and tags; brat is OUTPUT, x.ann, and x.txt beside it.",
)
@min_probability_option(
    "Leave out spans less probable than P, of a type (repeatable) or of all; tags (jsonl, conll) become ?, unknown"
)
@output_option()
def suggest(
    model: Path,
    files: tuple[Path, ...],
    tasks: tuple[str, ...],
    target_format: str,
    least: float | dict[str, float],
    output: Path | None,
    data: Path | None,
    threads: int | None,
    **options: Any,
) -> None:
    """Choose from FILES, or standard input, the sentences whose annotation would teach MODEL most.

    They come least sure first, each once, with the model's own tags as a draft to correct; memory stays constant
    however large the files are. Example: polytag suggest ner unlabelled.txt -n 100 -o to-annotate.jsonl
    """
    from polytag.corpus.lookup import find_file
    from polytag.corpus.notes import Notes
    from polytag.suggesting import FORMATS, candidates, written
    from polytag.suggesting import suggest as suggest_from
    from polytag.tagger.request import Request
    from polytag.tagger.tagging import Tagger

    found_files = [file if str(file) == "-" else find_file(file, data) for file in files or [Path("-")]]
    check_apart(output, found_files)
    sources = [sys.stdin.buffer if str(file) == "-" else file for file in found_files]
    tagger = Tagger.load(model, **{name: options.pop(name) for name in ("best_for", "precision")}, threads=threads)
    chosen = _fitting(target_format, tagger.choose(tasks), output)  # before anything is read
    request = Request(min_probability=least)
    request.check_types({"O"}.union(*(tagger.engine.part(task).vocabulary.types for task in chosen)))
    notes = Notes()
    read_as = {
        "format": options.pop("source_format"), "word": options.pop("word"),
        "tokeniser": options.pop("tokeniser") or tagger.tokeniser(chosen), "notes": notes,
    }  # fmt: skip
    read = chain.from_iterable(candidates(source, **read_as) for source in sources)
    found = suggest_from(tagger, read, tasks=chosen, **options)
    texts = {output: written(found.suggestions, format=target_format, tasks=chosen, request=request)}
    if output and (beside := FORMATS[target_format].beside):
        suffix, text_of = beside
        texts = {output.with_suffix(suffix): text_of(found.suggestions), **texts}
    for path, text in texts.items():
        with opened(path) as target:
            target.write(text.encode("utf-8"))
    tell(notes)
    click.echo(_summary(found, options["by"], per_word=options["per_word"]), err=True)


def _fitting(format_: str, tasks: Sequence[str], output: Path | None) -> Sequence[str]:
    """The tasks, seen to fit into a format like the output; the error names the options that help."""
    from polytag.errors import PolytagError
    from polytag.suggesting import FORMATS

    suffix = FORMATS[format_].suffix
    if suffix and (output is None or output.suffix != suffix):
        found = output or "stdout"
        raise PolytagError(f"{found}: {format_} is two files, expected --output NAME{suffix}, with a text beside it")
    if FORMATS[format_].holds_one_task and len(tasks) > 1:
        several = " or ".join(name for name, row in FORMATS.items() if not row.holds_one_task)
        ways = " or ".join(f"--task {task}" for task in tasks)
        raise PolytagError(f"{format_} holds the tags of one task, so say {ways}, or --to {several}")
    return tasks


def _summary(found: "Suggested", by: str, *, per_word: bool) -> str:
    mean = sum(one.score for one in found.suggestions) / len(found.suggestions)
    unit = " per word" if per_word else ""
    return (
        f"{len(found.suggestions):,} of {found.read:,} sentences; uncertainty ({by}{unit}): "
        f"mean {mean:.4f}, of all {found.mean_score:.4f}"
    )
