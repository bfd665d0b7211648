"""What the measurements work on: the real corpus and a converged model, or the small ones that come with polytag."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.goals.processes import REPOSITORY, call

NEWS = REPOSITORY / "examples" / "news"
REAL_PLAN = REPOSITORY / "examples" / "plans" / "conll2003-ner.toml"
REAL_COLUMNS = {"pos": 1, "chunk": 2, "ner": 3}
NEWS_COLUMNS = {"pos": 1, "ner": 2}
NEW_WORDS = 10  # one word of so many, in a text of new words


@dataclass(frozen=True)
class Setting:
    """Where everything is, and how much to measure. All of it goes through JSON."""

    work: str  # a directory for what is made here
    data: str | None  # with conll2003/
    given_model: str | None  # of the paper's network
    given_small: str | None = None  # of a network of 1x100
    quick: bool = False
    full: bool = False

    @property
    def path(self) -> Path:
        """The directory for what is made here."""
        return Path(self.work)

    @property
    def real(self) -> bool:
        """Whether tagging is measured with the model given on the real corpus."""
        return self.data is not None and self.given_model is not None

    @property
    def model(self) -> str:
        """The model to tag with."""
        return self.given_model if self.real and self.given_model else str(self.path / "small-model")

    @property
    def small(self) -> str:
        """The model of a small network."""
        return self.given_small if self.real and self.given_small else str(self.path / "small-model")

    @property
    def models(self) -> dict[str, str]:
        """Both, by the name of the network."""
        return {"small": self.small, "paper": self.model}

    @property
    def train(self) -> Path:
        """The training file with the columns of `columns`."""
        return Path(self.data, "conll2003/eng.train") if self.data else NEWS / "en.train.conll"

    @property
    def test(self) -> Path:
        """The text to tag, with gold tags."""
        return Path(self.data, "conll2003/eng.testb") if self.real and self.data else NEWS / "en.test.conll"

    @property
    def texts(self) -> list[Path]:
        """What is tagged from file to file: the development file, where there is one, and the test file."""
        return [Path(self.data, "conll2003/eng.testa"), self.test] if self.real and self.data else [self.test]

    @property
    def columns(self) -> dict[str, int]:
        """The tasks of the training file, and the column of the tags of each."""
        return REAL_COLUMNS if self.data else NEWS_COLUMNS

    def rounds(self, usual: int) -> int:
        """How many rounds to run where so many are usual."""
        return 1 if self.quick else usual

    def arguments(self) -> dict[str, Any]:
        """What makes the same setting in another process."""
        return asdict(self)

    def about(self) -> dict[str, str]:
        """The texts and the model, by names that hold on any machine."""
        return {
            "training_text": "CoNLL-2003 eng.train" if self.data else "examples/news, cut to lengths like CoNLL-2003's",
            "tagged_text": "CoNLL-2003 eng.testa, eng.testb" if self.real else "examples/news/en.test.conll",
            "model": _given(self.real),
            "small_model": _given(self.real and self.given_small is not None),
        }


def _given(given: bool) -> str:
    return "the model given" if given else "a small one trained here: NOT what the goals are about"


def make_small_model(setting: Setting) -> None:
    """Train a small model where one is not given and not there yet.

    Raises:
        MeasurementError: that failed.
    """
    own = setting.path / "small-model"
    if str(own) in setting.models.values() and not own.exists():
        call("benchmarks.goals.setting:train_small_model", output=str(own), epochs=1 if setting.quick else 5)


def train_small_model(*, output: str, epochs: int) -> None:
    """A named-entity tagger of a few units, from examples/news."""
    from polytag import train

    train(small_plan(epochs=epochs), output=output)


def small_plan(*, epochs: int) -> Any:
    """The plan of the small model."""
    from polytag.plan_file import make_plan

    files = {split: [str(NEWS / f"en.{name}.conll")] for split, name in (("train", "train"), ("test", "test"))}
    return make_plan({
        "chars": {"c": {"dimension": 8, "hidden": 8}}, "words": {"w": {"dimension": 16, "hidden": 24}},
        "tasks": {"ner": {"chars": "c", "words": "w", **files, "columns": {"tag": 2}}},
        "training": {"threads": 1, "epochs": epochs, "recipe": "best", "learning_rate": 0.01},
    })  # fmt: skip


def words_in(path: Path) -> int:
    """Words of a file of columns; the separators of documents are none."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip() and not line.startswith(b"-DOCSTART-"))


def repeated(source: Path, target: Path, *, copies: int) -> Path:
    """A file repeated; returns the target."""
    text = source.read_bytes().rstrip(b"\n") + b"\n\n"
    with target.open("wb") as file:
        file.writelines(text for _ in range(copies))
    return target


def with_new_words(source: Path, target: Path, *, size: int, seed: int = 0) -> Path:
    """A file repeated up to about ``size`` bytes in which one word of ten was never there before; the target."""
    lines = source.read_text(encoding="utf-8").rstrip("\n").splitlines()
    written = 0
    with target.open("w", encoding="utf-8", newline="\n") as file:
        for line in _renewed(lines, seed):
            written += file.write(line + "\n")
            if written >= size and not line:
                return target
    return target


def _renewed(lines: Iterable[str], seed: int) -> Iterator[str]:
    """The lines without end."""
    lines = [*lines, ""]
    position = 0
    while True:
        for line in lines:
            position += 1
            word, blank, rest = line.partition(" " if " " in line else "\t")
            new = blank and position % NEW_WORDS == 0 and not line.startswith("-DOCSTART-")
            yield f"{word}{_letters(seed)}{_letters(position)}{blank}{rest}" if new else line


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))
