"""``polytag export``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from polytag.cli.options import best_for_option, constrained_option, model_argument, task_option
from polytag.cli.outputs import FileToWrite

if TYPE_CHECKING:
    from polytag.exporting import Export
    from polytag.tagger.tagging import Tagger


@click.command()
@model_argument
@click.option("--onnx", type=FileToWrite(read_again=True), metavar="FILE", required=True, help="The file to write.")
@task_option("Write")
@constrained_option
@best_for_option
def export(model: Path, onnx: Path, tasks: tuple[str, ...], constrained: bool | None, best_for: str | None) -> None:
    """Write MODEL as an ONNX graph from characters and words to emissions and decoded tags, in float32.

    The graph holds all tasks of a language, the CRF's decoder and, as its metadata "polytag", everything that turns
    words into its inputs; examples/onnx_tag.py tags with it and nothing of polytag. Where onnxruntime is installed, the
    file is compared with the model on random sentences.
    """
    from polytag.exporting import export as write_onnx
    from polytag.tagger.tagging import Tagger

    tagger = Tagger.load(model, best_for=best_for, precision="float32")
    written = write_onnx(tagger, onnx, tasks=tasks, constrained=constrained)
    click.echo(f"{written.path}: {written.bytes:,} bytes; tasks {', '.join(written.tasks)}")
    click.echo(f"inputs   {', '.join(written.inputs)}")
    click.echo(f"outputs  {', '.join(written.outputs)}")
    _check(written, tagger, constrained=constrained)


def _check(written: "Export", tagger: "Tagger", *, constrained: bool | None) -> None:
    from importlib.util import find_spec

    from polytag.errors import PolytagError
    from polytag.exporting import check_export

    if find_spec("onnxruntime") is None:
        click.echo("not compared with the model: onnxruntime is not installed (pip install 'polytag[onnx]')")
        return
    found = check_export(written.path, tagger, constrained=constrained)
    for task, of in found.items():
        click.echo(f"{task}: the same tags as the model at {of.same:,} of {of.words:,} words of random sentences")
    if any(of.same != of.words for of in found.values()):
        raise PolytagError(
            f"{written.path}: the graph tags otherwise than the model, expected the same tags everywhere"
        )
