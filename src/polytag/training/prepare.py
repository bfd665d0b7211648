"""From a plan to all that training needs: sentences, vocabularies, fresh weights, notes on what was found."""

import hashlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from polytag.corpus.documents import files_of, format_of
from polytag.corpus.memory import sentences_of
from polytag.corpus.notes import Notes
from polytag.corpus.offsets import as_scored
from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence
from polytag.errors import PlanError
from polytag.model.checkpoint import WEIGHTS
from polytag.plan import Plan
from polytag.plan.defaults import recipes
from polytag.plan.task import SPLITS
from polytag.plan.values import AUTO, MEMORY
from polytag.splits import Corpora, given_splits, split_sentences
from polytag.training.beginning import Beginning, freeze
from polytag.training.chosen import Chosen
from polytag.training.clustering import clusters_of, clusters_told
from polytag.training.network import Network
from polytag.training.schemes import in_one_scheme, with_schemes
from polytag.training.unknown import annotated, refuse_unknown
from polytag.vocabulary.features import FeatureVocabulary, build_features
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.growing import grown_chars, grown_words
from polytag.vocabulary.vectors import Vectors, coverage, load_vectors
from polytag.vocabulary.vocabularies import (
    CharVocabulary,
    TagVocabulary,
    Vocabularies,
    WordVocabulary,
    build_chars,
    build_tags,
    build_words,
)


@dataclass
class Prepared:
    """A network with fresh weights, its vocabularies, and the sentences of each task and split."""

    plan: Plan
    vocabularies: Vocabularies
    network: Network
    sentences: Corpora
    notes: list[str] = field(default_factory=list)
    checksums: Mapping[str, str] = field(default_factory=dict)  # path as the plan has it -> blake2b
    chosen: Chosen | None = None  # by the first pass of a refit, whose second this is


def read_corpora(plan: Plan, corpora: Mapping[str, Mapping[str, Any]], notes: Notes) -> Corpora:
    """The sentences that a program gives, as `polytag.train` takes them, by the plan's names of tasks and splits.

    Raises:
        CorpusError: a sentence cannot be used; says which.
    """
    return {
        task: {
            split: sentences_of(
                corpora[task][name],
                task=task,
                place=f"corpora['{task}']['{name}']",
                column=plan.tasks[task].columns.tag,
                names=plan.tasks[task].columns.names or (),
                labels=plan.tasks[task].labels(),
                notes=notes,
            )
            for split, name in splits.items()
        }
        for task, splits in given_splits(corpora).items()
    }


def prepare(
    plan: Plan, corpora: Mapping[str, Mapping[str, Any]] | None = None, *, chosen: Chosen | None = None
) -> Prepared:
    """Read all files of a plan and draw fresh weights; ``corpora`` has what the plan says to come from memory.

    For a refit, with what its first pass has ``chosen``, all is as if the dev files were training files behind the
    others, and nothing held out.

    Raises:
        PlanError: a path is missing, or parts do not fit the data.
        CorpusError: an annotated file cannot be read; holds file and line.
        VectorsError: word vectors or a gazetteer cannot be read.
    """
    told, beginning = Notes(), Beginning.of(plan)
    memory = read_corpora(plan, corpora or {}, told)
    notes = list(map(str, told))
    sentences = {task: _read_task(plan, task, memory, notes, refit=chosen is not None) for task in plan.tasks}
    plan = with_schemes(plan, sentences, notes)
    vectors = {name: _load_vectors(plan, name, notes) for name in plan.words}
    plan = _with_dimensions(plan, vectors)
    beginning.check(plan)
    notes += [
        f"words.{name}: the vocabulary holds the words of the dev and test files too, as the authors' did"
        for name, settings in plan.words.items()
        if settings.vocabulary == "all"
    ]
    notes += [*_idle_margin(plan), *_idle_layers(plan)]
    words = {name: _words(plan, name, sentences, vectors[name], beginning, notes) for name in plan.words}
    vocabularies = Vocabularies(
        chars={name: _chars(plan, name, sentences, beginning) for name in plan.chars},
        words=words,
        tags={name: _tags(plan, name, sentences, words, beginning, notes) for name in plan.tags},
    )
    notes += clusters_told(plan, words, sentences)
    notes += _lacking(plan, vocabularies, sentences)
    network = Network(plan, vocabularies, torch.Generator().manual_seed(plan.training.seed))
    _set_rarity(network, plan, vocabularies, sentences)
    for name, loaded in vectors.items():
        if loaded is not None:
            filled = _fill_embedding(network, name, vocabularies.words[name], loaded, plan.words[name].vector_std)
            notes += _coverage_notes(plan, name, vocabularies.words[name], filled, sentences)
    notes += beginning.copy_into(network, vocabularies)
    freeze(network, plan.initialisation.freeze or ())
    return Prepared(plan, vocabularies, network, sentences, notes, _checksums(plan, memory), chosen)


