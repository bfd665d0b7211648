"""``polytag pack``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from polytag.cli.options import best_for_option, model_argument, output_option

if TYPE_CHECKING:
    from polytag.model import Model
    from polytag.model.packed import Packed


@click.command()
@model_argument
@output_option("The file to write, such as news.polytag.", required=True)
@click.option(
    "--precision",
    type=click.Choice(["float32", "float16", "int8"]),
    default="float32",
    show_default=True,
    help="Of the weights in the file; int8 is computed in int8, where the processor has instructions for it.",
)
@click.option(
    "--vectors",
    type=click.IntRange(min=0),
    metavar="N",
    help="Keep the words of the training files and the N most frequent others; all words if absent.",
)
@click.option(
    "--coarse", is_flag=True, help="Round word vectors to a few values, which in int8 take less than half of the room."
)
@best_for_option
def pack(model: Path, output: Path, precision: str, vectors: int | None, coarse: bool, best_for: str | None) -> None:
    """Pack the directory MODEL into one file for shipping: plan, vocabularies, weights and temperatures.

    Whatever takes a model directory takes the file too, except for what writes into it. In float32 and with all words
    it tags as the directory does; int8 takes a quarter of the room, and words left out, which are then read by their
    characters alone, most of what is left. Features that are nothing in the precision are left out, and so is every
    directory of this machine: where a command wants the files of the plan, --data names where they are.
    """
    from polytag.model import load_model
    from polytag.model.packing import pack as pack_model

    if coarse and precision != "int8":
        raise click.UsageError(f"--coarse saves nothing in {precision}: say --precision int8")
    packed = pack_model(model, output, precision=precision, vectors=vectors, coarse=coarse, best_for=best_for)
    whole = load_model(model, best_for=best_for)
    click.echo(f"{output}: {output.stat().st_size:,} bytes, weights in {precision}")
    for part, size in packed.bytes.items():
        click.echo(f"{part:<24} {size:>12,} bytes{_left(part, whole, packed)}")


def _left(part: str, whole: "Model", packed: "Packed") -> str:
    """How many words or features of a part are left."""
    kind, _, name = part.partition(".")
    before, after = whole.vocabularies, packed.model.vocabularies
    if kind == "words":
        return f"; {len(after.words[name].words):,} of {len(before.words[name].words):,} words"
    if kind == "tags" and (features := after.tags[name].features) and (all_ := before.tags[name].features):
        left, total = (len(of.own) + len(of.around) for of in (features, all_))
        return f"; {left:,} of {total:,} features"
    return ""
