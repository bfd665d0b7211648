"""The engine: words in, scores of tag sequences out, with numpy and the native core. Open this first.

It is made once from a model's arrays and never changes, but for a bounded memory of known words that threads share.
The network itself stands in `polytag.training.network`; tests compare the two.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from polytag import native
from polytag.corpus.rewriting import Rewriting
from polytag.errors import ModelError
from polytag.model import Model
from polytag.native import Precision
from polytag.tagger.batches import Batch, Scratch, by_length
from polytag.tagger.lattice import Lattice
from polytag.tagger.packing import Ints, Packing
from polytag.tagger.parts import Language, TagPart
from polytag.tagger.words import Floats


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
