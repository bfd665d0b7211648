"""``polytag suggest``."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from polytag.cli.options import best_for_option, device_option, precision_option

if TYPE_CHECKING:
    from polytag.suggesting import Suggested
    from polytag.suggesting.reading import Candidate, Input
    from polytag.tagging import Tagger


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--count", "-n", type=click.IntRange(min=1), default=100, show_default=True, help="Sentences to choose.")
@click.option("--task", "tasks", multiple=True, help="Go by this task's uncertainty only (repeatable).")
@click.option(
    "--by",
    type=click.Choice(["entropy", "margin", "least-confidence"]),
    default="entropy",
    show_default=True,
    help="Of all tag sequences; best against second best; best alone.",
)
@click.option("--per-token/--total", "per_word", default=True, show_default=True, help="total favours long sentences.")
@click.option(
    "--diversity",
    type=click.FloatRange(0, 1),
    default=0.25,
    show_default=True,
    help="0: the least sure, however alike; more: of 20 times as many, those unlike each other.",
)
@click.option("--min-words", type=click.IntRange(min=1), default=3, show_default=True, help="Leave out shorter ones.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["prodigy", "doccano", "label-studio", "jsonl", "conll"]),
    default="prodigy",
    show_default=True,
    help="What to write; jsonl and conll hold words and tags as training reads them.",
)
@click.option(
    "--keep-above",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Leave out spans that are less probable; tags (jsonl, conll) become ?, unknown.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
@click.option(
    "--from",
    "source_format",
    type=click.Choice(["auto", "conll", "conllu", "jsonl", "text", "tokenised"]),
    default="auto",
    show_default=True,
    help="How FILES are written; auto goes by suffix; .txt and standard input: by their first lines, and says so.",
)
@click.option("--tokenised", is_flag=True, help="FILES have a sentence per line, words parted by blanks.")
@click.option("--language", metavar="CODE", help="Split raw text by the rules of this language, not those of the plan.")
@click.option("--word", default=0, show_default=True, help="Column of the words (conll).")
@precision_option("auto")
@device_option
@best_for_option
def suggest(
    model: Path,
    files: tuple[Path, ...],
    count: int,
    tasks: tuple[str, ...],
    by: str,
    per_word: bool,
    diversity: float,
    min_words: int,
    format_: str,
    keep_above: float,
    output: Path | None,
    source_format: str,
    tokenised: bool,
    language: str | None,
    word: int,
    precision: str,
    device: str,
    best_for: str | None,
) -> None:
    """Choose from FILES, or standard input, the sentences whose annotation would teach MODEL most.

    They come least sure first, each once, with the model's own tags as a draft to correct; memory stays constant
    however large the files are. Example: polytag suggest ner unlabelled.txt -n 100 -o to-annotate.jsonl
    """
    from itertools import chain

    from polytag.suggesting import suggest as suggest_from
    from polytag.suggesting import written
    from polytag.tagging import Tagger

    tagger = Tagger.load(model, best_for=best_for, precision=precision, device=device)
    chosen = _fitting(format_, tagger.choose(tasks))  # before anything is read
    sources = (sys.stdin.buffer if file is None or str(file) == "-" else file for file in files or [None])
    read_as = "tokenised" if tokenised else source_format
    found = suggest_from(
        tagger,
        chain.from_iterable(_candidates(source, read_as, word, language, tagger, chosen) for source in sources),
        count=count, tasks=chosen, by=by, per_word=per_word, diversity=diversity, min_words=min_words,
    )  # fmt: skip
    _write(written(found.suggestions, format=format_, tasks=chosen, keep_above=keep_above), output)
    click.echo(_summary(found, by, per_word=per_word), err=True)


def _fitting(format_: str, tasks: Sequence[str]) -> Sequence[str]:
    """The tasks, seen to fit into a format; the error names the options that help."""
    from polytag.errors import PolytagError
    from polytag.suggesting import FORMATS

    if FORMATS[format_].holds_one_task and len(tasks) > 1:
        several = " or ".join(name for name, row in FORMATS.items() if not row.holds_one_task)
        ways = " or ".join(f"--task {task}" for task in tasks)
        raise PolytagError(f"{format_} holds the tags of one task, so say {ways}, or --format {several}")
    return tasks


def _candidates(
    source: "Input", read_as: str, word: int, language: str | None, tagger: "Tagger", tasks: Sequence[str]
) -> Iterator["Candidate"]:
    """The sentences of an input; tells on stderr as what it is read where that is a guess."""
    from polytag.bulk.worker import language_of
    from polytag.suggesting.reading import candidates, recognised

    source, format_, is_guess = recognised(source, format=read_as)
    if is_guess:
        name = source if isinstance(source, str | Path) else "<stdin>"
        click.echo(f"{name}: read as {'raw text' if format_ == 'text' else 'columns'}; --from says otherwise", err=True)
    if format_ == "text":
        language = language or language_of(tagger.plan, tasks)
    return candidates(source, format=format_, word=word, language=language or "xx")


def _write(text: str, output: Path | None) -> None:
    from polytag.files import atomic_write

    if output is None:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
        return
    with atomic_write(output) as file:
        file.write(text)


def _summary(found: "Suggested", by: str, *, per_word: bool) -> str:
    mean = sum(one.score for one in found.suggestions) / len(found.suggestions)
    unit = " per word" if per_word else ""
    return (
        f"{len(found.suggestions):,} of {found.read:,} sentences; uncertainty ({by}{unit}): "
        f"mean {mean:.4f}, of all {found.mean_score:.4f}"
    )
