"""Tagger: a network with its vocabularies and its plan; strings in, strings out. Bulk is the normal case."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TypeVar

import torch

from polytag.batching.batch import Ints
from polytag.batching.encoder import Encoder, by_length, gazetteer_columns
from polytag.batching.vocabulary import TagVocabulary, Vocabularies
from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence, Span
from polytag.corpus.text import Block
from polytag.errors import PolytagError, nearest
from polytag.model.checkpoint import WEIGHTS, load_model
from polytag.model.crf import Confidence
from polytag.model.network import Network
from polytag.plan import Plan
from polytag.scoring import Counts, counts_for

BATCH_SENTENCES, BATCH_WORDS = 64, 4_096
CHUNK_WORDS = 32_768  # read ahead, sorted by length, tagged, put back in order: what bounds the memory


class Tagger:
    """Tags sentences with the tasks of one plan."""

    def __init__(self, plan: Plan, vocabularies: Vocabularies, network: Network) -> None:
        self.plan, self.vocabularies, self.network = plan, vocabularies, network
        self._encoders: dict[str, Encoder] = {}

    @classmethod
    def load(cls, directory: str | PathLike[str], *, best_for: str | None = None) -> "Tagger":
        """Read a model directory; ``best_for`` takes the weights kept for one task (`training.best_per_task`).

        Raises:
            ModelError: the directory is missing, damaged or of another version.
        """
        name = f"best.{best_for}.safetensors" if best_for else WEIGHTS
        return cls(*load_model(str(directory), weights=name))

    def tag(self, words: Sequence[str], *, tasks: Sequence[str] | None = None, confidence: bool = False) -> Sentence:
        """Tag the words of one sentence; see `tag_all`."""
        return next(self.tag_all([Sentence(tuple(words))], tasks=tasks, confidence=confidence))

    def tag_all(
        self,
        sentences: Iterable[Sentence],
        *,
        tasks: Sequence[str] | None = None,
        confidence: bool = False,
        constrained: bool | None = None,
    ) -> Iterator[Sentence]:
        """Tag a stream of sentences, in order, in constant memory.

        Args:
            sentences: words; tags that they carry are ignored.
            tasks: all tasks of the model's language unless given.
            confidence: also give the marginal probability of each tag and the probability of each span.
            constrained: allow valid tag sequences only; as the plan says unless given.

        Raises:
            PolytagError: an unknown task, or none named where the model holds several languages.
        """
        chosen = self.choose(tasks)
        for chunk in _chunks(sentences):
            yield from self._tag_chunk(chunk, chosen, confidence=confidence, constrained=constrained)

    def tag_blocks(
        self,
        blocks: Iterable[Block],
        *,
        tasks: Sequence[str] | None = None,
        confidence: bool = False,
        constrained: bool | None = None,
    ) -> Iterator[str]:
        """Tag a document block by block and render it: whatever is no sentence goes through untouched."""
        chosen = self.choose(tasks)
        outside: dict[str, Sequence[str]] = {}
        for task in chosen:
            outside |= {task: ()} | ({f"{task}.confidence": ()} if confidence else {})
        for chunk in _chunks(blocks):
            sentences = [block.sentence for block in chunk if block.sentence is not None]
            tagged = iter(self._tag_chunk(sentences, chosen, confidence=confidence, constrained=constrained))
            for block in chunk:
                yield block.render(outside if block.sentence is None else _columns(next(tagged)))

    def evaluate(self, sentences: Iterable[Sentence], task: str) -> Counts:
        """Tag sentences that carry gold tags of ``task`` and count as conlleval does (accuracy for plain tags)."""
        self.choose([task])
        tags, words = self.vocabularies.tags[self.plan.tasks[task].tags], self._encoder(task).words
        counts = counts_for(tags.plain)
        for chunk in _chunks(sentences):
            for gold, found in zip(chunk, self._tag_chunk(chunk, [task]), strict=True):
                known = [words.seen_in_training(word) for word in gold.words]
                counts.add(tags.to_data(gold.tags[task]), found.tags[task], known=known)
        return counts

    def choose(self, tasks: Sequence[str] | None) -> list[str]:
        """Check task names; without any, all tasks if they read one language.

        Raises:
            PolytagError: names the tasks to choose from.
        """
        for task in tasks or ():
            if task not in self.plan.tasks:
                raise PolytagError(f"the model has no task '{task}'{nearest(task, self.plan.tasks)}")
        if tasks:
            return list(dict.fromkeys(tasks))
        languages: dict[str, list[str]] = {}
        for task, settings in self.plan.tasks.items():
            languages.setdefault(settings.words, []).append(task)
        if len(languages) > 1:
            listing = "; ".join(f"words.{words}: {', '.join(names)}" for words, names in languages.items())
            raise PolytagError(f"the model reads several languages, so name the tasks to tag with ({listing})")
        return list(self.plan.tasks)

    def new_encoder(self, task: str) -> Encoder:
        """An encoder of the language that a task reads, with an empty memory."""
        settings = self.plan.tasks[task]
        return Encoder(
            self.vocabularies.words[settings.words],
            None if settings.chars is None else self.vocabularies.chars[settings.chars],
            max_characters=self.plan.words[settings.words].max_characters,
        )

    def _encoder(self, task: str) -> Encoder:
        words = self.plan.tasks[task].words
        if words not in self._encoders:
            self._encoders[words] = self.new_encoder(task)
        return self._encoders[words]

    def _tag_chunk(
        self,
        chunk: Sequence[Sentence],
        tasks: Sequence[str],
        *,
        confidence: bool = False,
        constrained: bool | None = None,
    ) -> list[Sentence]:
        """All tasks of one language from one encoder pass; a pass for each language."""
        layers: list[dict[str, _Layer]] = [{} for _ in chunk]
        for group in self._by_language(tasks):
            encoder = self._encoder(group[0])
            encoder.trim()
            forms = [encoder.forms(sentence.words) for sentence in chunk]
            for indices in by_length([len(s) for s in chunk], sentences=BATCH_SENTENCES, words=BATCH_WORDS):
                words = [chunk[i].words for i in indices]
                found = self._decode(encoder, [forms[i] for i in indices], words, group, confidence, constrained)
                for position, index in enumerate(indices):
                    layers[index].update({task: results[position] for task, results in found.items()})
        return [_tagged(sentence, layer) for sentence, layer in zip(chunk, layers, strict=True)]

    def _by_language(self, tasks: Sequence[str]) -> list[list[str]]:
        groups: dict[str, list[str]] = {}
        for task in tasks:
            groups.setdefault(self.plan.tasks[task].words, []).append(task)
        return list(groups.values())

    @torch.inference_mode()
    def _decode(
        self,
        encoder: Encoder,
        forms: Sequence[Ints],
        words: Sequence[Sequence[str]],
        tasks: Sequence[str],
        confidence: bool,
        constrained: bool | None,
    ) -> Mapping[str, Sequence["_Layer"]]:
        parts = {self.plan.tasks[task].tags for task in tasks}
        gazetteer = {
            part: [gazetteer_columns(self.vocabularies.tags[part], sentence) for sentence in words]
            for part in parts
            if self.vocabularies.tags[part].gazetteer
        }
        batch = encoder.batch(forms, gazetteer=gazetteer)
        context = self.network.context(batch, tasks[0])
        results = {}
        for task in tasks:
            vocabulary = self.vocabularies.tags[self.plan.tasks[task].tags]
            lattice = self.network.lattice(context, batch, task, constrained=constrained)
            best = lattice.best()
            certainty = lattice.confidence(best) if confidence else None
            paths = batch.packing.unpack(best.numpy())
            results[task] = [
                _layer(path.tolist(), vocabulary, certainty, position) for position, path in enumerate(paths)
            ]
        return results


def load(directory: str | PathLike[str], *, best_for: str | None = None) -> Tagger:
    """Read a model directory; see `Tagger.load`."""
    return Tagger.load(directory, best_for=best_for)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One task's answer for one sentence: tags in the scheme of the user's data, and how certain they are."""

    tags: tuple[str, ...]
    confidence: tuple[float, ...] | None = None
    spans: tuple[Span, ...] | None = None


