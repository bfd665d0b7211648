"""The command line as its user sees it: exit code, stdout, stderr; over a corpus and models that train in a second."""

import io
import os
import random
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from polytag.cli import main

PEOPLE = ("Angela Merkel", "Tomas Lindqvist", "Amina Diallo")
PLACES = ("Lima", "Warsaw", "Rotterdam")

PLAN = """\
[chars.latin]
dimension = 4
hidden = 4
layers = 1

[words.english]
dimension = 6
hidden = 6
layers = 1

[tasks.ner]
chars = "latin"
words = "english"
train = "train.conll"
dev = "dev.conll"
test = "test.conll"
columns = { word = 0, tag = 2 }

[tasks.pos]
chars = "latin"
words = "english"
train = "train.conll"
test = "test.conll"
columns = { word = 0, tag = 1 }

[training]
epochs = 1
threads = 1
"""

SPANISH = """\
[words.spanish]
dimension = 6
hidden = 6
layers = 1

[tasks.es-ner]
chars = "latin"
words = "spanish"
train = "train.conll"
columns = { word = 0, tag = 2 }

"""


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line that says what is wrong; there must be one, after notes on progress at most."""
        lines = [line for line in self.err.splitlines() if line.startswith("polytag: ")]
        assert "Traceback" not in self.err + self.out
        assert len(lines) == 1, self.err
        assert self.err.splitlines()[-1] == lines[0], self.err
        return lines[0].removeprefix("polytag: ")


def run(command: str | Sequence[object], *, stdin: bytes | str = b"") -> Result:
    """Run a command in this process."""
    arguments = shlex.split(command) if isinstance(command, str) else [str(argument) for argument in command]
    out, err = _text_stream(), _text_stream()
    given = _text_stream(stdin.encode() if isinstance(stdin, str) else stdin)
    code: object = None
    with redirect_stdout(out), redirect_stderr(err), mock.patch.object(sys, "stdin", given):
        try:
            main(arguments)
        except SystemExit as exit_:
            code = exit_.code
    assert isinstance(code, int)
    return Result(code, _content(out), _content(err))


def run_process(command: Sequence[object], *, stdout: Path) -> Result:
    """Run a command in a process of its own, with stdout into a file or device."""
    with stdout.open("wb") as target:
        done = subprocess.run(
            [sys.executable, "-m", "polytag", *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=target, stderr=subprocess.PIPE, env=ENVIRONMENT, check=False,
        )  # fmt: skip
    return Result(done.returncode, "", done.stderr.decode())


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def _text_stream(content: bytes = b"") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")


def _content(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8", "surrogateescape")


def contents(directory: Path) -> dict[str, bytes | None]:
    """All that lies below a directory, to tell whether a command left something behind."""
    paths = sorted(directory.rglob("*"))
    return {str(p.relative_to(directory)): p.read_bytes() if p.is_file() else None for p in paths}


def corpus(sentences: int, seed: int) -> str:
    """Sentences of five or so words in three columns: word, part of speech, entity in IOB2."""
    source = random.Random(seed)
    return "".join(_sentence(source) for _ in range(sentences))


def _sentence(source: random.Random) -> str:
    person, place = source.choice(PEOPLE).split(), source.choice(PLACES)
    rows = [(word, "PROPN", f"{'I' if i else 'B'}-PER") for i, word in enumerate(person)]
    rows += [(source.choice(("visited", "left")), "VERB", "O"), (place, "PROPN", "B-LOC"), (".", "PUNCT", "O")]
    return "".join("\t".join(row) + "\n" for row in rows) + "\n"


def fill(directory: Path) -> None:
    """Write the corpus and the plan."""
    for number, (split, sentences) in enumerate({"train": 24, "dev": 6, "test": 12}.items()):
        (directory / f"{split}.conll").write_text(corpus(sentences, number), encoding="utf-8")
    (directory / "plan.toml").write_text(PLAN, encoding="utf-8")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own, with the corpus and the plan, to stand in."""
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLYTAG_DATA", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of entities and parts of speech; tests must not write into it."""
    return _train(tmp_path_factory.mktemp("trained"), PLAN)


@pytest.fixture(scope="session")
def bilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads two languages, with the best weights of each task; tests must not write into it."""
    return _train(tmp_path_factory.mktemp("bilingual"), SPANISH + PLAN + "best_per_task = true\n")


def _train(directory: Path, plan: str) -> Path:
    fill(directory)
    (directory / "plan.toml").write_text(plan, encoding="utf-8")
    done = run(["train", directory / "plan.toml", "--output", directory / "model"])
    assert done.code == 0, done.err
    return directory / "model"


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A copy of the model to damage."""
    return Path(shutil.copytree(trained, tmp_path / "model"))
