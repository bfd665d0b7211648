"""What is declared and what is pinned fit together, and neither lets a release in that is known to have a hole."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
MENDED = {  # the first release without it
    "filelock": "3.20.1",  # CVE-2025-68146: a link in place of the lock file
    "h11": "0.16",  # CVE-2025-43859: chunks that are none; requests in requests
    "pyarrow": "14.0.1",  # CVE-2023-47248: code in a file
}


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for more in project["optional-dependencies"].values() for line in more)]
    return [found for line in lines if (found := Requirement(line)).name != "polytag"]


PINNED = {
    re.sub("[-_.]+", "-", name).lower(): Version(version)
    for name, _, version in (
        line.partition("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line
    )
}


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_what_is_pinned_is_what_is_declared(requirement: Requirement) -> None:
    assert requirement.specifier.contains(PINNED[re.sub("[-_.]+", "-", requirement.name).lower()])


@pytest.mark.parametrize("name", MENDED)
def test_no_floor_is_below_a_release_that_mended_something(name: str) -> None:
    floors = [str(r.specifier) for r in declared() if r.name == name]
    assert floors
    assert all(Version(floor.removeprefix(">=")) >= Version(MENDED[name]) for floor in floors)


def test_what_messages_and_pages_say_to_install_is_there() -> None:
    known = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    )
    files = [*ROOT.glob("src/polytag/**/*.py"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")]
    named = {
        extra: file.name
        for file in files
        for extras in re.findall(r"polytag\[([a-z,]+)\]", file.read_text(encoding="utf-8"))
        for extra in extras.split(",")
    }
    assert {extra: file for extra, file in named.items() if extra not in known} == {}
