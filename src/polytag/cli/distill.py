"""``polytag distill``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.options import (
    PATH,
    consistent_option,
    data_option,
    directory_option,
    encoding_option,
    min_probability_option,
    model_argument,
    precision_option,
    quiet_option,
    task_option,
    threads_option,
    tokeniser_option,
)
from polytag.cli.outputs import bars, check_directory, tell

if TYPE_CHECKING:
    from polytag.distilling import Distilled


@click.command()
@model_argument
@click.argument("texts", nargs=-1, required=True, type=PATH, metavar="RAW...")
@click.option(
    "--teacher", "others", multiple=True, type=PATH, metavar="MODEL",
    help="Another model with the same types (repeatable): what is probable is averaged over all.",
)  # fmt: skip
@directory_option("The directory for the corpus and the plan.", required=True)
@task_option("Distill")
@min_probability_option("What is less probable than P becomes ?: words of a type (repeatable), or all  [0.9]")
@consistent_option("among all that is tagged (about 262,144 words at a time)")
@click.option(
    "--sentences", type=click.IntRange(min=1), default=20_000, show_default=True,
    help="So many are tagged, drawn at random from all.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="All sentences are tagged.")
@click.option("--size", help="Layers and units of the plan: small, medium or paper.  [the model's]")
@tokeniser_option("Cut text into words by it, not by the plan's")
@encoding_option
@data_option
@precision_option
@threads_option
@quiet_option
def distill(
    model: Path,
    texts: tuple[Path, ...],
    others: tuple[Path, ...],
    output: Path,
    least: float | dict[str, float],
    sentences: int,
    everything: bool,
    quiet: bool,
    data: Path | None,
    **options: Any,
) -> None:
    """Tag RAW text with MODEL, for another model to learn from: files, folders, or standard input (-).

    Writes raw.conll, in which ? stands where no tag is probable enough, and plan.toml, which trains on it and on the
    labelled files of MODEL. So a model teaches itself, several become one, or a large one becomes small.

    Example: polytag distill model news.txt.gz --teacher other --size small -o distilled
    """
    from polytag.corpus.lookup import find_file
    from polytag.corpus.notes import Notes
    from polytag.distilling import MIN_PROBABILITY, distill

    check_directory(output)
    notes = Notes()
    with bars("sentences", quiet=quiet) as progress:
        made = distill(
            [model, *others],
            [sys.stdin.buffer if str(text) == "-" else find_file(text, data) for text in texts],
            output=output,
            min_probability=MIN_PROBABILITY if least == {} else least,
            sentences=None if everything else sentences,
            data=data,
            progress=progress,
            notes=notes,
            **options,
        )
    tell(notes)
    _report(made)


def _report(made: "Distilled") -> None:
    left = f"; {made.unsure:,} sentences without any are left out" if made.unsure else ""
    known = f"{100 * made.known / made.tags:.1f} % of the tags are probable enough, the others are ?{left}"
    click.echo(f"{made.corpus}: {made.sentences:,} sentences, {made.words:,} words; {known}")
    click.echo(f"{made.plan}: train with 'polytag train {made.plan} -o MODEL'")
