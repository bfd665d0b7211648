"""Sentence and Span: what corpora yield and what taggers take and return. Strings only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import chain, pairwise
from typing import NamedTuple

MOST_ALTERNATIVES = 1_000  # of a sentence; their memory grows with words times tags times alternatives


@dataclass(frozen=True, slots=True)
class Span:
    """A typed stretch of words: ``words[start:end]``, with its probability, 0 to 1, where a tagger knows it.

    `Sentence.spans` adds the ``text``, whose words have a blank between them where the text has anything, and where
    the words stand in a text, the ``characters`` ``text[start:end]``. Neither counts when spans are compared.
    """

    type: str
    start: int
    end: int
    probability: float | None = None
    text: str | None = field(default=None, compare=False)
    characters: tuple[int, int] | None = field(default=None, compare=False)


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


@dataclass(frozen=True, slots=True, repr=False)
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

    def __repr__(self) -> str:
        """The fields that hold something, as Python would write them."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        held = (f"{name}={value!r}" for name, value in told.items() if len(value) or name == "words")
        return f"Sentence({', '.join(held)})"

    def __str__(self) -> str:
        """The words with what is said of them, a line for each task; the words alone where nothing is."""
        from polytag.corpus.marked import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        """The same for notebooks, spans in colours."""
        from polytag.corpus.marked import as_html

        return as_html(self)

    def text(self, start: int = 0, end: int | None = None) -> str:
        """The words from ``start`` to ``end``, with a blank between two unless one begins where the other ends."""
        words, offsets = self.words[start:end], self.offsets[start:end]
        if not len(offsets):
            return " ".join(words)
        gaps = ["", *(" " if after[0] > before[1] else "" for before, after in pairwise(offsets))]
        return "".join(chain.from_iterable(zip(gaps, words, strict=True)))

    def spans(self, task: str) -> list[Span]:
        """The spans of one task, read from its tags as conlleval reads them, whatever the scheme.

        Each has its text, and where the words stand in a text, its characters there.

        Raises:
            KeyError: the sentence has no tags for this task.
        """
        from polytag.corpus.schemes import spans

        found = self.predicted_spans[task] if task in self.predicted_spans else spans(self.tags[task])
        return [
            replace(span, text=self.text(span.start, span.end), characters=self._characters(span)) for span in found
        ]

    def _characters(self, span: Span) -> tuple[int, int] | None:
        return (self.offsets[span.start][0], self.offsets[span.end - 1][1]) if len(self.offsets) else None
