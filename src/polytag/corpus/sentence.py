"""Sentence and Span: what corpora yield and what taggers take and return. Strings only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_ALTERNATIVES = 1_000  # of a sentence; their memory grows with words times tags times alternatives


@dataclass(frozen=True, slots=True)
class Span:
    """A typed stretch of words: ``words[start:end]``, with its probability where a tagger knows it."""

    type: str
    start: int
    end: int
    probability: float | None = None


class CharSpan(NamedTuple):
    """Characters ``text[start:end]``, of one type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the tag sequences that a tagger thinks most probable, and how probable it is as a whole."""

    tags: tuple[str, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words and, where known, one tag per word for each named task.

    ``lines`` holds the line of each word in the file ``source`` (empty where the words came from elsewhere).
    ``confidence`` holds, for tags that a tagger predicted, the marginal probability of each, and ``alternatives`` the
    most probable tag sequences, best first.
    ``offsets`` holds, for words of a raw text, the characters ``text[start:end]`` at which each stands, and ``misfits``
    the annotated spans of a task that begin or end within a word, whose words have the tag ``?``.
    """

    words: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lines: Sequence[int] = ()
    source: str = ""
    confidence: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    predicted_spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    alternatives: Mapping[str, tuple[Alternative, ...]] = field(default_factory=dict)
    offsets: Sequence[tuple[int, int]] = ()
    misfits: Mapping[str, tuple[CharSpan, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.words)

    def spans(self, task: str) -> list[Span]:
        """The spans of one task, read from its tags as conlleval reads them, whatever the scheme.

        Raises:
            KeyError: the sentence has no tags for this task.
        """
        from polytag.corpus.schemes import spans

        if task in self.predicted_spans:
            return list(self.predicted_spans[task])
        return spans(self.tags[task])
