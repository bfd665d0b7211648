"""The parts of a model at work: what a language makes of words, and what a tag part makes of that.

Each is made once from a model's arrays and never changes, but for a bounded memory of known words.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag import native
from polytag.corpus.schemes import allowed
from polytag.model import Model
from polytag.model.shapes import GATES, PLACES, recurrence
from polytag.native import Precision
from polytag.plan.parts import Chars, Tags, Words
from polytag.tagger.batches import Batch, Scratch
from polytag.tagger.words import Columns, Floats, WordTable
from polytag.vocabulary.features import AROUND, EDGE, OWN
from polytag.vocabulary.vocabularies import TagVocabulary, WordVocabulary

_GATES = "gates"  # the column of the input side of the first word layer's gates

Arrays = Mapping[str, npt.NDArray[Any]]
MakeLayer = Callable[..., Any]  # weights of a GRU layer -> a `native.Layer`


class WordInputs:
    """All that a network makes of a word alone, whatever sentence it stands in."""

    def __init__(
        self, model: Model, task: str, parts: Mapping[str, "TagPart"], first: Any, make_layer: MakeLayer
    ) -> None:
        """``parts``: the tag parts that have features, by name; ``first``: the lowest layer of the word GRU."""
        settings = model.plan.tasks[task]
        self.words = model.vocabularies.words[settings.words]
        self.chars = None if settings.chars is None else model.vocabularies.chars[settings.chars]
        self.max_characters = model.plan.words[settings.words].max_characters
        self._embedding = model.part(f"words.{settings.words}").get("embedding.weight")
        self._first, self._parts = first, parts
        if settings.chars is not None:
            weights = model.part(f"chars.{settings.chars}")
            self._layers = _layers(weights, model.plan.chars[settings.chars], make_layer)
            self._gates = self._layers[0].gates(weights["embedding.weight"])  # of each character

    def columns(self, words: Sequence[str]) -> Columns:
        """What is kept of words: the input side of the first layer's gates, and the scores of features."""
        inputs = [] if self.chars is None else [self.character_vectors(words)]
        if self._embedding is not None:
            inputs.append(self._embedding[np.fromiter(map(self.words.index, words), np.int64, len(words))])
        columns: Columns = {_GATES: self._first.gates(np.concatenate(inputs, axis=1))}
        return columns | {name: part.feature_scores(words, self.words) for name, part in self._parts.items()}

    def character_vectors(self, words: Sequence[str]) -> Floats:
        """What the character GRU makes of words, [U, C]: its last forward state beside its first backward state."""
        assert self.chars is not None, "the language has no characters"
        characters = [self.chars.indices(word, self.max_characters) for word in words]
        lengths = np.fromiter(map(len, characters), np.int64, len(words))
        items = np.fromiter(chain.from_iterable(characters), np.int32, int(lengths.sum()))
        vectors: Floats = native.kernels().ends(self._layers, self._gates, items, lengths)
        return vectors


class Language:
    """A word part with its character part: from words to what the word GRU makes of them."""

    def __init__(self, model: Model, task: str, parts: Mapping[str, "TagPart"], make_layer: MakeLayer) -> None:
        """``parts``: the tag parts of its tasks, by name."""
        name = model.plan.tasks[task].words
        settings = model.plan.words[name]
        self._layers = _layers(model.part(f"words.{name}"), settings, make_layer)
        featured = {part: of for part, of in parts.items() if of.features}
        self.inputs = WordInputs(model, task, featured, self._layers[0], make_layer)
        gates = 2 * GATES[recurrence(settings)] * settings.hidden
        width = gates + sum((1 + PLACES) * len(of) for of in featured.values())
        self.table = WordTable(self.inputs.columns, row_bytes=4 * width)

    def contexts(self, batch: Batch, scratch: Scratch, *, layers: int) -> list[Floats]:
        """What each of the lowest ``layers`` of the word GRU makes of each word in its sentence, [N, 2H]."""
        sizes, (first, *others) = batch.packing.sizes, self._layers[:layers]
        room = [scratch.states(i, len(batch.rows), 2 * layer.units) for i, layer in enumerate(self._layers[:layers])]
        states: list[Floats] = [first.states_of(batch.columns[_GATES], batch.rows, sizes, out=room[0])]
        for layer, out in zip(others, room[1:], strict=True):
            states.append(layer.states(states[-1], sizes, out=out))
        return states


class TagPart:
    """A tag part at work: context -> emissions, and the scores of moving from tag to tag."""

    def __init__(
        self, name: str, weights: Arrays, vocabulary: TagVocabulary, settings: Tags, precision: Precision
    ) -> None:
        """``weights``: its arrays, by their names in it."""
        self.name, self.vocabulary, self.constrained = name, vocabulary, settings.constrained
        self.features, self.gazetteer = vocabulary.features, weights.get("gazetteer")
        self.projection = native.kernels().Matrix(weights["projection"], precision=_projected_in(precision))
        self.transitions, self.start = weights["transitions"], weights["start"]
        if self.features:
            self.transitions = self.transitions + weights["features.transitions"]
            self.start = self.start + weights["features.start"]
            self.edge = np.ascontiguousarray(weights["features.around.weight"][EDGE].reshape(PLACES, -1))
            self.own, self.around = weights["features.own.weight"], weights["features.around.weight"]
        # -inf, not a large negative number: what is forbidden is impossible, at any scale of the other scores.
        valid = allowed(vocabulary.tags, vocabulary.scheme)
        self._valid_start, self._valid_step, self.valid_end = (
            np.where(np.array(mask), 0.0, -np.inf).astype(np.float32) for mask in valid
        )

    def __len__(self) -> int:
        """How many tags there are, K."""
        return len(self.vocabulary)

    def moves(self, *, constrained: bool) -> tuple[Floats, Floats]:
        """Transitions [K, K] and START scores [K]."""
        if not constrained:
            return self.transitions, self.start
        return self.transitions + self._valid_step, self.start + self._valid_start

    def feature_scores(self, words: Sequence[str], vocabulary: WordVocabulary) -> Floats:
        """What each word's features add to the scores of tags, [U, 1 + PLACES, K]; its ``vocabulary`` has its clusters.

        First where it stands itself, then where it is the word two before, and so on to where it is the word two after.
        """
        assert self.features is not None
        clusters, width = map(vocabulary.cluster_features, words), OWN + AROUND + vocabulary.cluster_sets
        each = chain.from_iterable(map(self.features.indices, words, clusters))
        numbers = np.fromiter(each, np.int32, len(words) * width).reshape(-1, width)
        scores: Floats = native.kernels().feature_scores(self.own, self.around, numbers, of_own=OWN)
        return scores.reshape(len(words), 1 + PLACES, -1)


def _layers(weights: Arrays, settings: Chars | Words, make_layer: MakeLayer) -> list[Any]:
    """The recurrent layers of a part, lowest first; ``make_layer`` makes those of a GRU."""
    kind = recurrence(settings)
    make = native.lstm_layer if kind == "lstm" else partial(make_layer, reset_after=settings.cell == "reset_after")
    return [
        make(
            weights[f"{kind}.input_weight.{number}"],
            weights[f"{kind}.recurrent_weight.{number}"],
            weights[f"{kind}.bias.{number}"] if settings.bias else None,
        )
        for number in range(settings.layers)
    ]


def _projected_in(precision: Precision) -> Precision:
    """Projections to tags are small: int8 would be no faster than bfloat16 there, and lose more."""
    return "bfloat16" if precision != "float32" and native.supports("bfloat16") else "float32"
