"""``polytag vectors``."""

import sys
from pathlib import Path
from typing import Any

import click

from polytag.cli.options import PATH, data_option, encoding_option, output_option, quiet_option, tokeniser_option
from polytag.cli.outputs import bars, check_apart, tell
from polytag.tokenisers import UNICODE


@click.command()
@click.argument("texts", nargs=-1, required=True, type=PATH, metavar="RAW...")
@output_option("The file of vectors to write, such as en.vec.gz.", required=True)
@click.option("--dimension", type=click.IntRange(min=1), default=100, show_default=True, help="Values of each vector.")
@click.option(
    "--window", type=click.IntRange(min=1), default=5, show_default=True,
    help="Words at most so many places apart are near each other.",
)  # fmt: skip
@click.option(
    "--min-count", type=click.IntRange(min=1), default=5, show_default=True, help="Rarer words get no vector."
)
@click.option(
    "--lowercase/--cased", default=True, show_default=True,
    help="cased: a word in capitals has a vector of its own; for plans with words.NAME.lowercase = false.",
)  # fmt: skip
@tokeniser_option(f"Cut text into words by it, the plan's own ({UNICODE} unless given)")
@encoding_option
@data_option
@quiet_option
def vectors(
    texts: tuple[Path, ...], output: Path, data: Path | None, tokeniser: str | None, quiet: bool, **options: Any
) -> None:
    """Make word vectors of RAW text, files, folders or standard input (-), for words.NAME.vectors of a plan.

    Words that stand near the same words get vectors that are alike, so that what a few annotated sentences teach of one
    holds of others. Memory stays constant however large the text is; it may be packed with gzip or xz.

    Example: polytag vectors news.txt.gz forum.txt -o en.vec.gz
    """
    from polytag.corpus.lookup import find_file
    from polytag.corpus.notes import Notes
    from polytag.raw_text import vectors
    from polytag.raw_text.reading import sources_of

    sources = sources_of([sys.stdin.buffer if str(text) == "-" else find_file(text, data) for text in texts])
    check_apart(output, [source for source in sources if isinstance(source, Path)])
    notes = Notes()
    with bars("words", quiet=quiet) as progress:
        made = vectors(
            sources, output=output, tokeniser=tokeniser or UNICODE, progress=progress, notes=notes, **options
        )
    tell(notes)
    click.echo(f"{output}: {len(made):,} vectors of {made.dimension} dimensions")
