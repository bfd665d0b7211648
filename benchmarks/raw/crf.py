"""CRFsuite on the labels of a row: the hand features of its users, and clusters as features. Needs python-crfsuite."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.raw.rows import Row
from benchmarks.raw.steps import Scores
from polytag.corpus.schemes import convert_tags
from polytag.plan_file import load_plan
from polytag.scoring import counts_for
from polytag.splits import split_sentences

sys.path.append(str(Path(__file__).parents[1] / "peers" / "contenders"))

Words = Sequence[str]


def run(row: Row, seed: int, data: Path, clusters: Mapping[str, str], model: Path) -> Scores:
    """Train on the sentences that the row's networks have; F1 on dev and test."""
    import pycrfsuite

    plan, task = load_plan(row.plan(seed, clusters, draw=seed), data=data), row.language
    of = {size: _read(Path(path)) for size, path in clusters.items()}
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    for sentence in split_sentences(plan, task, "train"):
        trainer.append(_features(sentence.words, of), convert_tags(sentence.tags[task], "iob2"))
    trainer.set_params({"c1": 0.1, "c2": 0.01, "feature.possible_transitions": True, "max_iterations": 200})
    trainer.train(str(model))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(model))
    return {split: _score(tagger, plan, task, split, of) for split in ("dev", "test")}


def _features(words: Words, clusters: Mapping[str, Mapping[str, str]]) -> list[list[str]]:
    """Those of the peers' benchmark, and the clusters of each word and of the two before and after it."""
    from crfsuite_ner import features

    return [[*found, *_of_clusters(words, here, clusters)] for here, found in enumerate(features(words))]


def _of_clusters(words: Words, here: int, clusters: Mapping[str, Mapping[str, str]]) -> list[str]:
    places = [place for place in range(here - 2, here + 3) if 0 <= place < len(words)]
    return [
        f"{place - here}:{size}={number}"
        for place in places
        for size, of in clusters.items()
        if (number := of.get(_normalised(words[place])))
    ]


def _normalised(word: str) -> str:
    from polytag.vocabulary.vocabularies import normaliser

    return normaliser(lowercase=True, zero_digits=True)(word)


def _score(tagger: Any, plan: Any, task: str, split: str, clusters: Mapping[str, Mapping[str, str]]) -> float:
    counts = counts_for(False)
    for sentence in split_sentences(plan, task, split):
        counts.add(sentence.tags[task], tagger.tag(_features(sentence.words, clusters)))
    return counts.score


def _read(path: Path) -> dict[str, str]:
    return dict(line.split(" ") for line in path.read_text(encoding="utf-8").splitlines())
