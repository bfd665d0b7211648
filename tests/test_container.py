"""The Dockerfile, as far as it shows without docker: it copies what is there, runs what is valid, has no PyTorch."""

import fnmatch
import json
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from tests.documentation import parse

ROOT = Path(__file__).parent.parent
LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def of(instruction: str) -> list[str]:
    return [line.removeprefix(f"{instruction} ") for line in LINES if line.startswith(f"{instruction} ")]


def copied() -> list[str]:
    """What comes from the repository; options begin with --."""
    words = [line.split() for line in of("COPY") if "--from=" not in line]
    return [word for line in words for word in line[:-1] if not word.startswith(("--", "$"))]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    assert rules[0] == "*"
    for name in copied():
        assert (ROOT / name).exists(), name
        assert name in kept, name
    assert any(fnmatch.fnmatch("news.polytag", rule) for rule in kept)


def test_what_the_build_reads_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = [project["project"]["readme"], *project["project"]["license-files"]]
    needed += [project["tool"]["scikit-build"]["cmake"]["source-dir"], "pyproject.toml", "src"]
    assert set(needed) <= set(copied())


def test_what_it_starts_is_a_command_of_polytag() -> None:
    (entry,), (command,) = map(json.loads, of("ENTRYPOINT")), map(json.loads, of("CMD"))
    assert entry[0] == "polytag"
    parse([*entry[1:], *command])
    (target,) = [line.split()[-1] for line in of("COPY") if "${MODEL}" in line]
    assert command[0] == target
    port = command[command.index("--port") + 1]
    assert of("EXPOSE") == [port]
    assert f":{port}/health" in of("HEALTHCHECK")[0]


def test_nothing_that_is_installed_brings_pytorch() -> None:
    (installed,) = [line for line in of("RUN") if "pip install" in line]
    (named,) = re.findall(r"\[([a-z,]+)\]", installed)
    todo, found = named.split(","), set[str]()
    while todo:
        for requirement in map(Requirement, EXTRAS[todo.pop()]):
            found.add(requirement.name)
            todo += requirement.extras if requirement.name == "polytag" else ()
    assert "fastapi" in found
    assert not found & {"torch", "spacy", "scipy"}


def test_it_runs_as_nobody_that_may_write() -> None:
    assert of("USER") == ["65534"]
