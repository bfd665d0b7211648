"""``polytag tag --workers``: what one process says, and no process, no half of a file, is left however it ends."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from polytag.bulk import pieces
from polytag.corpus.formats import FORMATS
from tests.cli.conftest import ENVIRONMENT, contents, corpus, run
from tests.cli.test_processes import wait_for

LONG = "Lima\tPROPN\tB-LOC\n\n" * 400_000  # some seconds of work
CHILDREN = "/proc/{0}/task/{0}/children"

needs_proc = pytest.mark.skipif(
    not Path(CHILDREN.format(os.getpid())).exists(), reason="this system does not list the children of a process"
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {name: replace(row, cut=replace(row.cut, size=500)) for name, row in FORMATS.items() if row.cut}
    monkeypatch.setattr(pieces, "FORMATS", rows)


def test_many_processes_say_what_one_says(trained, workplace, small):
    Path("more.jsonl").write_text('{"words": ["Lima", "."]}\n\n{"text": "Angela Merkel left"}\n')
    Path("latin.conll").write_bytes("Café\nLima\n\n".encode("latin-1") * 60)
    command = f"tag {trained} test.conll more.jsonl - latin.conll --confidence --nbest 2"
    one = run(command, stdin=corpus(40, 3))
    assert (one.code, one.err.count("\n")) == (0, 1)
    assert one.err.startswith("latin.conll:1: byte 0xe9 is not UTF-8")
    assert run(f"{command} --workers 2", stdin=corpus(40, 3)) == one


def test_a_bad_line_is_told_as_one_process_tells_it(trained, workplace, small):
    Path("bad.jsonl").write_text('{"words": ["Lima"]}\n' * 90 + "{\n" + '{"words": ["Lima"]}\n' * 90)
    before = contents(workplace)
    done = run(f"tag {trained} test.conll bad.jsonl --workers 2 -o out")
    assert done == run(f"tag {trained} test.conll bad.jsonl -o out")
    assert done.sentence.startswith("bad.jsonl:91: no JSON (")
    assert (done.code, done.out, contents(workplace)) == (1, "", before)


def start(*words: object) -> "subprocess.Popen[bytes]":
    """Tag a long file with two workers, in a process group of its own, as a shell would start it."""
    Path("long.conll").write_text(LONG)
    command = [sys.executable, "-m", "polytag", "tag", *map(str, words), "long.conll", "--workers", "2"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=ENVIRONMENT, start_new_session=True)


def children(process: "subprocess.Popen[bytes]") -> list[int]:
    return [int(child) for child in Path(CHILDREN.format(process.pid)).read_text().split()]


def workers(process: "subprocess.Popen[bytes]") -> list[int]:
    return [child for child in children(process) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def wait_until_gone(processes: list[int]) -> None:
    def are_gone() -> bool:
        return not any(is_alive(process) for process in processes)

    wait_for(are_gone, 20.0)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@needs_proc
def test_a_killed_worker_is_one_sentence(trained, workplace):
    with start(trained, "-o", "out") as tagging:
        before = contents(workplace)
        wait_for(lambda: any(path.stat().st_size for path in Path().glob(".out.*")))
        all_, victim = children(tagging), workers(tagging)[1]
        os.kill(victim, signal.SIGKILL)
        out, err = tagging.communicate(timeout=60)
    sentence = b"polytag: a worker process was killed, perhaps for lack of memory; try fewer workers\n"
    assert (tagging.returncode, out, err) == (1, b"", sentence)
    assert contents(workplace) == before
    wait_until_gone(all_)


@needs_proc
@pytest.mark.parametrize("when", ["starting", "tagging"])
def test_an_interrupt_is_one_sentence(when, trained, workplace):
    with start(trained, "-o", "out") as tagging:
        before = contents(workplace)
        wait_for(lambda: len(workers(tagging)) == 2)
        if when == "tagging":
            wait_for(lambda: any(path.stat().st_size for path in Path().glob(".out.*")))
        all_ = children(tagging)
        os.killpg(tagging.pid, signal.SIGINT)  # as a terminal does
        out, err = tagging.communicate(timeout=60)
    assert (tagging.returncode, out, err.strip()) == (130, b"", b"polytag: interrupted")
    assert contents(workplace) == before
    wait_until_gone(all_)


@needs_proc
def test_a_closed_pipe_is_no_error(trained, workplace):
    with start(trained, "--task", "ner") as tagging:
        assert tagging.stdout is not None
        assert tagging.stderr is not None
        assert tagging.stdout.readline().startswith(b"Lima\tPROPN\tB-LOC\t")
        all_ = children(tagging)
        tagging.stdout.close()
        assert tagging.stderr.read() == b""
    assert tagging.returncode == 0
    wait_until_gone(all_)


@needs_proc
def test_workers_end_with_a_killed_parent(trained, workplace):
    with start(trained, "-o", "out") as tagging:
        wait_for(lambda: len(workers(tagging)) == 2)
        time.sleep(0.2)
        all_ = children(tagging)
        tagging.kill()
    wait_until_gone(all_)
    assert not Path("out").exists()
