"""Tagger: a network with its vocabularies and its plan; strings in, strings out. Bulk is the normal case."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from os import PathLike

import torch
from torch import Tensor

from polytag.batching.batch import Batch
from polytag.batching.device import find_device
from polytag.batching.encoder import Encoder
from polytag.contexts import Contexts, View, chunks
from polytag.corpus.answers import rendered
from polytag.corpus.schemes import check_spans
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block
from polytag.decoding import Layer, Request, decoded
from polytag.errors import PolytagError
from polytag.inputs import checked, chosen_tasks, sentence_of
from polytag.model.crf import Lattice
from polytag.model.network import Network
from polytag.model.torch_network import load_network
from polytag.plan import Plan
from polytag.scoring import Calibration, Counts, counts_for
from polytag.vocabulary.vocabularies import Vocabularies


class Tagger:
    """Tags sentences with the tasks of one plan."""

    def __init__(self, plan: Plan, vocabularies: Vocabularies, network: Network, *, precision: str = "float32") -> None:
        """``precision``: of the matrix products on a CPU: float32, bfloat16, int8 or auto.

        Raises:
            PolytagError: this machine has no instructions for the precision.
        """
        self.plan, self.vocabularies, self.network = plan, vocabularies, network
        self._contexts = Contexts(plan, vocabularies, network, precision=precision)
        self.precision = self._contexts.precision

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
            precision: of the matrix products on a CPU: float32, bfloat16, int8, or auto for what the processor is
                fast at with next to no loss (float32 or bfloat16).
            device: cpu, cuda, cuda:1, ...

        Raises:
            ModelError: the directory is missing, damaged or of another version.
            PolytagError: this machine has no such device, or no instructions for the precision.
        """
        place = find_device(device)
        if place.type != "cpu" and precision not in ("auto", "float32"):
            raise PolytagError(f"precision {precision} is for the CPU, expected 'float32' or 'auto' on {device}")
        plan, vocabularies, network = load_network(directory, best_for=best_for)
        return cls(plan, vocabularies, network.to(place), precision=precision)

    def tag(
        self, words: Sequence[str], *, tasks: Sequence[str] | None = None, confidence: bool = False, nbest: int = 0
    ) -> Sentence:
        """Tag the words of one sentence.

        Args:
            words: one by one, as a list or another series of strings.
            tasks: names, or one name; all tasks of the model's language unless given.
            confidence: as in `tag_all`.
            nbest: as in `tag_all`.

        Raises:
            PolytagError: as `tag_all`; also, if ``words`` is one text or no series of words, or has one word only and
                that has blanks in it, which is a text that nobody split.
        """
        return next(self.tag_all([sentence_of(words)], tasks=tasks, confidence=confidence, nbest=nbest))

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
            tasks: names, or one name; all tasks of the model's language unless given.
            confidence: also give the marginal probability of each tag and the probability of each span.
            nbest: also give so many of the most probable tag sequences, fewer where there are fewer; the first is
                the sentence's own.
            constrained: allow valid tag sequences only; as the plan says unless given.

        Raises:
            PolytagError: at once, for an unknown task, or none named where the model holds several languages, or more
                alternatives than can be had; while iterating, for an item that is no `Sentence` (a text, a list) and a
                word that is no string or is empty, told with its value and the numbers, from 0, of sentence and word.
        """
        request = Request(self.choose(tasks), confidence, nbest, constrained)
        return chain.from_iterable(self._tag_chunk(chunk, request) for chunk in chunks(checked(sentences)))

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

        Lines and words get probabilities and alternatives as further columns, the latter as tag and probability of the
        sequence by turns; records of JSONL get all as `polytag.corpus.asjson` has it.

        Raises:
            PolytagError: at once, as `tag_all`; while iterating, what the reader of the blocks raises.
        """
        request = Request(self.choose(tasks), confidence, nbest, constrained)
        return chain.from_iterable(self._render_chunk(chunk, request) for chunk in chunks(blocks))

    def evaluate(self, sentences: Iterable[Sentence], task: str, *, calibration: bool = False) -> Counts:
        """Tag sentences that carry gold tags of ``task`` and count as conlleval does (accuracy for plain tags).

        ``calibration`` also counts how far the probabilities can be believed.

        Raises:
            PolytagError: there is no such task, or a sentence or a word is none, as in `tag_all`.
            CorpusError: a tag marks no span, where the task has spans.
        """
        request = Request(self.choose([task]), confidence=calibration)
        tags, words = self.vocabularies.tags[self.plan.tasks[task].tags], self._contexts.table(task).encoder.words
        counts = counts_for(tags.plain)
        counts.calibration = Calibration() if calibration else None
        for chunk in chunks(checked(sentences)):
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
        for chunk in chunks(checked(sentences)):
            for indices, batch, context in self._contexts.of(chunk, tasks):
                lattice = self.network.lattices(context, batch, tasks, constrained=constrained)[task]
                yield [done + index for index in indices], lattice
            done += len(chunk)

    @torch.inference_mode()
    def views(self, sentences: Iterable[Sentence], *, tasks: Sequence[str] | None = None) -> Iterator[View]:
        """What the network makes of sentences, batch by batch and language by language, before anything is decoded.

        Raises:
            PolytagError: when the first is asked for, as `tag_all`.
        """
        chosen, done = self.choose(tasks), 0
        for chunk in chunks(checked(sentences)):
            for of in self._contexts.by_language(chosen):
                for indices, batch, context in self._contexts.of(chunk, of):
                    lattices = self.network.lattices(context, batch, of)
                    yield View([done + index for index in indices], batch.packing, context, lattices)
            done += len(chunk)

    def choose(self, tasks: Sequence[str] | None) -> list[str]:
        """Check names of tasks, or of one; without any, all tasks if they read one language.

        Raises:
            PolytagError: names the tasks to choose from.
        """
        return chosen_tasks(self.plan, tasks)

    def span_tasks(self) -> list[str]:
        """The tasks whose tags mark spans."""
        return [name for name, task in self.plan.tasks.items() if not self.vocabularies.tags[task.tags].plain]

    def new_encoder(self, task: str) -> Encoder:
        """An encoder of the language that a task reads, with an empty memory."""
        return self._contexts.new_encoder(task)

    @torch.inference_mode()
    def _tag_chunk(self, chunk: Sequence[Sentence], request: Request) -> list[Sentence]:
        """All tasks of one language from one encoder pass; a pass for each language."""
        layers = {task: [request.of_no_words] * len(chunk) for task in request.tasks}
        for tasks in self._contexts.by_language(request.tasks):
            for indices, batch, context in self._contexts.of(chunk, tasks):
                for task, found in self._decode(context, batch, tasks, request):
                    for index, layer in zip(indices, found, strict=True):
                        layers[task][index] = layer
        return [_tagged(s, {task: of[index] for task, of in layers.items()}) for index, s in enumerate(chunk)]

    def _render_chunk(self, chunk: Sequence[Block], request: Request) -> Iterator[str]:
        tagged = iter(self._tag_chunk([block.sentence for block in chunk if block.sentence is not None], request))
        outside = _tagged(Sentence(()), dict.fromkeys(request.tasks, request.of_no_words))
        spanning = self.span_tasks()
        for block in chunk:
            found = outside if block.sentence is None else next(tagged)
            yield rendered(block, found, span_tasks=spanning, alternatives=request.nbest)

    def _decode(
        self, context: Tensor, batch: Batch, tasks: Sequence[str], request: Request
    ) -> list[tuple[str, list[Layer]]]:
        """What each task of one language says of each sentence of a batch."""
        lattices = self.network.lattices(context, batch, tasks, constrained=request.constrained)
        return [
            (task, decoded(lattice, self.vocabularies.tags[self.plan.tasks[task].tags], request))
            for task, lattice in lattices.items()
        ]


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
