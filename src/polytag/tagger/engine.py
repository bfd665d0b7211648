"""The engine: words in, scores of tag sequences out, with numpy and the native core. Open this first.

It is made once from a model's arrays and never changes, but for a bounded memory of known words that threads share.
The network itself stands in `polytag.training.network`; tests compare the two.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag import native
from polytag.corpus.rewriting import Rewriting
from polytag.corpus.schemes import allowed
from polytag.errors import ModelError
from polytag.model import Model
from polytag.model.shapes import GATES, PLACES, recurrence
from polytag.native import Precision
from polytag.plan.parts import Chars, Tags, Words
from polytag.tagger.lattice import Lattice
from polytag.tagger.packing import Ints, Packing
from polytag.tagger.words import Columns, Floats, Rows, WordTable
from polytag.vocabulary.features import AROUND, EDGE, OWN
from polytag.vocabulary.vocabularies import TagVocabulary, WordVocabulary

BATCH_SENTENCES, BATCH_WORDS = 256, 1_024
_GATES = "gates"  # the column of the input side of the first word layer's gates

Arrays = Mapping[str, npt.NDArray[Any]]
MakeLayer = Callable[..., Any]  # weights of a GRU layer -> a `native.Layer`


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some of the sentences of one language, packed; none of them is without words."""

    indices: Ints  # B: the numbers of the sentences, in the order that results per sentence come in
    packing: Packing
    places: Ints  # N: of each row among all words
    rows: Rows  # N: of each word in the columns
    columns: Columns = field(repr=False)
    gazetteer: Mapping[str, Ints] = field(default_factory=dict)  # tag part -> N, the column that is 1


class Scratch:
    """Memory for the states of layers, which the batches of a call use in turn: new memory for each took 4 %."""

    def __init__(self) -> None:
        self._arrays: dict[int, Floats] = {}  # by layer

    def states(self, layer: int, rows: int, width: int) -> Floats:
        """Room for the states of a layer, [rows, width]."""
        if layer not in self._arrays or self._arrays[layer].size < rows * width:
            self._arrays[layer] = np.empty(rows * width, np.float32)
        return self._arrays[layer][: rows * width].reshape(rows, width)


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


