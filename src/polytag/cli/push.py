"""``polytag push``."""

from pathlib import Path

import click

from polytag.cli.options import model_argument
from polytag.errors import ModelError


@click.command()
@model_argument
@click.argument("repository", metavar="USER/NAME")
@click.option("--public", is_flag=True, help="A repository that is made can be read by everybody.")
def push(model: Path, repository: str, public: bool) -> None:
    """Write the directory MODEL with its card to the Hugging Face Hub, where 'hf:USER/NAME' is then a model.

    Who you are there, `hf auth login` or HF_TOKEN says. A repository that is not there is made, for you alone unless
    --public. The vocabularies hold words of the training files; report.json is left out.

    Example: polytag push ner somebody/ner && polytag tag hf:somebody/ner words.txt
    """
    from polytag.model import load_model
    from polytag.model.hub import upload

    if model.is_file():
        raise ModelError(f"{model}: this is a file, expected a model directory")
    load_model(model)  # what is damaged is not passed on
    click.echo(f"{model}: written to {upload(model, repository, private=not public)}")
