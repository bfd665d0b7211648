"""The training sentences of all tasks as numbers, and the batches of them that the steps of a training see."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from polytag.corpus.sentence import Sentence
from polytag.tagger.packing import Ints
from polytag.training.batch import Batch, Mask
from polytag.training.casing import in_cases, recased
from polytag.training.encoder import Encoder, gazetteer_columns
from polytag.training.mentions import SCHEME as MENTIONS
from polytag.training.mentions import Mentions
from polytag.training.prepare import Prepared
from polytag.training.schedule import Turn
from polytag.training.unknown import gold_of

Encoded = tuple[Ints, Ints | Mask, Ints | None]  # word forms, tags (or what they may be), gazetteer columns


class Examples:
    """What `Prepared` has to train on; ``rank`` is that of the process, which draws its own replacements."""

    def __init__(self, prepared: Prepared, *, rank: int) -> None:
        self.prepared, self.rank = prepared, rank
        self.plan, self.vocabularies = prepared.plan, prepared.vocabularies
        self.encoders: dict[str, Encoder] = {}
        self._mentions: dict[str, Mentions] = {}
        self.encoded = {task: self._encode(task) for task in self.plan.tasks}

    def words(self, turn: Turn) -> int:
        """How many words the sentences of a step have."""
        return sum(len(self.encoded[turn.task][i][0]) for i in turn.sentences)

    def batch(self, turn: Turn, number: int = 0) -> Batch:
        """The sentences of a step, the ``number``-th of the training."""
        settings = self.plan.tasks[turn.task]
        forms, tags, columns = zip(*self.seen(turn, number), strict=True)
        gazetteer = {} if columns[0] is None else {settings.tags: columns}
        gold = gold_of(tags, len(self.vocabularies.tags[settings.tags]))
        features = [part for part in self.prepared.network.features(settings.words) if part == settings.tags]
        return self.encoders[settings.words].batch(forms, **gold, gazetteer=gazetteer, features=features)

    def seen(self, turn: Turn, number: int) -> Sequence[Encoded]:
        """The same, each by itself; where some are read otherwise than written, a seed of its own draws which."""
        task, settings = turn.task, self.plan.tasks[turn.task]
        if not (settings.mention_replacement or settings.case_augmentation):
            return [self.encoded[task][i] for i in turn.sentences]
        draw = np.random.default_rng([self.plan.training.seed, number, self.rank])
        given = self.prepared.sentences[task]["train"]
        drawn = [self._drawn(task, given[i], draw) for i in turn.sentences]
        return [
            self.encoded[task][i] if sentence is given[i] else self._encoded(task, sentence, scheme)
            for i, (sentence, scheme) in zip(turn.sentences, drawn, strict=True)
        ]

    def _drawn(self, task: str, sentence: Sentence, draw: np.random.Generator) -> tuple[Sentence, str]:
        """A sentence with others' mentions, in another case, both or as it is, and the scheme of its tags."""
        settings, mentions, scheme = self.plan.tasks[task], self._mentions.get(task), self.plan.tasks[task].scheme
        if mentions is not None and (other := mentions.replaced(sentence, draw)):
            sentence, scheme = other, MENTIONS
        if settings.case_augmentation:
            sentence = recased(sentence, settings.case_augmentation, draw)
        return sentence, scheme

    def _encode(self, task: str) -> list[Encoded]:
        settings = self.plan.tasks[task]
        if settings.words not in self.encoders:
            self.encoders[settings.words] = Encoder.of(self.plan, self.vocabularies, task)
        sentences = self.prepared.sentences[task]["train"]
        if settings.mention_replacement:
            self._mentions[task] = Mentions(sentences, task, settings.mention_replacement)
        encoded = [self._encoded(task, sentence, settings.scheme) for sentence in sentences]
        if settings.case_augmentation:  # numbered before they are drawn: a resumed training draws others first
            for words in chain.from_iterable(in_cases(sentence.words) for sentence in sentences):
                self.encoders[settings.words].forms(words)
        return encoded

    def _encoded(self, task: str, sentence: Sentence, scheme: str) -> Encoded:
        settings = self.plan.tasks[task]
        encoder, vocabulary = self.encoders[settings.words], self.vocabularies.tags[settings.tags]
        return (
            encoder.forms(sentence.words),
            vocabulary.encoded(sentence.tags[task], scheme=scheme, marks=settings.marks),
            gazetteer_columns(vocabulary, sentence.words) if vocabulary.gazetteer else None,
        )