class Engine:
    """A model's languages and tag parts, ready to compute in one precision."""

    def __init__(self, model: Model, *, precision: Precision, threads: int = 1) -> None:
        """``threads`` that a layer may use; two are of use."""
        self.plan, self.precision = model.plan, precision
        self._kernels = native.kernels()
        make_layer = partial(self._kernels.Layer, precision=precision, threads=threads)
        self.parts = {
            name: TagPart(name, model.part(f"tags.{name}"), model.vocabularies.tags[name], settings, precision)
            for name, settings in model.plan.tags.items()
        }
        users = {name: model.plan.users("words", name) for name in model.plan.words}
        self.languages = {
            name: Language(model, tasks[0], {part.name: part for part in map(self.part, tasks)}, make_layer)
            for name, tasks in users.items()
            if tasks
        }
        self._temperatures = dict(model.temperatures)
        self.rewritings = {task: self._rewriting(task) for task in model.plan.tasks}

    def part(self, task: str) -> TagPart:
        """The tag part of a task."""
        return self.parts[self.plan.tasks[task].tags]

    def _rewriting(self, task: str) -> Rewriting:
        """From the tags of a task's part to those of its files."""
        vocabulary = self.part(task).vocabulary
        return Rewriting(vocabulary.tags, vocabulary.scheme, self.plan.tasks[task].scheme)

    def language(self, task: str) -> Language:
        """The language that a task reads."""
        return self.languages[self.plan.tasks[task].words]

    def by_language(self, tasks: Sequence[str]) -> list[list[str]]:
        """The tasks in groups, each of which one pass of the network serves."""
        groups: dict[str, list[str]] = {}
        for task in tasks:
            groups.setdefault(self.plan.tasks[task].words, []).append(task)
        return list(groups.values())

    def batches(
        self, words: Sequence[str], lengths: Ints, tasks: Sequence[str], *, at_least: int = 1
    ) -> Iterator[Batch]:
        """Sentences in batches of similar length, for tasks of one language.

        ``words`` holds those of all sentences, one after the other, ``lengths`` how many each has. There are
        ``at_least`` so many batches, for as many threads, if there are as many sentences.
        """
        rows, columns = self.language(tasks[0]).table.look_up(words)
        starts = lengths.cumsum() - lengths
        matched = self._gazetteer_columns(words, starts, lengths, tasks)
        for indices in by_length(lengths, at_least=at_least):
            packing = Packing.of(lengths[indices])
            places = packing.places(starts[indices])
            gazetteer = {part: found[places] for part, found in matched.items()}
            yield Batch(indices, packing, places, rows[places], columns, gazetteer)

    def contexts(self, batch: Batch, tasks: Sequence[str], scratch: Scratch) -> list[Floats]:
        """What each layer of the word GRU, up to the highest that tasks of a language read, makes of each word.

        Each is [N, 2H] and lies in ``scratch``.
        """
        layers = max(map(self.plan.layer_of, tasks))
        return self.language(tasks[0]).contexts(batch, scratch, layers=layers)

    def lattices(
        self, contexts: Sequence[Floats], batch: Batch, tasks: Sequence[str], *, constrained: bool | None = None
    ) -> dict[str, Lattice]:
        """What decoding needs for each of several tasks of a language, from the `contexts` of a batch.

        Raises:
            ModelError: scores are not finite, as where weights are so large that sums of products overflow.
        """
        parts = {part.name: part for part in map(self.part, tasks)}
        emissions = self._projected(contexts, tasks)
        for name, part in parts.items():
            if part.gazetteer is not None and name in batch.gazetteer:
                emissions[name] += part.gazetteer[batch.gazetteer[name]]
            if part.features:
                sizes = batch.packing.sizes
                self._kernels.add_features(emissions[name], batch.columns[name], part.edge, batch.rows, sizes)
        for name, scores in emissions.items():
            if not np.isfinite(scores).all():
                raise ModelError(f"tags.{name}: scores are not finite, expected a model whose training went well")
        return {task: self._lattice(task, emissions, batch.packing, constrained) for task in tasks}

    def _projected(self, contexts: Sequence[Floats], tasks: Sequence[str]) -> dict[str, Floats]:
        """Emissions [N, K] of each tag part from the layer that it reads, without gazetteers and features."""
        by_layer: dict[int, dict[str, Any]] = {}
        for task in tasks:
            by_layer.setdefault(self.plan.layer_of(task), {})[self.part(task).name] = self.part(task).projection
        emissions: dict[str, Floats] = {}
        for layer, of in by_layer.items():
            emissions |= zip(of, self._kernels.project(contexts[layer - 1], [*of.values()]), strict=True)
        return emissions

    def _lattice(
        self, task: str, emissions: Mapping[str, Floats], packing: Packing, constrained: bool | None
    ) -> Lattice:
        part = self.part(task)
        scores, valid_only = emissions[part.name], part.constrained if constrained is None else constrained
        if valid_only:
            scores = scores.copy()  # another task may have the same part
            scores[packing.last] += part.valid_end
        transitions, start = part.moves(constrained=valid_only)
        return Lattice(scores, transitions, start, packing, self._temperatures.get(task, 1.0))

    def _gazetteer_columns(
        self, words: Sequence[str], starts: Ints, lengths: Ints, tasks: Sequence[str]
    ) -> dict[str, Ints]:
        """The gazetteer's column of each word, [n], for the tag parts that have one."""
        parts = {part.name: part for part in map(self.part, tasks) if part.vocabulary.gazetteer}
        bounds = [*zip(starts.tolist(), (starts + lengths).tolist(), strict=True)] if parts else []
        found = {}
        for name, part in parts.items():
            match = part.vocabulary.gazetteer.match  # type: ignore[union-attr]
            found[name] = np.array([column for start, end in bounds for column in match(words[start:end])], np.int64)
        return found


def by_length(
    lengths: Ints, *, sentences: int = BATCH_SENTENCES, words: int = BATCH_WORDS, at_least: int = 1
) -> Iterator[Ints]:
    """The numbers of the sentences that have words, in groups of similar length.

    A group has at most so many sentences and words, but a sentence at least; there are ``at_least`` so many groups.
    """
    if len(lengths) == 1:
        yield from [np.zeros(1, np.int64)] * bool(lengths[0])
        return
    order = np.argsort(lengths, kind="stable")
    order = order[np.searchsorted(lengths[order], 1) :]
    ends = lengths[order].cumsum()
    sentences = min(sentences, -(-len(order) // at_least))
    words = min(words, -(-int(ends[-1]) // at_least)) if len(ends) else 0
    start = 0
    while start < len(order):
        before = int(ends[start - 1]) if start else 0
        most = int(np.searchsorted(ends, before + words, side="right"))
        end = max(start + 1, min(start + sentences, most))
        yield order[start:end]
        start = end


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
