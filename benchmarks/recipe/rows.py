"""The rows: plans in few words, and what others reach on the same labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

GLOVE = "vectors/glove.en.100d.vec.gz"
AFRICAN = {  # of MasakhaNER, with the CNN-BiLSTM-CRF of its authors, one run
    "amh": 51.80, "hau": 85.15, "ibo": 79.50, "kin": 62.58, "lug": 75.52,
    "luo": 63.50, "pcm": 69.88, "swa": 79.02, "wol": 56.57, "yor": 66.70,
}  # fmt: skip
_FILES: Mapping[str, Mapping[str, Any]] = {
    "english": {
        "train": "conll2003/eng.train", "dev": "conll2003/eng.testa", "test": "conll2003/eng.testb",
        "columns": {"word": 0, "tag": 3},
    },
    "spanish": {"train": "conll2002/esp.train", "dev": "conll2002/esp.testa", "test": "conll2002/esp.testb"},
    "dutch": {
        "train": "conll2002/ned.train", "dev": "conll2002/ned.testa", "test": "conll2002/ned.testb",
        "columns": {"word": 0, "tag": 2},
    },
    "chunks": {"train": "conll2000/train.txt", "test": "conll2000/test.txt", "holdout": 0.1},
}  # fmt: skip
_VECTORS = {"english": GLOVE, "chunks": GLOVE, "spanish": "vectors/es.vec.gz", "dutch": "vectors/nl.vec.gz"}


@dataclass(frozen=True)
class Row:
    """One plan, trained by some seeds."""

    name: str
    tasks: Sequence[str]  # corpora
    vectors: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the plan's [training], or its size
    goal: Mapping[str, float] = field(default_factory=dict)
    others: str = ""

    def plan(self) -> dict[str, Any]:
        """The tables of the plan: all tasks share characters."""
        training = {"recipe": "best", "threads": 1, **{k: v for k, v in self.settings.items() if k != "size"}}
        return {
            "chars": {"shared": {}},
            "words": {task: self._words(task) for task in self.tasks},
            "tasks": {task: {"chars": "shared", "words": task, **files_of(task)} for task in self.tasks},
            "training": training,
            **({"size": self.settings["size"]} if "size" in self.settings else {}),
        }

    def _words(self, task: str) -> dict[str, Any]:
        return {"vectors": _VECTORS[task]} if self.vectors and task in _VECTORS else {}


def files_of(task: str) -> dict[str, Any]:
    """The files of a corpus and its columns, as a task of a plan has them."""
    if task in AFRICAN:
        return {split: f"masakhaner/{task}/{split}.txt" for split in ("train", "dev", "test")}
    return dict(_FILES[task])


_ENGLISH = "IntNet 91.64, NCRF++ 91.35, LM-LSTM-CRF 91.24, Ma and Hovy 91.21"
ROWS = {row.name: row for row in (
    Row("english", ["english"], goal={"english": 91.6}, others=_ENGLISH),
    Row("english small", ["english"], settings={"size": "small"}, goal={"english": 91.1}, others=_ENGLISH),
    Row("english paper", ["english"], settings={"size": "paper"}, others=_ENGLISH),
    Row(
        "english in a minute", ["english"],
        settings={
            "size": "small", "batch_sentences": 32, "learning_rate": 0.004, "epochs": 6, "threads": 2,
        }, goal={"english": 90.8},
    ),
    Row(
        "english, labels alone", ["english"], vectors=False, goal={"english": 87.0},
        others="CRFsuite 82.80, Ma and Hovy 80.76",
    ),
    Row("chunks", ["chunks"], goal={"chunks": 95.1}, others="NCRF++ 95.06, paper 94.66"),
    Row("spanish", ["spanish"], goal={"spanish": 85.8}, others="Lample 85.75, paper 84.69"),
    Row("dutch", ["dutch"], goal={"dutch": 85.5}, others="paper 85.00"),
    Row(
        "english, dutch, spanish", ["english", "dutch", "spanish"], goal={"spanish": 86.0, "dutch": 85.8},
        others="paper 85.77 Spanish, 85.19 Dutch",
    ),
    *(
        Row(f"masakhaner {code}", [code], vectors=False, others=f"its authors {f1:.2f}")
        for code, f1 in AFRICAN.items()
    ),
    Row("masakhaner, ten languages", list(AFRICAN), vectors=False),
)}  # fmt: skip
