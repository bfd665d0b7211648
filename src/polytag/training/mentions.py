"""Mentions in each other's places, for small corpora: mention replacement of Dai and Adel (2020)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from polytag.corpus.schemes import UNKNOWN, spans, write
from polytag.corpus.sentence import Sentence, Span

SCHEME = "iob2"  # of the tags of a sentence with others' mentions


class Mentions:
    """The distinct mentions of a task's training sentences, by type."""

    def __init__(self, sentences: Sequence[Sentence], task: str, probability: float) -> None:
        """``probability`` that a mention makes room for another of its type."""
        self.task, self.probability = task, probability
        mentions: dict[str, dict[tuple[str, ...], None]] = {}
        for sentence in filter(self._is_whole, sentences):
            for span in spans(sentence.tags[task]):
                mentions.setdefault(span.type, {})[_words(sentence, span)] = None
        self._listed = {type_: list(of) for type_, of in mentions.items()}

    def _is_whole(self, sentence: Sentence) -> bool:
        return UNKNOWN not in sentence.tags[self.task]

    def replaced(self, sentence: Sentence, draw: np.random.Generator) -> Sentence | None:
        """The sentence with others' mentions, its tags in `SCHEME`; None where all stay or a tag is unknown."""
        found = spans(sentence.tags[self.task]) if self._is_whole(sentence) else []
        chosen = {span: self._other(span.type, _words(sentence, span), draw)
                  for span in found if draw.random() < self.probability}  # fmt: skip
        if not any(chosen.values()):
            return None
        words: list[str] = []
        moved: list[Span] = []
        end = 0
        for span in found:
            words += sentence.words[end : span.start]
            start, end = len(words), span.end
            words += chosen.get(span) or _words(sentence, span)
            moved.append(replace(span, start=start, end=len(words)))
        words += sentence.words[end:]
        return Sentence(tuple(words), {self.task: write(moved, len(words), scheme=SCHEME)})

    def _other(self, type_: str, own: tuple[str, ...], draw: np.random.Generator) -> tuple[str, ...] | None:
        others = self._listed[type_]
        found = others[draw.integers(len(others))]
        return None if found == own else found


def _words(sentence: Sentence, span: Span) -> tuple[str, ...]:
    return tuple(sentence.words[span.start : span.end])
