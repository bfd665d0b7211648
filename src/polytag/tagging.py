"""Tagger: a network with its vocabularies and its plan; strings in, strings out. Bulk is the normal case."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from os import PathLike
from typing import TypeVar

import torch
from torch import Tensor

from polytag.batching.batch import Batch, Ints, Packing
from polytag.batching.device import find_device
from polytag.batching.encoder import Encoder, by_length, gazetteer_columns
from polytag.batching.vocabulary import Vocabularies
from polytag.corpus.answers import rendered
from polytag.corpus.schemes import check_spans
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block
from polytag.decoding import Layer, Request, decoded
from polytag.errors import PolytagError, nearest
from polytag.model.char_encoder import CharEncoder
from polytag.model.checkpoint import WEIGHTS, load_model
from polytag.model.crf import Lattice
from polytag.model.network import Network, Version
from polytag.model.precision import choose_precision
from polytag.model.word_encoder import WordEncoder
from polytag.model.word_table import WordTable
from polytag.plan import Plan
from polytag.scoring import Calibration, Counts, counts_for

BATCH_SENTENCES, BATCH_WORDS = 256, 4_096
CHUNK_WORDS = 16_384  # read ahead, sorted by length, tagged, put back in order: what bounds the memory
CHUNK_WORD_LENGTH = 64  # characters of a word, on average over a sentence, from which they count instead of words


class Tagger:
    """Tags sentences with the tasks of one plan."""

    def __init__(self, plan: Plan, vocabularies: Vocabularies, network: Network, *, precision: str = "float32") -> None:
        """``precision``: of the recurrent layers on a CPU: float32, bfloat16, int8 or auto.

        Raises:
            PolytagError: this machine has no instructions for the precision.
        """
        self.plan, self.vocabularies, self.network = plan, vocabularies, network
        self.precision = choose_precision(precision)
        self._tables: dict[str, WordTable] = {}
        self._version: Version = []  # of the weights that the tables come from

    @classmethod
    def load(
        cls,
        directory: str | PathLike[str],
        *,
        best_for: str | None = None,
        precision: str = "auto",
        device: str = "cpu",
    ) -> "Tagger":
        """Read a model directory.

        Args:
            directory: what `polytag.training.train` wrote.
            best_for: take the weights kept for one task (`training.best_per_task`).
            precision: of the recurrent layers on a CPU: float32, bfloat16, int8, or auto for what the processor is
                fast at with next to no loss (float32 or bfloat16).
            device: cpu, cuda, cuda:1, ...

        Raises:
            ModelError: the directory is missing, damaged or of another version.
            PolytagError: this machine has no such device, or no instructions for the precision.
        """
        name = f"best.{best_for}.safetensors" if best_for else WEIGHTS
        place = find_device(device)
        if place.type != "cpu" and precision not in ("auto", "float32"):
            raise PolytagError(f"precision {precision} is for the CPU, expected 'float32' or 'auto' on {device}")
        plan, vocabularies, network = load_model(str(directory), weights=name)
        return cls(plan, vocabularies, network.to(place), precision=precision)

    def tag(
        self, words: Sequence[str], *, tasks: Sequence[str] | None = None, confidence: bool = False, nbest: int = 0
    ) -> Sentence:
        """Tag the words of one sentence; see `tag_all`."""
        if isinstance(words, str):
            raise PolytagError(f"expected the words of a sentence one by one, found one text: {words!r:.60}")
        return next(self.tag_all([Sentence(tuple(words))], tasks=tasks, confidence=confidence, nbest=nbest))

    def tag_all(
        self,
        sentences: Iterable[Sentence],
        *,
        tasks: Sequence[str] | None = None,
        confidence: bool = False,
        nbest: int = 0,
        constrained: bool | None = None,
    ) -> Iterator[Sentence]:
        """Tag a stream of sentences, in order, in constant memory.

        Args:
            sentences: words; tags that they carry are ignored.
            tasks: all tasks of the model's language unless given.
            confidence: also give the marginal probability of each tag and the probability of each span.
            nbest: also give so many of the most probable tag sequences, fewer where there are fewer; the first is
                the sentence's own.
            constrained: allow valid tag sequences only; as the plan says unless given.

        Raises:
            PolytagError: at once, for an unknown task, or none named where the model holds several languages, or more
                alternatives than can be had.
        """
        request = Request(self.choose(tasks), confidence, nbest, constrained)
        return chain.from_iterable(self._tag_chunk(chunk, request) for chunk in _chunks(sentences))

    def tag_blocks(
        self,
        blocks: Iterable[Block],
        *,
        tasks: Sequence[str] | None = None,
        confidence: bool = False,
        nbest: int = 0,
        constrained: bool | None = None,
    ) -> Iterator[str]:
        """Tag a document block by block and render it: whatever is no sentence goes through untouched.

        Lines and words get alternatives as further columns, tag and probability of the sequence by turns; records of
        JSONL get them under "alternatives", and with ``confidence`` spans under "predicted_spans".
        """
        request = Request(self.choose(tasks), confidence, nbest, constrained)
        return chain.from_iterable(self._render_chunk(chunk, request) for chunk in _chunks(blocks))

    def evaluate(self, sentences: Iterable[Sentence], task: str, *, calibration: bool = False) -> Counts:
        """Tag sentences that carry gold tags of ``task`` and count as conlleval does (accuracy for plain tags).

        ``calibration`` also counts how far the probabilities can be believed.
        """
        request = Request(self.choose([task]), confidence=calibration)
        tags, words = self.vocabularies.tags[self.plan.tasks[task].tags], self._table(task).encoder.words
        counts = counts_for(tags.plain)
        counts.calibration = Calibration() if calibration else None
        for chunk in _chunks(sentences):
            for gold, found in zip(chunk, self._tag_chunk(chunk, request), strict=True):
                if not tags.plain:
                    check_spans(gold, task)
                known = [words.seen_in_training(word) for word in gold.words]
                expected = tags.to_data(gold.tags[task])
                counts.add(expected, found.tags[task], known=known)
                if counts.calibration:
                    sure = found.predicted_spans.get(task, ())
                    counts.calibration.add(expected, found.tags[task], found.confidence[task], sure)
        return counts

    @torch.inference_mode()
    def lattices(
        self, sentences: Iterable[Sentence], task: str, *, constrained: bool | None = None
    ) -> Iterator[tuple[list[int], Lattice]]:
        """What decoding sees of sentences, batch by batch: their indices and the scores of all their tag sequences.

        A lattice gives its results in the order of the indices. Sentences without words are in no batch.
        """
        tasks, done = self.choose([task]), 0
        for chunk in _chunks(sentences):
            for indices, batch, context in self._contexts(chunk, tasks):
                lattice = self.network.lattice(context, batch, task, constrained=constrained)
                yield [done + index for index in indices], lattice
            done += len(chunk)

    @torch.inference_mode()
    def views(self, sentences: Iterable[Sentence], *, tasks: Sequence[str] | None = None) -> Iterator["View"]:
        """What the network makes of sentences, batch by batch and language by language, before anything is decoded.

        Raises:
            PolytagError: when the first is asked for, as `tag_all`.
        """
        chosen, done = self.choose(tasks), 0
        for chunk in _chunks(sentences):
            for of in self._by_language(chosen):
                for indices, batch, context in self._contexts(chunk, of):
                    lattices = {task: self.network.lattice(context, batch, task) for task in of}
                    yield View([done + index for index in indices], batch.packing, context, lattices)
            done += len(chunk)

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

    def _table(self, task: str) -> WordTable:
        """What is known of the words of the language that a task reads."""
        settings = self.plan.tasks[task]
        if settings.words not in self._tables:
            chars = None if settings.chars is None else self.network.chars[settings.chars]
            words = self.network.words[settings.words]
            assert isinstance(words, WordEncoder)
            assert chars is None or isinstance(chars, CharEncoder)
            self._tables[settings.words] = WordTable(self.new_encoder(task), chars, words)
        return self._tables[settings.words]

    def _keep_up_with_weights(self) -> None:
        """Pack the weights for tagging and forget what came of others, if any has changed since the last chunk."""
        if self.network.training:  # fresh from `prepare`, or between two steps of training: dropout is on
            self.network.eval()
        version = self.network.version()
        if version != self._version:
            self._version, self._tables = version, {}
        self.network.pack(self.precision)

    @torch.inference_mode()
    def _tag_chunk(self, chunk: Sequence[Sentence], request: Request) -> list[Sentence]:
        """All tasks of one language from one encoder pass; a pass for each language."""
        layers = {task: [request.of_no_words] * len(chunk) for task in request.tasks}
        for tasks in self._by_language(request.tasks):
            for indices, batch, context in self._contexts(chunk, tasks):
                for task, found in self._decode(context, batch, tasks, request):
                    for index, layer in zip(indices, found, strict=True):
                        layers[task][index] = layer
        return [_tagged(s, {task: of[index] for task, of in layers.items()}) for index, s in enumerate(chunk)]

    def _contexts(self, chunk: Sequence[Sentence], tasks: Sequence[str]) -> Iterator[tuple[list[int], Batch, Tensor]]:
        """The sentences in batches of similar length, each with what the tasks' one language makes of its words."""
        self._keep_up_with_weights()
        table = self._table(tasks[0])
        forms = table.forms([sentence.words for sentence in chunk])
        lengths = [len(sentence) for sentence in chunk]
        for indices in by_length(lengths, sentences=BATCH_SENTENCES, words=BATCH_WORDS):
            gazetteer = self._gazetteer_columns([chunk[i].words for i in indices], tasks)
            batch, inputs = table.batch([forms[i] for i in indices], gazetteer=gazetteer)
            yield indices, batch, self.network.context(batch, tasks[0], inputs=inputs)

    def _render_chunk(self, chunk: Sequence[Block], request: Request) -> Iterator[str]:
        tagged = iter(self._tag_chunk([block.sentence for block in chunk if block.sentence is not None], request))
        outside = _tagged(Sentence(()), dict.fromkeys(request.tasks, request.of_no_words))
        for block in chunk:
            found = outside if block.sentence is None else next(tagged)
            yield rendered(block, found, alternatives=request.nbest)

    def _by_language(self, tasks: Sequence[str]) -> list[list[str]]:
        groups: dict[str, list[str]] = {}
        for task in tasks:
            groups.setdefault(self.plan.tasks[task].words, []).append(task)
        return list(groups.values())

    def _gazetteer_columns(self, sentences: Sequence[Sequence[str]], tasks: Sequence[str]) -> dict[str, list[Ints]]:
        """The gazetteer's column of each word of each sentence, for the tag parts that have one."""
        parts = {part: self.vocabularies.tags[part] for part in (self.plan.tasks[task].tags for task in tasks)}
        return {
            part: [gazetteer_columns(vocabulary, words) for words in sentences]
            for part, vocabulary in parts.items()
            if vocabulary.gazetteer
        }

    def _decode(
        self, context: Tensor, batch: Batch, tasks: Sequence[str], request: Request
    ) -> list[tuple[str, list[Layer]]]:
        """What each task of one language says of each sentence of a batch."""
        results = []
        for task in tasks:
            vocabulary = self.vocabularies.tags[self.plan.tasks[task].tags]
            lattice = self.network.lattice(context, batch, task, constrained=request.constrained)
            results.append((task, decoded(lattice, vocabulary, request)))
        return results


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Some sentences as the network sees them: their places in the stream, and for each task what decoding sees.

    Lattices give their results in the order of ``indices``; ``context`` [N, H] is packed. Sentences without words are
    in no view.
    """

    indices: Sequence[int]
    packing: Packing
    context: Tensor
    lattices: Mapping[str, Lattice]


def load(directory: str | PathLike[str], *, best_for: str | None = None) -> Tagger:
    """Read a model directory; see `Tagger.load`."""
    return Tagger.load(directory, best_for=best_for)


def _tagged(sentence: Sentence, layers: Mapping[str, Layer]) -> Sentence:
    return replace(
        sentence,
        tags={task: layer.tags for task, layer in layers.items()},
        confidence={task: layer.confidence for task, layer in layers.items() if layer.confidence is not None},
        predicted_spans={task: layer.spans for task, layer in layers.items() if layer.spans is not None},
        alternatives={task: layer.alternatives for task, layer in layers.items() if layer.alternatives is not None},
    )


T = TypeVar("T", Sentence, Block)


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    chunk: list[T] = []
    total = 0
    for item in items:
        sentence = item if isinstance(item, Sentence) else item.sentence
        chunk.append(item)
        words = sentence.words if sentence else ()
        # Blank lines count too: there may be no end of them. So do long words: one may have millions of characters.
        total += max(1, len(words), sum(map(len, words)) // CHUNK_WORD_LENGTH)
        if total >= CHUNK_WORDS:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk
