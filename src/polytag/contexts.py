"""Sentences to what the network makes of their words, in batches of similar length: what all decoding starts from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from polytag.batching.batch import Batch, Ints, Packing
from polytag.batching.encoder import Encoder, by_length, gazetteer_columns
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block
from polytag.model.char_encoder import CharEncoder
from polytag.model.crf import Lattice
from polytag.model.network import Network, Version
from polytag.model.precision import choose_precision
from polytag.model.word_encoder import WordEncoder
from polytag.model.word_table import WordTable
from polytag.plan import Plan
from polytag.vocabulary.vocabularies import Vocabularies

BATCH_SENTENCES, BATCH_WORDS = 256, 4_096
CHUNK_WORDS = 16_384  # read ahead, sorted by length, tagged, put back in order: what bounds the memory
CHUNK_WORD_LENGTH = 64  # characters of a word, on average over a sentence, from which they count instead of words


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


class Contexts:
    """A network with its vocabularies, and what it remembers of the words of each language.

    ``precision``: of the matrix products on a CPU: float32, bfloat16, int8 or auto.

    Raises:
        PolytagError: this machine has no instructions for the precision.
    """

    def __init__(self, plan: Plan, vocabularies: Vocabularies, network: Network, *, precision: str) -> None:
        self.plan, self.vocabularies, self.network = plan, vocabularies, network
        self.precision = choose_precision(precision)
        self._tables: dict[str, WordTable] = {}
        self._version: Version = []  # of the weights that the tables come from

    def of(self, chunk: Sequence[Sentence], tasks: Sequence[str]) -> Iterator[tuple[list[int], Batch, Tensor]]:
        """The sentences in batches of similar length, each with what the tasks' one language makes of its words."""
        self._keep_up_with_weights()
        table = self.table(tasks[0])
        forms = table.forms([sentence.words for sentence in chunk])
        lengths = [len(sentence) for sentence in chunk]
        for indices in by_length(lengths, sentences=BATCH_SENTENCES, words=BATCH_WORDS):
            gazetteer = self._gazetteer_columns([chunk[i].words for i in indices], tasks)
            batch, inputs = table.batch([forms[i] for i in indices], gazetteer=gazetteer)
            yield indices, batch, self.network.context(batch, tasks[0], inputs=inputs)

    def by_language(self, tasks: Sequence[str]) -> list[list[str]]:
        """The tasks in groups, each of which one pass of the network serves."""
        groups: dict[str, list[str]] = {}
        for task in tasks:
            groups.setdefault(self.plan.tasks[task].words, []).append(task)
        return list(groups.values())

    def new_encoder(self, task: str) -> Encoder:
        """An encoder of the language that a task reads, with an empty memory."""
        settings = self.plan.tasks[task]
        vocabularies = {part: self.vocabularies.tags[part].features for part in self.network.features(settings.words)}
        return Encoder(
            self.vocabularies.words[settings.words],
            None if settings.chars is None else self.vocabularies.chars[settings.chars],
            max_characters=self.plan.words[settings.words].max_characters,
            features={part: vocabulary for part, vocabulary in vocabularies.items() if vocabulary},
        )

    def table(self, task: str) -> WordTable:
        """What is known of the words of the language that a task reads."""
        settings = self.plan.tasks[task]
        if settings.words not in self._tables:
            chars = None if settings.chars is None else self.network.chars[settings.chars]
            words = self.network.words[settings.words]
            assert isinstance(words, WordEncoder)
            assert chars is None or isinstance(chars, CharEncoder)
            features = self.network.features(settings.words)
            self._tables[settings.words] = WordTable(self.new_encoder(task), chars, words, features)
        return self._tables[settings.words]

    def _keep_up_with_weights(self) -> None:
        """Pack the weights for tagging and forget what came of others, if any has changed since the last chunk."""
        if self.network.training:  # fresh from `prepare`, or between two steps of training: dropout is on
            self.network.eval()
        version = self.network.version()
        if version != self._version:
            self._version, self._tables = version, {}
        self.network.pack(self.precision)

    def _gazetteer_columns(self, sentences: Sequence[Sequence[str]], tasks: Sequence[str]) -> dict[str, list[Ints]]:
        """The gazetteer's column of each word of each sentence, for the tag parts that have one."""
        parts = {part: self.vocabularies.tags[part] for part in (self.plan.tasks[task].tags for task in tasks)}
        return {
            part: [gazetteer_columns(vocabulary, words) for words in sentences]
            for part, vocabulary in parts.items()
            if vocabulary.gazetteer
        }


T = TypeVar("T", Sentence, Block)


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """A stream in stretches that are sorted by length and put back in order, each short enough to be in memory."""
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
