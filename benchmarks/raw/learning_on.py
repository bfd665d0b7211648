"""A model of persons and places learns organisations from 300 sentences that mark nothing else."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.raw.steps import Scores, Steps
from benchmarks.recipe.rows import GLOVE
from polytag.corpus import read
from polytag.corpus.schemes import convert_tags
from polytag.files import atomic_write
from polytag.scoring import Counts, counts_for
from polytag.tagger.tagging import Tagger
from polytag.training import train

OLD, NEW = ("PER", "LOC"), ("ORG",)
SENTENCES = 300
_SPLITS = {"train": "eng.train", "dev": "eng.testa", "test": "eng.testb"}
_NER = {"chars": "latin", "words": "english", "tags": "ner", "columns": {"word": 0, "tag": 1}}
PARTS = ["chars.latin", "words.english"]  # all but the tags
ANEW = ("old model", "trained on all", "both files from scratch")
REHEARSED = ("organisations, old sentences rehearsed", "the same, whole epochs", "the same, whole epochs, tags anew")
ORGANISATIONS = (*ANEW, *REHEARSED, "organisations alone, frozen")


def learn_on(name: str, seed: int, steps: Steps) -> Scores:
    """Train a row and score the old types and the new one; from the old model of the same seed, which is made first."""
    folder = steps.work / f"organisations.{seed}"
    with steps.alone(folder.name):
        if not (folder / "whole.test").exists():
            folder.mkdir(exist_ok=True)
            _write(steps.data / "conll2003", folder, seed)
    model = _model(name, seed, steps, folder)
    counts = _counts(Tagger.load(model), next(iter(_tasks(name, folder))), folder / "whole.test")
    return {f"test {'+'.join(types)}": _f1(counts, types) for types in (OLD, NEW)}


def _model(name: str, seed: int, steps: Steps, folder: Path) -> Path:
    path = folder / name.replace(" ", "-").replace(",", "")
    with steps.alone(f"{folder.name}.{path.name}"):
        if not (path / "report.json").exists():
            plan = _plan(name, folder, seed)
            if name not in ANEW:
                plan["initialisation"]["from"] = str(_model(ORGANISATIONS[0], seed, steps, folder))
            if "tags anew" in name:
                plan["initialisation"]["parts"] = PARTS
            train(plan, output=path, data=steps.data, resume=path.exists())
    return path


def _plan(name: str, folder: Path, seed: int) -> dict[str, Any]:
    tasks, start = _tasks(name, folder), dict[str, Any]()
    training = {"recipe": "best", "threads": 1, "seed": seed}
    if name in REHEARSED[1:]:
        training["epochs"] = 4
    elif name not in ANEW:
        training["epochs"] = 16
        if len(tasks) > 1:
            training["epoch_of"] = "smallest"
    if "frozen" in name:
        start["freeze"] = PARTS
    return {
        "size": "small", "chars": {"latin": {}}, "words": {"english": {"vectors": GLOVE}},
        "tags": {"ner": {}}, "tasks": tasks, "training": training, "initialisation": start,
    }  # fmt: skip


def _tasks(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    """The tasks of a row, by what their files are called."""

    def task(files: str, marks: Iterable[str] | None) -> dict[str, Any]:
        paths = {split: str(folder / f"{files}.{split}") for split in ("train", "dev")}
        return {**_NER, **paths, **({"marks": list(marks)} if marks else {})}

    old, new, whole = {"old": task("old", OLD)}, {"new": task("new", NEW)}, {"whole": task("whole", None)}
    of = {"old model": old, "trained on all": whole, "organisations alone, frozen": new}
    return of.get(name, old | new)


def _counts(tagger: Tagger, task: str, file: Path) -> Counts:
    """Every task of a model tags with all types that it knows, whatever its own files mark."""
    counts, sentences = counts_for(False), list(read(file, tags={task: 1}))
    for gold, found in zip(sentences, tagger.tag_all(sentences, tasks=[task]), strict=True):
        counts.add(convert_tags(gold.tags[task], "iob2"), convert_tags(found.tags[task], "iob2"))
    return counts


def _f1(counts: Counts, types: Iterable[str]) -> float:
    """Of the spans of some types, in percent."""
    tallies = [counts.types[type_] for type_ in types]
    both = sum(tally.predicted + tally.gold for tally in tallies)
    return 200 * sum(tally.correct for tally in tallies) / both if both else 0.0


def _write(source: Path, folder: Path, seed: int) -> None:
    """The files: new.train has the sentences that old.train has not; the others mark fewer types of the same ones."""
    for split, name in _SPLITS.items():
        blocks = [block for block in (source / name).read_text(encoding="utf-8").split("\n\n") if _is_sentence(block)]
        drawn = set(random.Random(seed).sample(range(len(blocks)), SENTENCES)) if split == "train" else set()
        old = [block for number, block in enumerate(blocks) if number not in drawn]
        new = [blocks[number] for number in sorted(drawn)] or blocks
        for files, chosen, types in (("old", old, OLD), ("new", new, NEW), ("whole", blocks, OLD + NEW)):
            with atomic_write(folder / f"{files}.{split}") as file:
                file.writelines(_marked(block, types) for block in chosen)


def _is_sentence(block: str) -> bool:
    return bool(block.strip()) and "-DOCSTART-" not in block


def _marked(block: str, types: Iterable[str]) -> str:
    rows = (line.split() for line in block.strip().split("\n"))
    return "".join(f"{row[0]} {row[3] if row[3][2:] in types else 'O'}\n" for row in rows) + "\n"
