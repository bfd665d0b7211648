"""A bad input: how it is made, the command that meets it, and what its one sentence must hold."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.cli.conftest import PLAN, contents, run

TRAIN = "train plan.toml -o out"
Change = Callable[[], object]


class Case(NamedTuple):
    """What is done to a good workplace, the command, what its sentence must hold, and the exit code."""

    name: str
    change: Change
    command: str
    expected: str
    code: int = 1
    stdin: bytes = b""


def put(name: str, content: bytes | str) -> Change:
    return lambda: Path(name).write_bytes(content.encode() if isinstance(content, str) else content)


def folder(name: str) -> Change:
    def make() -> None:
        Path(name).unlink(missing_ok=True)
        Path(name).mkdir()

    return make


def gone(name: str) -> Change:
    return lambda: Path(name).unlink()


def plan(old: str, new: str) -> Change:
    """The plan with one text replaced; it must be there."""
    assert old in PLAN
    return put("plan.toml", PLAN.replace(old, new, 1))


def task(more: str) -> Change:
    return plan("[tasks.ner]\n", f"[tasks.ner]\n{more}\n")


def words(more: str) -> Change:
    return plan("[words.english]\n", f"[words.english]\n{more}\n")


def both(*changes: Change) -> Change:
    return lambda: [change() for change in changes]


def nothing() -> None:
    pass


def vectors(content: bytes | str | None) -> Change:
    """A plan with a file of word vectors, and the file, unless it is to be missing."""
    name = plan("[words.english]\ndimension = 6", '[words.english]\nvectors = "v.vec"')
    return name if content is None else both(name, put("v.vec", content))


def gazetteer(content: str | None) -> Change:
    """The same for a gazetteer."""
    name = put("plan.toml", PLAN + '[tags.ner]\ngazetteer = "g.list"\n')
    return name if content is None else both(name, put("g.list", content))


def training(name: str, content: str) -> Change:
    """Another training file for the first task."""
    return both(put(name, content), plan('train = "train.conll"', f'train = "{name}"'))


def check(case: Case, workplace: Path, trained: Path, bilingual: Path) -> None:
    """One sentence on stderr, the right exit code, and nothing written."""
    case.change()
    before, model = contents(workplace), contents(trained)
    done = run(case.command.format(model=trained, bilingual=bilingual), stdin=case.stdin)
    assert done.code == case.code
    assert case.expected in done.sentence
    assert contents(workplace) == before
    assert contents(trained) == model
