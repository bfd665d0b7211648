"""The public face: names that are there, documented, and a command line that explains itself."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest

import polytag
from polytag.cli import COMMANDS, cli

PACKAGE = Path(polytag.__file__).parent


def test_the_three_lists_of_public_names_agree() -> None:
    """What is resolved lazily, what type checkers see, and __all__."""
    tree = ast.parse(Path(polytag.__file__).read_text(encoding="utf-8"))
    for_types = {
        (alias.asname, (node.module or "").removeprefix("polytag."))
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("polytag.")
        for alias in node.names
    }
    assert for_types == set(polytag._HOMES.items())
    assert polytag.__all__ == sorted(polytag._HOMES)
    assert set(polytag.__all__) < set(dir(polytag))


@pytest.mark.parametrize("name", polytag.__all__)
def test_a_public_name_resolves_and_is_documented(name: str) -> None:
    found = getattr(polytag, name)
    assert inspect.getdoc(found)
    assert found.__module__ == f"polytag.{polytag._HOMES[name]}"


@pytest.mark.parametrize("name", ["Plan", "Sentence", "Span", "Tagger"])
def test_public_methods_are_documented(name: str) -> None:
    found = getattr(polytag, name)
    own = {key for base in found.__mro__ if base.__module__.startswith("polytag") for key in vars(base)}
    methods = [key for key in own if not key.startswith("_") and inspect.isroutine(getattr(found, key))]
    assert not [key for key in methods if not inspect.getdoc(getattr(found, key))]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tran'"):
        polytag.tran  # noqa: B018


def test_the_version_is_that_of_the_package() -> None:
    assert polytag.__version__ == version("polytag")


def undocumented(path: Path) -> Iterator[str]:
    """A module, or public functions and classes of its, without a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if tree.body and not ast.get_docstring(tree):
        yield path.name
    for node in tree.body:
        is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if is_public and not ast.get_docstring(node):
            yield f"{path.name}: {node.name}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_functions_and_classes_are_documented(path: Path) -> None:
    assert not list(undocumented(path))


@pytest.mark.parametrize("module", ["polytag.corpus", "polytag.scoring"])
def test_a_folder_names_what_it_offers(module: str) -> None:
    """Every name that a folder passes on is importable from it."""
    loaded = importlib.import_module(module)
    tree = ast.parse(Path(str(loaded.__file__)).read_text(encoding="utf-8"))
    names = [alias.asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert names
    assert all(name is not None and hasattr(loaded, name) for name in names)


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield f"{path} {name}", command
            if isinstance(command, click.Group):
                yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), list(commands(cli, "polytag")), ids=str)
def test_every_command_and_option_has_a_help_text(path: str, command: click.Command) -> None:
    assert (command.help or "").strip()
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert not [option.name for option in options if not option.help]


def test_the_list_of_commands_says_what_the_commands_say() -> None:
    with click.Context(cli) as context:
        assert list(COMMANDS) == cli.list_commands(context)
        assert cli.get_command(context, "trian") is None
