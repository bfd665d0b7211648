"""A catalogue of two folders with the toy corpora: small enough to train in seconds."""

import sys
from pathlib import Path

import pytest

from experiments.catalogue import Catalogue
from experiments.training import Place
from tests.training import toy

PLAN = """\
[chars.all]
dimension = 4
hidden = 4
layers = 1

[words.en]
dimension = 5
hidden = 6
layers = 1
{vectors}
[tasks.ner]
chars = "all"
words = "en"
train = {train}
{dev}
test = "en.test"
columns = {{ tag = 2 }}

[training]
epochs = {epochs}
batch_sentences = 4
patience = 1000000
threads = 1
track_test = true
"""
DEV = 'dev = "en.dev"'
TABLE = """\
title = "Toy"

[[rows]]
name = "ours"
label = "ours"
task = "ner"
paper = 99.0

[[rows]]
name = "train-dev"
label = "train + dev"
task = "ner"
epochs_from = "toy/ours"

[[rows]]
name = "with-vectors"
label = "with vectors"
task = "ner"
against = "ours"
"""
QUOTING = """\
title = "Quoting"

[[rows]]
name = "quoted"
label = "quoted"
task = "ner"
paper = 50.0
run = "toy/ours"
"""
QUEUE = """\
[[stages]]
about = "first"
rows = ["toy/train-dev"]

[[stages]]
about = "causes"
rows = ["toy/ours"]
variants = ["margin-0"]
below = 1.0
"""
VARIANTS = """\
[margin-0]
about = "no margin"
set = ["training.margin=0.0"]

[wide]
about = "two layers everywhere"
set = ["words.*.layers=2", "chars.*.layers=2"]
"""


def plan_text(*, train: str = '"en.train"', dev: str = DEV, vectors: str = "", epochs: int = 2) -> str:
    """A toy plan file."""
    return PLAN.format(train=train, dev=dev, vectors=vectors, epochs=epochs)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Folders, data and runs of its own for each test."""
    data, root = tmp_path / "data", tmp_path / "experiments"
    (data / "vectors").mkdir(parents=True)
    toy.write_all(data)
    words = ["sees", "the", "a", "in", "goes", "and", "anna", "bob"]
    rows = "".join(f"{word} {' '.join(str(i * 0.1 - j) for j in range(5))}\n" for i, word in enumerate(words))
    (data / "vectors" / "en.vec.gz").write_text(f"{len(words)} 5\n{rows}")
    for folder, table in (("toy", TABLE), ("quoting", QUOTING)):
        (root / folder).mkdir(parents=True)
        (root / folder / "table.toml").write_text(table)
    (root / "toy" / "ours.toml").write_text(plan_text())
    (root / "toy" / "train-dev.toml").write_text(plan_text(train='["en.train", "en.dev"]', dev="", epochs=3))
    given = plan_text(vectors='vectors = "vectors/en.vec.gz"').replace("dimension = 5\n", "")
    (root / "toy" / "with-vectors.toml").write_text(given)
    (root / "queue.toml").write_text(QUEUE)
    (root / "variants.toml").write_text(VARIANTS)
    return Place(Catalogue(root), tmp_path / "runs", data)


@pytest.fixture
def quick_start(monkeypatch: pytest.MonkeyPatch, quick_python: str) -> None:
    """Trainings start at once, with the code of these tests whatever their PYTHONPATH says."""
    monkeypatch.setattr(sys, "executable", quick_python)
