"""Kill each command that writes, at random moments: what it writes is whole, as it was or absent; the next run works.

    python -m tests.fuzz.kills --kills 100

A command runs in a fork of this process, which has everything loaded, and is killed with SIGKILL just before one of
the operations on files that it does (opening, renaming, removing) or after a share of its time. Then it runs again:
what it leaves must be what a run that nobody killed leaves, and no file of the killed one. POSIX only.
"""

import contextlib
import gc
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import click
import torch._dynamo  # noqa: F401  # loaded by an optimizer's first step: once here, not once in each process

from tests.cli.conftest import fill

FILE_EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link")
SETTINGS = ("--set", "training.epochs=1", "-q")


class Writing(NamedTuple):
    """A command, what it leaves of files in its folder, and which of these are the same each time."""

    arguments: Sequence[str]
    again: Sequence[str]  # what it is called with after a kill
    same: Sequence[str]
    overwrites: bool = True  # if not, what is there already, whole, is removed before the next run


def _one(*arguments: str, writes: str) -> Writing:
    return Writing(arguments, arguments, (writes,))


COMMANDS: Mapping[str, Writing] = {
    "train": Writing(
        ("train", "plan.toml", "-o", "out", *SETTINGS), ("train", "plan.toml", "-o", "out", "--resume", *SETTINGS),
        ("out/weights.safetensors", "out/plan.toml", "out/calibration.json", "out/vocabulary/words.english.json"),
    ),
    "tag": _one("tag", "model", "test.conll", "-o", "tagged.conll", "--quiet", writes="tagged.conll"),
    "tag gzip": _one("tag", "model", "test.conll", "-o", "t.gz", "--confidence", "--quiet", writes="t.gz"),
    "suggest": _one("suggest", "model", "test.conll", "--task", "ner", "-o", "s.jsonl", writes="s.jsonl"),
    "convert": _one("data", "convert", "test.conll", "c.jsonl", "--tag", "ner=2", writes="c.jsonl"),
    "init": Writing(*(("init", "--train", "train.conll", "-o", "new.toml"),) * 2, ("new.toml",), overwrites=False),
    "evaluate": _one("evaluate", "model", "--html", "page.html", writes="page.html"),
    "compare": _one("compare", "model", "model", "--task", "ner", "--html", "two.html", writes="two.html"),
    "calibrate": _one("calibrate", "model", "--task", "ner", writes="model/calibration.json"),
    "pack": _one("pack", "model", "-o", "m.polytag", "--precision", "int8", writes="m.polytag"),
    "curve": _one(
        "curve", "plan.toml", "--task", "ner", "--rates", "1", "--seeds", "1", "-o", "curve", *SETTINGS,
        writes="curve/curve.csv",
    ),
    "vectors": _one(
        "vectors", "test.conll", "-o", "v.vec.gz", "--dimension", "2", "--min-count", "1", "--quiet", writes="v.vec.gz"
    ),
    "distill": Writing(
        *(("distill", "model", "train.conll", "-o", "d", "--min-probability", "0.5", "--quiet"),) * 2,
        ("d/raw.conll", "d/plan.toml"), overwrites=False,
    ),
    "export": _one("export", "model", "--onnx", "m.onnx", "--task", "ner", writes="m.onnx"),
}  # fmt: skip


@click.command()
@click.option("--kills", default=100, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(COMMANDS)))
def main(kills: int, seed: int, only: tuple[str, ...]) -> None:
    """Kill as often as asked, the commands by turns; exits 1 where something was not as it must be."""
    source, faults = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole")
        whole.mkdir()
        fill(whole)
        _finish(_start(whole, ("train", "plan.toml", "-o", "model", *SETTINGS)))
        chosen = [Killed(name, COMMANDS[name], whole, Path(folder, name)) for name in only or COMMANDS]
        for number in range(kills):
            one = chosen[number % len(chosen)]
            for fault in one.kill(source):
                faults += 1
                click.echo(f"{one.name}: {fault}")
        killed = sum(one.killed for one in chosen)
    click.echo(f"{kills} runs, {killed} killed before their end: {faults} faults")
    sys.exit(1 if faults else 0)


class Killed:
    """One command, what a whole run of it leaves, and how long that takes."""

    def __init__(self, name: str, writing: Writing, place: Path, folder: Path) -> None:
        self.name, self.writing, self.place, self.folder, self.killed = name, writing, place, folder, 0
        self._fresh()
        began = time.monotonic()
        counter = folder / "operations"
        assert _finish(_start(folder, writing.arguments, counter=counter)) == 0, f"{name} fails without a kill"
        self.seconds = time.monotonic() - began
        self.operations = int(counter.read_text(encoding="ascii"))
        counter.unlink()
        self.expected = {file: (folder / file).read_bytes() for file in writing.same}
        self.names = _names(folder)

    def kill(self, source: random.Random) -> list[str]:
        """Kill it once and run it again; says what was not right."""
        self._fresh()
        old = {file: (self.folder / file).read_bytes() for file in self.writing.same if (self.folder / file).exists()}
        if source.random() < 0.7:
            child = _start(self.folder, self.writing.arguments, operations=source.randint(1, self.operations))
        else:
            child = _start(self.folder, self.writing.arguments)
            time.sleep(source.random() * self.seconds)
            os.kill(child, signal.SIGKILL)
        self.killed += _finish(child) == -signal.SIGKILL
        faults = [
            f"{file} is half-written"
            for file, content in self.expected.items()
            if (self.folder / file).exists() and (self.folder / file).read_bytes() not in (content, old.get(file))
        ]
        for file in () if self.writing.overwrites else self.expected:
            (self.folder / file).unlink(missing_ok=True)
        code = _finish(_start(self.folder, self.writing.again))
        faults += [f"the next run ends with {code}"] if code else []
        faults += [f"left {name}" for name in _names(self.folder) ^ self.names]
        changed = [file for file, content in self.expected.items() if _content(self.folder / file) != content]
        return faults + [f"{file} is another after the next run" for file in changed]

    def _fresh(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.place, self.folder)


def _start(folder: Path, arguments: Sequence[str], *, operations: int = 0, counter: Path | None = None) -> int:
    """The number of a process that runs a command in a folder, and is killed before so many operations on files."""
    gc.freeze()
    child = os.fork()
    if not child:
        _run(folder, arguments, operations, counter)
    return child


def _run(folder: Path, arguments: Sequence[str], operations: int, counter: Path | None) -> NoReturn:
    code = 1
    with contextlib.suppress(BaseException):
        os.chdir(folder)
        done, lock = 0, threading.Lock()

        def watch(event: str, _: object) -> None:
            nonlocal done
            if event in FILE_EVENTS:
                with lock:
                    done += 1
                if done == operations:
                    os.kill(os.getpid(), signal.SIGKILL)

        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nothing, descriptor)
        sys.argv = ["polytag", *arguments]
        from polytag.cli import main as polytag

        sys.addaudithook(watch)
        try:
            polytag(list(arguments))
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        if counter is not None:
            counter.write_text(str(done), encoding="ascii")
    os._exit(code)


def _finish(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


if __name__ == "__main__":
    main()
