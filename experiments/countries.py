"""Figure 3: the character GRU's vectors of country names in English and Spanish, and the statement behind it.

The paper shows a t-SNE picture and says that "all corresponding pairs are nearest neighbors in the original space".
Here each name's nearest neighbour is looked up among all names of the other language, and, as a harder question,
among all names of both; by Euclidean distance and by cosine.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.tables import markdown
from experiments.training import Place, Run, directory, trained_seeds
from polytag.files import atomic_write
from polytag.tagger.tagging import Tagger

FILE, NAMES = "neighbours.csv", "countries.csv"
MEASURED = {  # what is measured -> homes and tasks of the English and of the Spanish vectors
    "jointly: English, Dutch, Spanish": (("joint/cross-lingual", "en-ner"), ("joint/cross-lingual", "es-ner")),
    "jointly: English, Spanish": (("table8/es-1-with-en", "en-ner"), ("table8/es-1-with-en", "es-ner")),
    "separately": (("table2/ours", "en-ner"), ("table5/ours", "es-ner")),
    "the English network for both": (("table2/ours", "en-ner"), ("table2/ours", "en-ner")),
    "the Spanish network for both": (("table5/ours", "es-ner"), ("table5/ours", "es-ner")),
}
NOT_TRAINED = "not trained: the letters' own similarity"
COLUMNS = (
    "measured", "seed", "pairs", "euclidean_other", "cosine_other", "euclidean_both", "cosine_both", "changed_names",
    "euclidean_other_changed",
)  # fmt: skip

Vectors = NDArray[np.float32]
Key = tuple[str, str]  # what is measured, and with which seed


def pairs(folder: Path) -> list[tuple[str, str]]:
    """Country names, English and Spanish."""
    with (folder / NAMES).open(encoding="utf-8", newline="") as file:
        return [(line["english"], line["spanish"]) for line in csv.DictReader(file)]


def character_vectors(tagger: Tagger, task: str, names: Sequence[str]) -> Vectors:
    """What the character GRU gives of each name, [names, 160]: one word each."""
    return tagger.engine.language(task).inputs.character_vectors(names)


def neighbours(english: Vectors, spanish: Vectors, *, cosine: bool, both: bool) -> NDArray[np.bool_]:
    """Of each name, English ones first, whether its translation is its nearest neighbour; [2 * pairs].

    Among the names of the other language, or, with ``both``, among all other names.
    """
    n = len(english)
    everything = np.concatenate([english, spanish]).astype(np.float64)
    if cosine:
        everything /= np.maximum(np.linalg.norm(everything, axis=1, keepdims=True), 1e-12)
    distances = ((everything[:, None] - everything[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    if not both:
        distances[:n, :n] = distances[n:, n:] = np.inf
    translation = np.concatenate([np.arange(n) + n, np.arange(n)])
    found: NDArray[np.bool_] = distances.argmin(1) == translation
    return found


def measure(folder: Path, place: Place) -> dict[Key, tuple[Vectors, Vectors]]:
    """Write neighbours.csv for the models that are there and return their vectors."""
    names = pairs(folder)
    known = {(line["measured"], line["seed"]): line for line in _read(folder / FILE)}
    vectors = dict(_vectors(names, place))
    changed = np.array([english != spanish for english, spanish in names] * 2)
    for key, (english, spanish) in vectors.items():
        known[key] = _line(key, english, spanish, changed)
    order = [*MEASURED, NOT_TRAINED]
    with atomic_write(folder / FILE) as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(known[key] for key in sorted(known, key=lambda key: (order.index(key[0]), key[1])))
    return vectors


def table(folder: Path) -> str:
    """neighbours.csv in Markdown; lines that could not be measured are empty."""
    lines = list(_read(folder / FILE))
    head = [
        "character GRU trained", "seed", "names", "nearest in the other language: Euclidean", "cosine",
        "nearest among all names: Euclidean", "cosine", "only names that differ: Euclidean",
    ]  # fmt: skip
    body = []
    for name in (*MEASURED, NOT_TRAINED):
        of_name = [[name, *_cells(line)] for line in lines if line["measured"] == name]
        body += of_name or [[name, *[""] * 7]]
    return markdown(head, body)


def _cells(line: Mapping[str, str]) -> list[str]:
    total = 2 * int(line["pairs"])
    shares = [_share(int(line[key]), total) for key in COLUMNS[3:7]]
    of_changed = _share(int(line["euclidean_other_changed"]), int(line["changed_names"]))
    return [line["seed"], str(total), *shares, of_changed]


def _share(hits: int, total: int) -> str:
    return f"{hits} of {total} ({hits / max(1, total):.0%})"


def _line(key: Key, english: Vectors, spanish: Vectors, changed: NDArray[np.bool_]) -> dict[str, str]:
    def hits(*, cosine: bool, both: bool) -> NDArray[np.bool_]:
        return neighbours(english, spanish, cosine=cosine, both=both)

    counted = [
        hits(cosine=False, both=False).sum(), hits(cosine=True, both=False).sum(),
        hits(cosine=False, both=True).sum(), hits(cosine=True, both=True).sum(),
        changed.sum(), (hits(cosine=False, both=False) & changed).sum(),
    ]  # fmt: skip
    return dict(zip(COLUMNS, [*key, str(len(english)), *(str(int(value)) for value in counted)], strict=True))


def _vectors(names: Sequence[tuple[str, str]], place: Place) -> Iterator[tuple[Key, tuple[Vectors, Vectors]]]:
    english, spanish = ([pair[i] for pair in names] for i in (0, 1))
    for name, ((home, task), (other_home, other_task)) in MEASURED.items():
        for seed in sorted(trained_seeds(home, "", place) & trained_seeds(other_home, "", place)):
            yield (
                (name, str(seed)),
                (_of_model(home, seed, task, english, place), _of_model(other_home, seed, other_task, spanish, place)),
            )
    yield (NOT_TRAINED, ""), (_bags(english), _bags(spanish))


def _of_model(home: str, seed: int, task: str, names: Sequence[str], place: Place) -> Vectors:
    return character_vectors(_load(directory(Run(home, seed), place), task), task, names)


def _load(model: Path, task: str) -> Tagger:
    return Tagger.load(model, best_for=task if (model / f"best.{task}.safetensors").exists() else None)


def _bags(names: Sequence[str]) -> Vectors:
    """What letters alone say: counts of each character and pair of characters, hashed into 4,096 columns."""
    bags = np.zeros((len(names), 4096), dtype=np.float32)
    for row, name in enumerate(names):
        for gram in (*name, *(a + b for a, b in zip(f"^{name}", f"{name}$", strict=True))):
            bags[row, sum(ord(c) * 131**i for i, c in enumerate(gram)) % 4096] += 1
    return bags


def _read(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
