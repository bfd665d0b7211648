"""CRFsuite on the labels of a row: the hand features of its users, and clusters as features. Needs python-crfsuite."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.raw.rows import Row
from benchmarks.raw.steps import Scores
from benchmarks.recipe.crfsuite import trained
from benchmarks.recipe.elsewhere import score
from polytag.plan_file import load_plan
from polytag.splits import split_sentences
from polytag.vocabulary.vocabularies import normaliser

AROUND = 2  # words before and after each whose clusters are its features
NORMALISE = normaliser(lowercase=True, zero_digits=True)


def run(row: Row, seed: int, data: Path, clusters: Mapping[str, str]) -> Scores:
    """Train on the sentences that the row's networks have; F1 on dev and test."""
    from crfsuite_ner import features

    of = {size: dict(_pairs(Path(path))) for size, path in clusters.items()}
    plan, task = load_plan(row.plan(seed, clusters, draw=seed), data=data), row.language

    def with_clusters(words: Sequence[str]) -> list[list[str]]:
        return [[*own, *_near(words, here, of)] for here, own in enumerate(features(words))]

    with trained(plan, task, with_clusters) as tag_all:
        return {split: score(task, list(split_sentences(plan, task, split)), tag_all) for split in ("dev", "test")}


def _near(words: Sequence[str], here: int, clusters: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The clusters of a word and of those around it."""
    for place in range(max(0, here - AROUND), min(len(words), here + AROUND + 1)):
        for size, of in clusters.items():
            if number := of.get(NORMALISE(words[place])):
                yield f"{place - here}:{size}={number}"


def _pairs(path: Path) -> Iterator[list[str]]:
    return (line.split(" ") for line in path.read_text(encoding="utf-8").splitlines())