def _read_task(plan: Plan, task: str, memory: Corpora, notes: list[str], *, refit: bool) -> dict[str, list[Sentence]]:
    if refit:
        plan = plan.model_copy(update={"tasks": {task: plan.tasks[task].model_copy(update={"holdout": 0.0})}})
    settings, said = plan.tasks[task], Notes()
    notes_of = {split: Notes() if split == "dev" and settings.holdout else said for split in SPLITS}  # each file once
    splits = {split: list(split_sentences(plan, task, split, notes=notes_of[split], memory=memory)) for split in SPLITS}
    if refit:
        splits["train"], splits["dev"] = splits["train"] + splits["dev"], []
    notes += [f"{task}: {note}" for note in said]
    splits["train"] = annotated(splits["train"], task, notes)
    for split in ("dev", "test"):
        refuse_unknown(splits[split], task)
        splits[split] = [as_scored(sentence, task) for sentence in splits[split]]
    counts = (
        f"{split} {len(part):,} sentences, {sum(map(len, part)):,} words" for split, part in splits.items() if part
    )
    notes.append(f"{task}: {'; '.join(counts)}")
    return in_one_scheme(task, settings.scheme, splits, notes)


def _idle_margin(plan: Plan) -> list[str]:
    """A margin that somebody chose, which is another than the recipe's, says nothing to a softmax."""
    margin, of_recipe = plan.training.margin, recipes()[plan.training.recipe]["training"]["margin"]
    return [
        f"tags.{name}: output 'softmax' has no margin, so training.margin = {margin:g} does nothing there"
        for name, tags in plan.tags.items()
        if tags.output == "softmax" and margin not in (0.0, of_recipe)
    ]


def _idle_layers(plan: Plan) -> list[str]:
    """Layers above those that tasks read learn nothing."""
    highest = {name: max(map(plan.layer_of, plan.users("words", name))) for name in plan.words}
    return [
        f"words.{name}: no task reads above layer {highest[name]} of {words.layers}, so what is above learns nothing"
        for name, words in plan.words.items()
        if highest[name] < words.layers
    ]


def _load_vectors(plan: Plan, name: str, notes: list[str]) -> Vectors | None:
    settings = plan.words[name]
    if settings.vectors is None:
        return None
    key = f"words.{name}.vectors"
    told = Notes()
    loaded = load_vectors(plan.find(settings.vectors, key), notes=told)
    if "dimension" in settings.model_fields_set and settings.dimension != loaded.dimension:
        raise PlanError(
            f"words.{name}.dimension is {settings.dimension}, but {settings.vectors} has {loaded.dimension} dimensions"
        )
    if settings.vector_std is not None and not loaded.std:
        raise PlanError(
            f"{key}: all values of {settings.vectors} are alike, expected some that words.{name}.vector_std can spread"
        )
    notes.append(
        f"words.{name}: {len(loaded.words):,} vectors of {loaded.dimension} dimensions from {settings.vectors} "
        f"({loaded.format}, standard deviation {loaded.std:.3f})"
    )
    notes += [f"words.{name}: {note}" for note in told]
    return loaded


def _with_dimensions(plan: Plan, vectors: Mapping[str, Vectors | None]) -> Plan:
    words = {
        name: settings
        if (loaded := vectors[name]) is None
        else settings.model_copy(update={"dimension": loaded.dimension})
        for name, settings in plan.words.items()
    }
    return plan.model_copy(update={"words": words})


def _of_users(plan: Plan, kind: str, name: str, sentences: Corpora, splits: Sequence[str]) -> list[Sentence]:
    return [
        sentence for task in plan.users(kind, name) for split in splits for sentence in sentences[task].get(split, ())
    ]


def _new_to(
    plan: Plan, kind: str, name: str, sentences: Corpora, beginning: Beginning, splits: Sequence[str]
) -> list[Sentence]:
    """The sentences whose words a part gets to know: none where it stays as it was, or their weights would too."""
    return [] if _stays(plan, f"{kind}.{name}", beginning) else _of_users(plan, kind, name, sentences, splits)


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
    return build_features((s.words for s in _of_users(plan, "tags", name, sentences, ("train",))), clusters)


