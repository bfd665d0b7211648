"""Files that are whole or absent, whenever an interrupt comes."""

import gc
import gzip
import lzma
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from polytag import compressed, files
from polytag.files import atomic_write


class InterruptAfter:
    """Trace the modules `files` and `compressed` and raise KeyboardInterrupt before its n-th bytecode instruction."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self, frame: FrameType, event: str, _: Any) -> "InterruptAfter | None":
        if frame.f_code.co_filename not in (files.__file__, compressed.__file__):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self


def write(path: Path) -> None:
    with atomic_write(path) as file:
        file.write("new")


def interrupted(path: Path, count: int) -> bool:
    """Whether a write met an interrupt before that instruction (the write is over before later ones)."""
    interrupt, before = InterruptAfter(count), sys.gettrace()
    sys.settrace(interrupt)
    try:
        with suppress(KeyboardInterrupt):
            write(path)
    finally:
        sys.settrace(before)
    return interrupt.left <= 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file that nobody could close yet
@pytest.mark.parametrize("name", ["out", "out.gz", "out.xz"])
def test_an_interrupt_at_any_instruction_leaves_the_old_file_or_the_whole_new_one(tmp_path, name):
    path, whole, count = tmp_path / name, tmp_path / f"whole-{name}", 1
    interrupted(whole, sys.maxsize)  # some releases of Python trace no instruction the first time
    path.write_bytes(b"old")
    seen = set()
    while interrupted(path, count):
        assert {each.name for each in tmp_path.iterdir()} == {path.name, whole.name}, count
        seen.add(path.read_bytes())
        path.write_bytes(b"old")
        count += 1
    assert seen == {b"old", whole.read_bytes()}
    assert count > 50
    gc.collect()  # else what nobody could close is told in another test


def test_permissions_are_those_of_any_new_file(tmp_path):
    write(tmp_path / "ours")
    (tmp_path / "theirs").write_text("new")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "theirs")}
    assert len(modes) == 1


def test_a_name_of_any_length_that_a_file_can_have(tmp_path):
    write(tmp_path / ("n" * 255))
    assert [path.name for path in tmp_path.iterdir()] == ["n" * 255]


def test_what_a_killed_process_left_goes_with_the_next_write_and_what_another_writes_stays(tmp_path):
    program = (
        "import os, signal, sys\nfrom polytag.files import atomic_write\n"
        "with atomic_write(sys.argv[1]) as file:\n"
        "    file.write('half')\n    file.flush()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for name in ("out", "other"):
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    with atomic_write(tmp_path / "out") as outer:
        outer.write("outer")
        write(tmp_path / "out")
        assert len(list(tmp_path.glob(".out.*.partial"))) == 1, "the one that is open"
    assert (tmp_path / "out").read_text() == "outer"
    assert [path.name[:7] for path in tmp_path.glob(".*.partial")] == [".other."]


@pytest.mark.parametrize(("name", "decompress"), [("x", bytes), ("x.gz", gzip.decompress), ("x.xz", lzma.decompress)])
def test_what_is_written_is_packed_as_its_name_says(tmp_path, name, decompress):
    for number in range(2):
        with atomic_write(tmp_path / name) as file:
            file.write("Łódź\n" * 1000)
        (tmp_path / name).rename(tmp_path / str(number))
    first, second = ((tmp_path / each).read_bytes() for each in "01")
    assert first == second
    assert decompress(first).decode() == "Łódź\n" * 1000
