"""From a plan to all that training needs: sentences, vocabularies, fresh weights, notes on what was found."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch

from polytag.corpus.memory import sentences_of
from polytag.corpus.notes import Notes
from polytag.corpus.offsets import as_scored
from polytag.corpus.sentence import Sentence
from polytag.model.checksums import checksums
from polytag.plan import Plan
from polytag.plan.task import SPLITS
from polytag.splits import Corpora, given_splits, split_sentences
from polytag.training.beginning import Beginning, freeze
from polytag.training.chosen import Chosen
from polytag.training.idle import idle_settings
from polytag.training.network import Network
from polytag.training.pretrained import fill_embeddings, vectors_of, with_dimensions
from polytag.training.schemes import in_one_scheme, with_schemes
from polytag.training.unknown import annotated, refuse_unknown
from polytag.training.vocabularies import build_vocabularies, sentences_of_part
from polytag.vocabulary.vocabularies import (
    Vocabularies,
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
    vectors = {name: vectors_of(plan, name, notes) for name in plan.words}
    plan = with_dimensions(plan, vectors)
    beginning.check(plan)
    notes += [
        f"words.{name}: the vocabulary holds the words of the dev and test files too, as the authors' did"
        for name, settings in plan.words.items()
        if settings.vocabulary == "all"
    ]
    notes += idle_settings(plan)
    vocabularies = build_vocabularies(plan, sentences, vectors, beginning, notes)
    network = Network(plan, vocabularies, torch.Generator().manual_seed(plan.training.seed))
    _set_rarity(network, plan, vocabularies, sentences)
    notes += fill_embeddings(network, plan, vocabularies, vectors, sentences)
    notes += beginning.copy_into(network, vocabularies)
    freeze(network, plan.initialisation.freeze or ())
    return Prepared(plan, vocabularies, network, sentences, notes, checksums(plan, memory), chosen)


def _read_task(plan: Plan, task: str, memory: Corpora, notes: list[str], *, refit: bool) -> dict[str, list[Sentence]]:
    if refit:
        plan = plan.model_copy(
            update={"tasks": {task: plan.tasks[task].model_copy(update={"holdout": 0.0, "fold": None})}}
        )
    settings, said = plan.tasks[task], Notes()
    notes_of = {split: Notes() if split == "dev" and settings.holds_out else said for split in SPLITS}  # each file once
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


def _set_rarity(network: Network, plan: Plan, vocabularies: Vocabularies, sentences: Corpora) -> None:
    """Tell word parts with ``unknown`` how likely each of their words is read as unknown."""
    for name, settings in plan.words.items():
        if settings.unknown:
            index, rarity = vocabularies.words[name].index, torch.zeros(len(vocabularies.words[name]))
            words = (s.words for s in sentences_of_part(plan, "words", name, sentences, ("train",)))
            for word, count in Counter(map(index, chain.from_iterable(words))).items():
                rarity[word] = settings.unknown / (settings.unknown + count)
            network.words[name].rarity = rarity
