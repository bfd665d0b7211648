"""``polytag tag``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from polytag.cli.options import best_for_option

if TYPE_CHECKING:
    from polytag.tagging import Tagger


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--task", "tasks", multiple=True, help="Tag with this task only (repeatable).")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["auto", "conll", "conllu", "jsonl", "text"]),
    default="auto",
    show_default=True,
    help="By the file's suffix unless given; text has a sentence per line, words parted by blanks.",
)
@click.option("--word", default=0, show_default=True, help="Column of the words (conll).")
@click.option("--confidence", is_flag=True, help="Also give the probability of each tag.")
@click.option(
    "--constrained/--unconstrained", default=None, help="Valid tag sequences only; as the plan says if absent."
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file instead of stdout.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.")
@best_for_option
def tag(
    model: Path,
    files: tuple[Path, ...],
    tasks: tuple[str, ...],
    format_: str,
    word: int,
    confidence: bool,
    constrained: bool | None,
    output: Path | None,
    threads: int | None,
    best_for: str | None,
) -> None:
    """Tag FILES, or standard input, with MODEL; memory stays constant however large they are.

    Order, other columns, comments and blank lines stay as they are: conll lines get the tags of each task as further
    columns, conllu words as the task's column or a key of MISC, jsonl records under "tags".
    """
    import torch

    from polytag.files import atomic_write
    from polytag.tagging import Tagger

    if threads:
        torch.set_num_threads(threads)
    tagger = Tagger.load(model, best_for=best_for)
    chosen = tagger.choose(tasks)

    def pieces() -> Iterator[str]:
        for file in files or [None]:
            yield from _tag_file(tagger, file, format_, word, chosen, confidence, constrained)

    if output is not None:
        with atomic_write(output) as target:
            target.writelines(pieces())
        return
    out = sys.stdout.buffer
    for piece in pieces():
        out.write(piece.encode("utf-8"))
    out.flush()


def _tag_file(
    tagger: "Tagger",
    file: Path | None,
    format_: str,
    word: int,
    tasks: list[str],
    confidence: bool,
    constrained: bool | None,
) -> Iterator[str]:
    from polytag.corpus.documents import blocks

    source: Path | BinaryIO = sys.stdin.buffer if file is None or str(file) == "-" else file
    name = "<stdin>" if file is None else str(file)
    columns = {
        task: str(settings.columns.tag)
        for task, settings in tagger.plan.tasks.items()
        if task in tasks and isinstance(settings.columns.tag, str) and settings.columns.tag in ("upos", "xpos")
    }
    parts = blocks(source, format=format_, word=word, source=name, columns=columns)
    yield from tagger.tag_blocks(parts, tasks=tasks, confidence=confidence, constrained=constrained)
