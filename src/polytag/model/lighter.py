"""Models made lighter for shipping: words and features that matter little are left out, no directory is named."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from polytag.model.model import Model, Weights
from polytag.model.stored import rounded
from polytag.plan import Plan
from polytag.vocabulary.features import EDGE, FeatureVocabulary
from polytag.vocabulary.vocabularies import TagVocabulary, Vocabularies, WordVocabulary

Arrays = dict[str, Weights]


def lighter(model: Model, *, precision: str, vectors: int | None = None) -> Model:
    """The same model with words and features in alphabetical order, which takes less room, and without some of them.

    Args:
        model: as it was trained: its most frequent words come first.
        precision: that it will be stored in; features whose weights are nothing in it are left out.
        vectors: how many words to keep beside those of the training files; the others become unknown words. None keeps
            all of them.
    """
    arrays, given = dict(model.arrays), model.vocabularies
    words = {
        name: _fewer_words(vocabulary, vectors, arrays, f"words.{name}.embedding.weight")
        for name, vocabulary in given.words.items()
    }
    tags = {
        name: _fewer_features(vocabulary, precision, arrays, f"tags.{name}.features")
        for name, vocabulary in given.tags.items()
    }
    plan = without_directories(model.plan)
    return replace(model, plan=plan, vocabularies=Vocabularies(given.chars, words, tags), arrays=arrays)


def without_directories(plan: Plan) -> Plan:
    """The plan with no directory of this machine in it; files at absolute paths keep their names."""
    tasks = {name: task.with_names(lambda path, _: _name(path) or "") for name, task in plan.tasks.items()}
    words = {
        name: part.model_copy(update={"vectors": _name(part.vectors), "clusters": _names(part.clusters)})
        for name, part in plan.words.items()
    }
    tags = {name: part.model_copy(update={"gazetteer": _name(part.gazetteer)}) for name, part in plan.tags.items()}
    start = plan.initialisation.model_copy(update={"model": _name(plan.initialisation.model)})
    return plan.model_copy(update={"search": (), "tasks": tasks, "words": words, "tags": tags, "initialisation": start})


def _names(paths: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if paths is None else tuple(_name(path) or "" for path in paths)


def _name(path: str | None) -> str | None:
    return Path(path).name if path is not None and Path(path).is_absolute() else path


def _fewer_words(vocabulary: WordVocabulary, vectors: int | None, arrays: Arrays, name: str) -> WordVocabulary:
    words, trained = vocabulary.words, vocabulary.trained
    kept = len(words) if vectors is None else min(len(words), trained + vectors)
    # Those of the training files stay in front: that is how they are told from the others.
    order = [*sorted(range(trained), key=words.__getitem__), *sorted(range(trained, kept), key=words.__getitem__)]
    if name in arrays:
        arrays[name] = _rows(arrays[name], order, above=1)
    return replace(vocabulary, words=tuple(words[index] for index in order))


def _fewer_features(vocabulary: TagVocabulary, precision: str, arrays: Arrays, prefix: str) -> TagVocabulary:
    if vocabulary.features is None:
        return vocabulary
    kept = []
    for kind, names, above in (("own", vocabulary.features.own, 1), ("around", vocabulary.features.around, EDGE + 1)):
        name = f"{prefix}.{kind}.weight"
        weigh = np.any(rounded(name, arrays[name], precision), axis=1)[above:]
        order = sorted(np.flatnonzero(weigh).tolist(), key=names.__getitem__)
        arrays[name] = _rows(arrays[name], order, above=above)
        kept.append(tuple(names[index] for index in order))
    return replace(vocabulary, features=FeatureVocabulary(*kept))


def _rows(array: Weights, order: Sequence[int], *, above: int) -> Weights:
    """Rows in another order, below so many that stay where they are: those that stand for nothing in a vocabulary."""
    return array[[*range(above), *(index + above for index in order)]]
