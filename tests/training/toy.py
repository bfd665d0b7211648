"""Toy corpora and plans: a language of a few words whose tags a tiny network learns in seconds."""

import random
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from polytag.corpus.sentence import Sentence
from polytag.plan import Plan
from polytag.plan_file import make_plan as make_plan

NAMES = {"PER": ("anna", "bob", "carla smith", "dan"), "LOC": ("lima", "new york", "oslo")}
PLAIN = ("sees", "the", "a", "in", "goes", "and")

CHARS = {"dimension": 4, "hidden": 4, "layers": 1}
WORDS = {"dimension": 5, "hidden": 6, "layers": 1}
TRAINING = {"threads": 1, "batch_sentences": 4, "epochs": 2, "patience": 99}


def sentences(count: int, *, seed: int = 0, prefix: str = "") -> Iterator[Sentence]:
    """Sentences with spans under "ner" and parts of speech under "pos"; ``prefix`` begins each word of a language."""
    random_ = random.Random(f"{seed}{prefix}")
    for _ in range(count):
        words: list[str] = []
        ner: list[str] = []
        for _ in range(random_.randint(1, 5)):
            if random_.random() < 0.4:
                kind = random_.choice(sorted(NAMES))
                name = random_.choice(NAMES[kind]).split()
                words += [prefix + word.title() for word in name]
                ner += [f"B-{kind}", *[f"I-{kind}"] * (len(name) - 1)]
            else:
                words.append(prefix + random_.choice(PLAIN))
                ner.append("O")
        pos = tuple("WORD" if tag == "O" else "NAME" for tag in ner)
        yield Sentence(tuple(words), {"ner": tuple(ner), "pos": pos})


def write(path: Path, count: int, *, seed: int = 0, prefix: str = "") -> Path:
    """A CoNLL file with words, parts of speech and spans."""
    blocks = (
        "".join(f"{w} {p} {n}\n" for w, p, n in zip(s.words, s.tags["pos"], s.tags["ner"], strict=True))
        for s in sentences(count, seed=seed, prefix=prefix)
    )
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


def write_all(directory: Path) -> Path:
    """Files of two languages: 17 and 9 training sentences, so that neither is a whole number of batches of 4."""
    write(directory / "en.train", 17, seed=1)
    write(directory / "en.dev", 9, seed=2)
    write(directory / "en.test", 8, seed=3)
    write(directory / "xx.train", 9, seed=4, prefix="x")
    write(directory / "xx.dev", 6, seed=5, prefix="x")
    return directory


def write_vectors(directory: Path) -> Path:
    """Vectors of the words of one language, and of others."""
    draw = random.Random(3)
    known = [word for names in NAMES.values() for name in names for word in name.split()]
    others = [f"{first}{second}q" for first in "abcde" for second in "vwxyz"]
    rows = [
        f"{word} {' '.join(f'{draw.gauss(0, 1):.3f}' for _ in range(WORDS['dimension']))}\n"
        for word in (*known, *PLAIN, *others)
    ]
    path = directory / "vectors"
    path.write_text("".join(rows), encoding="utf-8")
    return path


TASKS: Mapping[str, Mapping[str, Any]] = {
    "ner": {
        "chars": "all", "words": "en", "train": "en.train", "dev": "en.dev", "test": "en.test", "columns": {"tag": 2},
    },
    "pos": {
        "chars": "all", "words": "en", "train": "en.train", "dev": "en.dev", "columns": {"tag": 1},
    },
    "xx": {
        "chars": "all", "words": "xx", "train": "xx.train", "dev": "xx.dev", "columns": {"tag": 2},
    },
}  # fmt: skip


def tables(*tasks: str, search: Path | None = None, features: bool = False, **training: Any) -> dict[str, Any]:
    """A plan's tables for some of the tasks, with the parts that they name; all tag parts with ``features`` or none."""
    chosen = {task: deepcopy(dict(TASKS[task])) for task in tasks}
    words = dict.fromkeys(settings["words"] for settings in chosen.values())
    return {
        "chars": {"all": dict(CHARS)},
        "words": {name: dict(WORDS) for name in words},
        **({"tags": {task: {"features": True} for task in chosen}} if features else {}),
        "tasks": chosen,
        "training": TRAINING | training,
        "initialisation": {"chars": 0.01},
        **({"search": [str(search)]} if search else {}),
    }


def plan(directory: Path, *tasks: str, **training: Any) -> Plan:
    """The same as a checked plan whose files lie in ``directory``."""
    return make_plan(tables(*tasks, search=directory, **training))
