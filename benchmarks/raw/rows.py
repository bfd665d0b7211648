"""The rows: which labels, and what of raw text is used beside them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.recipe.rows import AFRICAN, GLOVE, files_of

LANGUAGES = ("english", "spanish", "dutch")
SENTENCES = {"english": 14_041, "spanish": 8_323, "dutch": 15_806}  # of the training files
RAW = {
    "english": "raw/en.txt.xz", "spanish": "raw/es.txt.xz", "dutch": "raw/nl.txt.xz",
    "amh": "raw/am.txt.xz", "hau": "raw/ha.txt.xz", "ibo": "raw/ig.txt.xz", "kin": "raw/rw.txt.xz",
    "lug": "raw/lg.txt.xz", "pcm": "raw/pcm.txt.xz", "swa": "raw/sw.txt.xz", "wol": "raw/wo.txt.xz",
    "yor": "raw/yo.txt.xz",
}  # fmt: skip
METHODS = ("ppmi", "word2vec", "fasttext")  # of vectors; the latter two are made by gensim, see `gensim_vectors.py`
OF_AFRICAN = ("labels", "vectors + clusters", "everything")
OF_CLUSTERS = ("50", "300", "1500")


@dataclass(frozen=True)
class Row:
    """A training on some labels, and what is made of raw text before it."""

    name: str
    language: str
    sentences: int | None = None  # labelled ones, drawn anew for each seed; None for all
    vectors: str = ""  # a method, or a file of the data
    clusters: bool = False
    teachers: int = 0  # models whose tags of raw text are learnt from
    teacher_size: str = ""  # that of the row unless given
    is_consistent: bool = False  # how they tag names
    size: str = "small"
    rate: float | None = None  # of learning, where it is not the recipe's
    is_augmented: bool = False  # with replaced mentions and other cases, as `polytag init` writes a plan
    crf: bool = False  # CRFsuite, with clusters as features where they are wanted

    @property
    def teacher(self) -> "Row":
        """The row that makes the teachers."""
        return replace(self, teachers=0, size=self.teacher_size or self.size, teacher_size="", is_consistent=False)

    @property
    def key(self) -> str:
        """What is trained, as the name of a directory: rows that train the same share it."""
        raw = f"{Path(self.vectors).name.partition('.')[0]}{'-clusters' if self.clusters else ''}" or "labels"
        taught = f"-of-{self.teachers}-{self.teacher_size or self.size}" if self.teachers else ""
        more = f"{f'-{self.rate}' if self.rate else ''}{'-augmented' if self.is_augmented else ''}"
        taught += "-consistent" if self.is_consistent else ""
        return f"{self.language}-{self.sentences or 'all'}-{raw}-{self.size}{taught}{more}"

    def plan(self, seed: int, made: Mapping[str, str], *, draw: int) -> dict[str, Any]:
        """The tables of the plan; ``made`` has the files that steps made, by what they are."""
        rate = self.sentences / SENTENCES[self.language] if self.sentences else 1.0
        task = {"chars": "shared", "words": self.language, **files_of(self.language), "rate": rate}
        task |= {"mention_replacement": 0.3, "case_augmentation": 0.1} if self.is_augmented else {}
        learning = {"learning_rate": self.rate} if self.rate else {}
        return {
            "size": self.size,
            "chars": {"shared": {}},
            "words": {self.language: self._words(made)},
            "tasks": {self.language: {**task, "rate_seed": 12 + draw}},
            "training": {"recipe": "best", "threads": 1, "seed": seed, **learning},
        }

    def _words(self, made: Mapping[str, str]) -> dict[str, Any]:
        if not self.vectors:
            return {"clusters": [made[size] for size in OF_CLUSTERS]} if self.clusters else {}
        words = {"vectors": made.get("vectors", self.vectors)}
        return words if self.clusters else {**words, "clusters": "none"}


def _of_labels(language: str, sentences: int | None) -> Iterator[Row]:
    """Each thing alone, and all together."""
    name = f"{language} {sentences or 'all'}"
    labels = Row(f"{name} labels", language, sentences)
    together = replace(labels, name=f"{name} vectors + clusters", vectors="ppmi", clusters=True)
    yield labels
    yield replace(labels, name=f"{name} labels, rate 0.006", rate=0.006)
    yield replace(labels, name=f"{name} labels, as init", rate=0.006, is_augmented=True)
    yield replace(labels, name=f"{name} vectors", vectors="ppmi")
    yield replace(labels, name=f"{name} vectors, rate 0.006", vectors="ppmi", rate=0.006)
    yield replace(labels, name=f"{name} clusters", clusters=True)
    yield together
    yield replace(labels, name=f"{name} distilled", teachers=1)
    yield replace(labels, name=f"{name} three distilled", teachers=3)
    yield (everything := replace(together, name=f"{name} everything", teachers=1))
    yield (consistent := replace(everything, name=f"{name} everything, consistent teachers", is_consistent=True))
    yield replace(consistent, name=f"{name} everything, as init", rate=0.006, is_augmented=True)
    yield replace(together, name=f"{name} everything, three teachers", teachers=3)
    yield replace(labels, name=f"{name} crfsuite", crf=True)
    yield replace(labels, name=f"{name} crfsuite + clusters", crf=True, clusters=True)


def _of_african(code: str) -> Iterator[Row]:
    labels = Row(f"masakhaner {code} {OF_AFRICAN[0]}", code, size="medium")
    yield labels
    yield (raw := replace(labels, name=f"masakhaner {code} {OF_AFRICAN[1]}", vectors="ppmi", clusters=True))
    yield replace(raw, name=f"masakhaner {code} {OF_AFRICAN[2]}", teachers=1)


def _of_large() -> Iterator[Row]:
    small = Row("english small", "english", vectors=GLOVE, clusters=True)
    yield small
    for size, teachers in product(("medium", "paper"), (0, 1, 3)):
        if teachers:
            name = f"english small of {teachers} {size}"
            yield replace(small, name=name, teachers=teachers, teacher_size=size)
        else:
            yield replace(small, name=f"english {size}", size=size)


def _of_methods() -> Iterator[Row]:
    for sentences in (300, 1000):
        for method in METHODS:
            name = f"english {sentences} by {method}"
            yield Row(name, "english", sentences, vectors=method, clusters=True)


ROWS = {
    row.name: row
    for rows in (
        *(_of_labels(language, count) for language in LANGUAGES for count in (300, 1000, None)),
        *(_of_african(code) for code in AFRICAN if code in RAW),
        _of_large(),
        _of_methods(),
    )
    for row in rows
}
