"""Taggers of a few weights, drawn at random and large enough that nothing is a tie; no files, no training."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from polytag.corpus.sentence import Sentence
from polytag.model import Model, shapes
from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.tagger.tagging import Tagger
from polytag.vocabulary.clusters import Clustering, Clusters, build_clusters
from polytag.vocabulary.features import FEWEST, build_features
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vocabularies import TagVocabulary, Vocabularies, build_chars, build_tags, build_words

WORDS = ["the", "a", "mayor", "of", "Lima", "Oslo", "saw", "Ann", "Lee", "and", "7", "1999", "hills", ";", "café"]
LABELS = {"plain": ["NOUN", "VERB", "DET"]}  # of all other schemes: spans of two types
SPANS = ["B-PER", "O", "B-LOC"]


# Words as they are, as they are looked up, and in lower case; a cluster that no feature is of, and one of no set.
CLUSTERED = Clustering(
    ("Ann", "ann", "lima", "0000", "the", "ÅNGSTRÖM", "x0y", ";"),
    np.array([(1, 2), (2, 1), (2, 2), (1, 1), (3, 3), (1, 0), (0, 2), (0, 0)], np.uint16),
)


def clusters(part: str = "en") -> Clusters:
    """Of some words, in two sets."""
    return build_clusters(part, [CLUSTERED])


def texts(count: int, *, seed: int = 0, longest: int = 9, unknown: float = 0.2) -> list[Sentence]:
    """Random sentences, some words of which no training file holds."""
    source = random.Random(seed)

    def word() -> str:
        return f"x{source.randint(0, 99)}y" if source.random() < unknown else source.choice(WORDS)

    return [Sentence(tuple(word() for _ in range(source.randint(1, longest)))) for _ in range(count)]


def endless(words: Sequence[str] = WORDS) -> Iterator[Sentence]:
    """Sentences without end, each with a word that was never there before."""
    number = 0
    while True:
        number += 1
        yield Sentence((words[number % len(words)], f"w{number:x}q", "."))


def tag_vocabularies(
    plan: Plan,
    tasks: Mapping[str, str],
    *,
    scheme: str,
    labels: Iterable[str],
    gazetteer: Gazetteer | None,
    known: Iterable[Sentence],
    clusters: Iterable[Clusters] = (),
) -> dict[str, TagVocabulary]:
    """The tags of each task; where its part has features, those of the ``known`` sentences and clusters 1 and 2."""
    numbers = (f"{name}={number}" for each in clusters for name in each.names for number in (1, 2))
    features = build_features([sentence.words for sentence in known] * FEWEST, dict.fromkeys(numbers, FEWEST))
    return {
        task: build_tags(
            [LABELS.get(data, labels)], scheme="plain" if data == "plain" else scheme, gazetteer=gazetteer,
            features=features if plan.tags[task].features else None,
        )
        for task, data in tasks.items()
    }  # fmt: skip


def model(
    tasks: Mapping[str, str] = {"ner": "iob2"},
    *,
    languages: Mapping[str, str] = {},
    scheme: str = "bioes",
    seed: int = 0,
    gazetteer: Gazetteer | None = None,
    labels: Iterable[str] = SPANS,
    temperatures: Mapping[str, float] = {},
    recurrent: Mapping[str, Any] = {},
    **tags: Any,
) -> Model:
    """A model for tasks, each with the scheme of its data.

    ``languages`` names another word part than "en"; ``recurrent`` is of all parts that have layers.
    """
    words_of = {task: languages.get(task, "en") for task in tasks}
    plan = make_plan({
        "chars": {"all": {"dimension": 3, "hidden": 3, "layers": 1, **recurrent}},
        "words": {
            name: {"dimension": 4, "hidden": 4, "layers": 2, **recurrent} for name in dict.fromkeys(words_of.values())
        },
        "tags": {task: {"scheme": scheme, **tags} for task in tasks},
        "tasks": {
            task: {"chars": "all", "words": words_of[task], "train": "-", "scheme": data}
            for task, data in tasks.items()
        },
    })  # fmt: skip
    known = [Sentence(tuple(WORDS))]
    vocabularies = Vocabularies(
        chars={"all": build_chars(known)},
        words={name: build_words(known) for name in plan.words},
        tags=tag_vocabularies(plan, tasks, scheme=scheme, labels=labels, gazetteer=gazetteer, known=known),
    )
    return drawn(plan, vocabularies, seed=seed, temperatures=temperatures)


def drawn(plan: Plan, vocabularies: Vocabularies, *, seed: int = 0, temperatures: Mapping[str, float] = {}) -> Model:
    """A model of random weights."""
    source = np.random.default_rng(seed)
    arrays = {
        name: source.standard_normal(shape, dtype=np.float32) for name, shape in shapes(plan, vocabularies).items()
    }
    for name, array in arrays.items():
        kind, part, *_, last = name.split(".")
        if kind == "tags" and plan.tags[part].output == "softmax" and last in ("transitions", "start"):
            array.fill(0)
    return Model(plan, vocabularies, arrays, temperatures)


def tagger(tasks: Mapping[str, str] = {"ner": "iob2"}, **settings: Any) -> Tagger:
    """A tagger for tasks; ``settings`` as `model` takes them."""
    return Tagger(model(tasks, **settings))
