"""The vocabularies of a plan's parts: of the files of the tasks that use them, of vectors, of a model to begin from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence
from polytag.errors import PlanError
from polytag.plan import Plan
from polytag.plan.task import SPLITS
from polytag.splits import Corpora
from polytag.training.beginning import Beginning
from polytag.training.clustering import clusters_of, clusters_told
from polytag.vocabulary.features import FeatureVocabulary, build_features
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.growing import grown_chars, grown_words
from polytag.vocabulary.vectors import Vectors
from polytag.vocabulary.vocabularies import (
    CharVocabulary,
    TagVocabulary,
    Vocabularies,
    WordVocabulary,
    build_chars,
    build_tags,
    build_words,
)


def build_vocabularies(
    plan: Plan, sentences: Corpora, vectors: Mapping[str, Vectors | None], beginning: Beginning, notes: list[str]
) -> Vocabularies:
    """Those of all parts; ``notes`` take what is in clusters, and what no training file has.

    Raises:
        PlanError: a file is missing, or tasks cannot share a part.
        ModelError: a part does not fit what it takes from another model.
        VectorsError: a gazetteer or a file of clusters cannot be read.
    """
    words = {name: _words(plan, name, sentences, vectors[name], beginning, notes) for name in plan.words}
    vocabularies = Vocabularies(
        chars={name: _chars(plan, name, sentences, beginning) for name in plan.chars},
        words=words,
        tags={name: _tags(plan, name, sentences, words, beginning, notes) for name in plan.tags},
    )
    notes += clusters_told(plan, words, sentences)
    notes += _lacking(plan, vocabularies, sentences)
    return vocabularies


def sentences_of_part(plan: Plan, kind: str, name: str, sentences: Corpora, splits: Sequence[str]) -> list[Sentence]:
    """Those of some splits of all tasks that use a part."""
    return [
        sentence for task in plan.users(kind, name) for split in splits for sentence in sentences[task].get(split, ())
    ]


def _new_to(
    plan: Plan, kind: str, name: str, sentences: Corpora, beginning: Beginning, splits: Sequence[str]
) -> list[Sentence]:
    """The sentences whose words a part gets to know: none where it stays as it was, or their weights would too."""
    return [] if _stays(plan, f"{kind}.{name}", beginning) else sentences_of_part(plan, kind, name, sentences, splits)


def _stays(plan: Plan, part: str, beginning: Beginning) -> bool:
    return part in beginning.taken and part in (plan.initialisation.freeze or ())


def _chars(plan: Plan, name: str, sentences: Corpora, beginning: Beginning) -> CharVocabulary:
    everything = any(plan.words[plan.tasks[t].words].vocabulary == "all" for t in plan.users("chars", name))
    seen = _new_to(plan, "chars", name, sentences, beginning, SPLITS if everything else ("train",))
    new, old = build_chars(seen, boundaries=plan.chars[name].boundaries), beginning.vocabulary(f"chars.{name}")
    return grown_chars(new, old) if old else new


def _words(
    plan: Plan, name: str, sentences: Corpora, vectors: Vectors | None, beginning: Beginning, notes: list[str]
) -> WordVocabulary:
    settings, old = plan.words[name], beginning.vocabulary(f"words.{name}")
    if settings.clusters and old and old.clusters:
        notes.append(f"words.{name}: its clusters are those of {beginning.path}, whose features know no others")
    other = ("dev", "test") if settings.vocabulary == "all" else ()
    new = build_words(
        _new_to(plan, "words", name, sentences, beginning, ("train",)),
        other=_new_to(plan, "words", name, sentences, beginning, other),
        vector_words=vectors.words if vectors else (),
        lowercase=settings.lowercase,
        zero_digits=settings.zero_digits,
        clusters=old.clusters if old and old.clusters else clusters_of(plan, name, vectors, notes),
    )
    return grown_words(new, old) if old else new


def _tags(
    plan: Plan,
    name: str,
    sentences: Corpora,
    words: Mapping[str, WordVocabulary],
    beginning: Beginning,
    notes: list[str],
) -> TagVocabulary:
    users = plan.users("tags", name)
    are_plain = {plan.tasks[task].scheme == "plain" for task in users}
    if len(are_plain) > 1:
        raise PlanError(
            f"tags.{name}: its tasks mix plain tags and spans ({', '.join(users)}), so they cannot share it"
        )
    gazetteer = plan.tags[name].gazetteer
    sequences = [s.tags[task] for task in users for s in sentences[task]["train"]]
    new = build_tags(
        sequences,
        scheme="plain" if are_plain == {True} else plan.tags[name].scheme,
        gazetteer=Gazetteer.load(plan.find(gazetteer, f"tags.{name}.gazetteer")) if gazetteer else None,
        features=_features(plan, name, sentences, words, beginning) if plan.tags[name].features else None,
    )
    return beginning.tags(plan, name, new, notes)


def _features(
    plan: Plan, name: str, sentences: Corpora, words: Mapping[str, WordVocabulary], beginning: Beginning
) -> FeatureVocabulary:
    """Of a tag part; those of clusters by way of each language that it tags."""
    if _stays(plan, f"tags.{name}", beginning):
        return build_features(())
    clusters: Counter[str] = Counter()
    for task in plan.users("tags", name):
        vocabulary = words[plan.tasks[task].words]
        counts = Counter(chain.from_iterable(s.words for s in sentences[task]["train"]) if vocabulary.clusters else ())
        for word, count in counts.items():
            clusters.update(dict.fromkeys(filter(None, vocabulary.cluster_features(word)), count))
    return build_features((s.words for s in sentences_of_part(plan, "tags", name, sentences, ("train",))), clusters)


def _lacking(plan: Plan, vocabularies: Vocabularies, sentences: Corpora) -> list[str]:
    """What dev and test files hold that no training file of the tag part does."""
    notes = []
    for task, settings in plan.tasks.items():
        vocabulary = vocabularies.tags[settings.tags]
        for split in ("dev", "test"):
            tags = [sentence.tags[task] for sentence in sentences[task].get(split, ())]
            names = chain.from_iterable(tags) if vocabulary.plain else (s.type for of in tags for s in spans(of))
            if lacking := vocabulary.lacking(counts := Counter(names)):
                notes.append(f"{task}: {split}: {lacking}")
            if tags and not counts:
                of = f" of {', '.join(settings.marks)}" if settings.marks else ""
                notes.append(f"{task}: {split}: no span{of}, so that its F1 says nothing")
    return notes
