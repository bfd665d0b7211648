"""The same few cases of every subject, each time; ``python -m tests.fuzz`` runs as many as there is time for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from polytag.corpus import FORMATS
from tests.fuzz.running import case_of
from tests.fuzz.subjects import subjects

ROOT = Path(__file__).parents[2]
THOROUGH = 8 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 1
CASES = 6 * THOROUGH  # of each subject


@pytest.mark.skipif(sys.platform != "linux", reason="its limits are those of Linux")
def test_no_input_ends_in_anything_but_an_answer_or_a_sentence(quick_python: str) -> None:
    """In a process of its own, whose memory is limited."""
    command = [quick_python, "-m", "tests.fuzz", "--cases", str(CASES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]
    assert ", 0 faults" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="its kills are those of POSIX")
def test_a_killed_command_leaves_nothing_half_written(quick_python: str) -> None:
    """A few of them; ``python -m tests.fuzz.kills`` takes all."""
    chosen = [text for name in ("train", "tag", "pack") for text in ("--only", name)]
    command = [quick_python, "-m", "tests.fuzz.kills", "--kills", str(3 * THOROUGH), *chosen]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    assert ": 0 faults" in done.stdout


def test_every_format_is_a_subject() -> None:
    names = {subject.name for subject in subjects()}
    for name, row in FORMATS.items():
        assert {f"read.{name}", f"check.{name}", f"convert.{name}"} <= names
        assert (f"tag.{name}" in names) == row.is_tagged


def test_a_case_is_the_same_each_time() -> None:
    for subject in subjects()[:5]:
        assert case_of(subject, 1, 7)[1] == case_of(subject, 1, 7)[1]
        assert len({case_of(subject, 1, case)[1] for case in range(20)}) > 10
