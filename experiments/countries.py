"""Figure 3: the character GRU's vectors of country names in English and Spanish, and the statement behind it.

The paper shows a t-SNE picture and says that "all corresponding pairs are nearest neighbors in the original space".
Here each name's nearest neighbour is looked up among all names of the other language, and, as a harder question,
among all names of both; by Euclidean distance and by cosine.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.tables import markdown
from experiments.training import Place, Run, directory, is_trained
from polytag.corpus.sentence import Sentence
from polytag.files import atomic_write
from polytag.tagging import Tagger

FILE, NAMES = "neighbours.csv", "countries.csv"
MEASURED = {  # what is measured -> homes and tasks of the English and of the Spanish vectors
    "jointly: English, Dutch, Spanish": (("joint/cross-lingual", "en-ner"), ("joint/cross-lingual", "es-ner")),
    "jointly: English, Spanish": (("table8/es-1-with-en", "en-ner"), ("table8/es-1-with-en", "es-ner")),
    "separately": (("table2/ours", "en-ner"), ("table5/ours", "es-ner")),
    "the English network for both": (("table2/ours", "en-ner"), ("table2/ours", "en-ner")),
    "the Spanish network for both": (("table5/ours", "es-ner"), ("table5/ours", "es-ner")),
    "not trained: the letters' own similarity": (("", ""), ("", "")),
}
NOT_TRAINED = "not trained: the letters' own similarity"
COLUMNS = (
    "measured", "pairs", "euclidean_other", "cosine_other", "euclidean_both", "cosine_both", "changed_names",
    "euclidean_other_changed",
)  # fmt: skip

Vectors = NDArray[np.float32]


def pairs(folder: Path) -> list[tuple[str, str]]:
    """Country names, English and Spanish."""
    with (folder / NAMES).open(encoding="utf-8", newline="") as file:
        return [(line["english"], line["spanish"]) for line in csv.DictReader(file)]


def character_vectors(tagger: Tagger, task: str, names: Sequence[str]) -> Vectors:
    """What the character GRU gives of each name, [names, 160]: one word each."""
    part = tagger.network.chars[str(tagger.plan.tasks[task].chars)]
    encoder = tagger.new_encoder(task)
    batch = encoder.batch([encoder.forms(Sentence((name,)).words) for name in names])
    with torch.inference_mode():
        rows = batch.packing.unpack(part(batch.characters).numpy())
    return np.concatenate(rows).astype(np.float32)


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


def measure(folder: Path, place: Place) -> dict[str, tuple[Vectors, Vectors]]:
    """Write neighbours.csv for the models that are there and return their vectors."""
    names = pairs(folder)
    known = {line["measured"]: line for line in _read(folder / FILE)}
    vectors = {name: found for name in MEASURED if (found := _vectors(name, names, place)) is not None}
    changed = np.array([english != spanish for english, spanish in names] * 2)
    for name, (english, spanish) in vectors.items():
        known[name] = _line(name, english, spanish, changed)
    if known:
        with atomic_write(folder / FILE) as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(known[name] for name in MEASURED if name in known)
    return vectors


def table(folder: Path) -> str:
    """neighbours.csv in Markdown; lines that could not be measured are empty."""
    known = {line["measured"]: line for line in _read(folder / FILE)}
    head = [
        "character GRU trained", "names", "nearest in the other language: Euclidean", "cosine",
        "nearest among all names: Euclidean", "cosine", "only names that differ: Euclidean",
    ]  # fmt: skip
    return markdown(head, ([name, *_cells(known.get(name))] for name in MEASURED))


def _cells(line: Mapping[str, str] | None) -> list[str]:
    if line is None:
        return [""] * 6
    total = 2 * int(line["pairs"])
    shares = [_share(int(line[key]), total) for key in COLUMNS[2:6]]
    return [str(total), *shares, _share(int(line["euclidean_other_changed"]), int(line["changed_names"]))]


def _share(hits: int, total: int) -> str:
    return f"{hits} of {total} ({hits / max(1, total):.0%})"


def _line(name: str, english: Vectors, spanish: Vectors, changed: NDArray[np.bool_]) -> dict[str, str]:
    def hits(*, cosine: bool, both: bool) -> NDArray[np.bool_]:
        return neighbours(english, spanish, cosine=cosine, both=both)

    counted = [
        hits(cosine=False, both=False).sum(), hits(cosine=True, both=False).sum(),
        hits(cosine=False, both=True).sum(), hits(cosine=True, both=True).sum(),
        changed.sum(), (hits(cosine=False, both=False) & changed).sum(),
    ]  # fmt: skip
    return dict(zip(COLUMNS, [name, str(len(english)), *(str(int(value)) for value in counted)], strict=True))


def _vectors(name: str, names: Sequence[tuple[str, str]], place: Place) -> tuple[Vectors, Vectors] | None:
    english, spanish = ([pair[i] for pair in names] for i in (0, 1))
    if name == NOT_TRAINED:
        return _bags(english), _bags(spanish)
    found = []
    for (home, task), words in zip(MEASURED[name], (english, spanish), strict=True):
        run = Run(home, 1)
        if not is_trained(run, place):
            return None
        found.append(character_vectors(_load(directory(run, place), task), task, words))
    return found[0], found[1]


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
