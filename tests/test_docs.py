"""The documentation is true: README blocks run, the plan in it loads, every command stands in it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from polytag.cli import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def quick_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as the README's reader has it: the plan, shortened to one epoch, and the shipped corpus."""
    folder = tmp_path_factory.mktemp("readme")
    (plan,) = blocks("toml")
    (folder / "plan.toml").write_text(plan.replace("epochs = 5", "epochs = 1\nthreads = 1"), encoding="utf-8")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": path, "OMP_NUM_THREADS": "1"}
    )


def test_the_shell_block_runs(quick_start: Path) -> None:
    (script,) = blocks("sh")
    done = run(["sh", "-ec", script], quick_start)
    assert done.returncode == 0, done.stderr
    for expected in ("shared by pos, ner", "processed 741 tokens", "Merkel\t", "IOB2"):
        assert expected in done.stdout


def test_the_python_block_runs(quick_start: Path) -> None:
    (script,) = blocks("python")
    done = run([sys.executable, "-W", "error", "-c", script], quick_start)
    assert done.returncode == 0, done.stderr
    assert "PROPN" in done.stdout or "NOUN" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"polytag {command}" in README


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)]+)\)", README))
def test_links_lead_to_files(target: str) -> None:
    assert (ROOT / target).exists()


def test_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", README)) <= targets