def _lacking(plan: Plan, vocabularies: Vocabularies, sentences: Corpora) -> list[str]:
    """What dev and test files hold that no training file of the tag part does."""
    notes = []
    for task, settings in plan.tasks.items():
        vocabulary = vocabularies.tags[settings.tags]
        for split in ("dev", "test"):
            tags = [sentence.tags[task] for sentence in sentences[task].get(split, ())]
            names = chain.from_iterable(tags) if vocabulary.plain else (s.type for of in tags for s in spans(of))
            if lacking := vocabulary.lacking(Counter(names)):
                notes.append(f"{task}: {split}: {lacking}")
    return notes


def _set_rarity(network: Network, plan: Plan, vocabularies: Vocabularies, sentences: Corpora) -> None:
    """Tell word parts with ``unknown`` how likely each of their words is read as unknown."""
    for name, settings in plan.words.items():
        if settings.unknown:
            index, rarity = vocabularies.words[name].index, torch.zeros(len(vocabularies.words[name]))
            words = (s.words for s in _of_users(plan, "words", name, sentences, ("train",)))
            for word, count in Counter(map(index, chain.from_iterable(words))).items():
                rarity[word] = settings.unknown / (settings.unknown + count)
            network.words[name].rarity = rarity


def _fill_embedding(
    network: Network, name: str, vocabulary: WordVocabulary, vectors: Vectors, std: float | None
) -> Container[int]:
    """Give each word its vector, or that of its lower case; the indices of the words that have one."""
    rows: dict[int, int] = {}
    for row, word in enumerate(vectors.words):
        rows.setdefault(vocabulary.index(word), row)  # where several normalise to one word, the first: most frequent
    for index, word in enumerate(vocabulary.words, start=1):
        if index not in rows and (lower := vocabulary.index(word.lower())) in rows:
            rows[index] = rows[lower]
    scale = 1.0 if std is None else std / vectors.std
    weight = network.get_parameter(f"words.{name}.embedding.weight")
    with torch.no_grad():
        weight[list(rows)] = torch.from_numpy(vectors.matrix[list(rows.values())]) * scale
    return rows.keys()


def _coverage_notes(
    plan: Plan,
    name: str,
    vocabulary: WordVocabulary,
    filled: Container[int],
    sentences: Corpora,
) -> list[str]:
    notes = []
    for task in plan.users("words", name):
        for split, part in sentences[task].items():
            if part:
                counts = Counter(vocabulary.normalise(word) for sentence in part for word in sentence.words)
                has_vector = {form for form in counts if vocabulary.index(form) in filled}
                notes.append(f"{task}: {split}: words with a vector: {coverage(counts, has_vector)}")
    return notes


def _checksums(plan: Plan, memory: Corpora) -> dict[str, str]:
    paths: dict[str, list[Path]] = {}
    for task, settings in plan.tasks.items():
        for split in SPLITS:
            for entry in settings.files(split):
                if entry.file == MEMORY:
                    continue
                found = str(plan.find(entry.file, f"tasks.{task}.{split}"))
                paths[entry.file] = files_of(found, format_of(found, entry.format or "auto"))
    for name, words in plan.words.items():
        if words.vectors:
            file = plan.find(words.vectors, f"words.{name}.vectors")
            paths[words.vectors] = sorted(file.iterdir()) if file.is_dir() else [file]
        for path in words.clusters or ():
            if path != AUTO:
                paths[path] = [plan.find(path, f"words.{name}.clusters")]
    if plan.initialisation.model is not None:
        model = plan.find(plan.initialisation.model, "initialisation.from")
        paths[plan.initialisation.model] = [model / WEIGHTS if model.is_dir() else model]
    for name, tags in plan.tags.items():
        if tags.gazetteer:
            paths[tags.gazetteer] = [plan.find(tags.gazetteer, f"tags.{name}.gazetteer")]
    digests = {path: _digest(_content(files)) for path, files in paths.items()}
    for task, splits in memory.items():
        for split, sentences in splits.items():
            digests[f"{MEMORY}.{task}.{split}"] = _digest(f"{s.words}{s.tags[task]}".encode() for s in sentences)
    return digests


def _content(files: Sequence[Path]) -> Iterator[bytes]:
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                yield block


def _digest(blocks: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()
