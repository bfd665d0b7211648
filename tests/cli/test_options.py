"""One name, one form and one meaning for each option, in all commands."""

from collections.abc import Iterator
from importlib import import_module

import click
import pytest

from polytag.cli import COMMANDS
from polytag.corpus.sentence import MOST_ALTERNATIVES

LOAD_A_MODEL = ("calibrate", "compare", "evaluate", "export", "serve", "suggest", "tag")
READ_CORPORA = ("calibrate", "compare", "evaluate", "tag", "suggest", "init", "data check", "data convert", "train")


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = getattr(import_module(f"polytag.cli.{name}"), name)
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())


ALL = dict(commands())


def option(command: str, name: str) -> click.Option | None:
    found = [param for param in ALL[command].params if name in param.opts]
    assert len(found) <= 1
    assert not found or isinstance(found[0], click.Option)
    return found[0] if found else None  # type: ignore[return-value]


@pytest.mark.parametrize("gone", ["--format", "--output-format", "--tokenised", "--tag-column", "--name"])
def test_old_names_are_gone(gone):
    assert not [name for name in ALL if option(name, gone)]


@pytest.mark.parametrize("name", ["tag", "suggest", "init", "data check", "data convert"])
def test_input_formats_are_named_by_from(name):
    found = option(name, "--from")
    assert found is not None
    assert isinstance(found.type, click.Choice)
    assert {"auto", "conll", "conllu", "jsonl"} <= set(found.type.choices)
    assert ("text" in found.type.choices) == ("tokenised" in found.type.choices) == (name != "init")


@pytest.mark.parametrize("name", ["tag", "suggest", "data convert"])
def test_output_formats_are_named_by_to(name):
    assert option(name, "--to") is not None


@pytest.mark.parametrize("name", LOAD_A_MODEL)
def test_whatever_loads_a_model_can_be_told_how(name):
    expected = {"--best-for", *({"--precision", "--threads"} if name != "export" else ())}
    expected |= {"--task"} if name != "serve" else set()
    assert {wanted for wanted in expected if option(name, wanted)} == expected


@pytest.mark.parametrize("name", READ_CORPORA)
def test_whatever_reads_corpora_takes_the_data_directory(name):
    found = option(name, "--data")
    assert found is not None
    assert found.envvar == "POLYTAG_DATA"
    assert found.help == option("train", "--data").help


@pytest.mark.parametrize("name", ALL)
def test_no_path_is_empty(name):
    """As of a variable that nobody set: the current directory is seldom meant, and a model would be written into it."""
    for param in ALL[name].params:
        if isinstance(param.type, click.Path):
            with pytest.raises(click.BadParameter, match="an empty path, expected the name"):
                param.type.convert("", param, None)


def test_tag_names_layers_in_one_form():
    for name in ("init", "data convert"):
        assert option(name, "--tag").metavar == "NAME=PLACE"


def test_there_is_one_limit_of_alternatives():
    assert option("tag", "--nbest").type.max == MOST_ALTERNATIVES
    limits = pytest.importorskip("polytag.server.limits")
    assert limits.Limits().nbest == MOST_ALTERNATIVES