def _layer(path: Sequence[int], vocabulary: TagVocabulary, certainty: Confidence | None, sentence: int) -> _Layer:
    tags = [vocabulary.tags[tag] for tag in path]
    if certainty is None:
        return _Layer(vocabulary.to_data(tags))
    found = () if vocabulary.plain else spans(tags)
    return _Layer(
        vocabulary.to_data(tags),
        tuple(certainty.of_tags(sentence).tolist()),
        tuple(replace(span, probability=certainty.of_span(sentence, span.start, span.end)) for span in found),
    )


def _tagged(sentence: Sentence, layers: Mapping[str, _Layer]) -> Sentence:
    return replace(
        sentence,
        tags={task: layer.tags for task, layer in layers.items()},
        confidence={task: layer.confidence for task, layer in layers.items() if layer.confidence is not None},
        predicted_spans={task: layer.spans for task, layer in layers.items() if layer.spans is not None},
    )


def _columns(sentence: Sentence) -> dict[str, Sequence[str]]:
    """What `Block.render` writes: the tags of each task, each followed by its probabilities where they are known."""
    columns: dict[str, Sequence[str]] = {}
    for task, tags in sentence.tags.items():
        columns[task] = tags
        if task in sentence.confidence:
            columns[f"{task}.confidence"] = [f"{p:.4f}" for p in sentence.confidence[task]]
    return columns


T = TypeVar("T", Sentence, Block)


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    chunk: list[T] = []
    total = 0
    for item in items:
        sentence = item if isinstance(item, Sentence) else item.sentence
        chunk.append(item)
        total += 1 if sentence is None else len(sentence)
        if total >= CHUNK_WORDS:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk
