"""What words are: one rule, a tokeniser, cuts them from text; it sees no annotation, in training, scoring and tagging.

unicode       by what Unicode says of characters, in any language (`unicode_words`)
blanks        words are parted by blanks, and a sentence is a line: text that was tokenised by others
spacy:CODE    by spaCy's rules for a language (`spacy_words`)
legacy:CODE   records by blanks, raw text by spaCy's rules: models from before a plan named its tokeniser

A raw text becomes sentences: a blank line ends one, and so does what the tokeniser takes for the end of one. A single
line end does not: it is a blank like any other, for most texts are wrapped. The text of a record is one sentence.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain

from polytag.corpus import unicode_words
from polytag.corpus.sentence import Sentence
from polytag.corpus.spacy_words import spacy_words
from polytag.errors import PlanError
from polytag.tokenisers import TOKENISERS, UNICODE, is_tokeniser

PARAGRAPH = 50_000  # characters that are split at a time: a longer paragraph is cut after a sentence, else at a blank

Offset = tuple[int, int]
Split = Callable[[str, int], Iterable[Sequence[Offset]]]  # a stretch of text, and at which character it begins

_END = r"(?>\r{0,2}\n|\r)"  # a line end, as `polytag.corpus.text` knows them, never taken apart
_BLANK_LINES = re.compile(rf"{_END}(?:[^\S\r\n]*{_END})+")
_LINE = re.compile(rf"[^\r\n]+(?:{_END})?|{_END}")
_ANY_END = re.compile(r"[\r\n]")
_BETWEEN_BLANKS = re.compile(r"[^ \t\r\n]+")


class Tokeniser:
    """Cuts texts into words and sentences; any number of threads may share one.

    Raises:
        PlanError: there is none of this name.
    """

    def __init__(self, name: str = UNICODE) -> None:
        if not is_tokeniser(name):
            raise PlanError(f"found tokeniser '{name}', expected {TOKENISERS}")
        self.name = name
        self._kind, _, self._language = name.partition(":")

    def load(self) -> "Tokeniser":
        """Load what splitting raw text takes, which is otherwise done when it is first needed.

        Raises:
            PolytagError: spaCy is not installed.
            PlanError: it has no rules for the language, or they need a package that is not installed.
        """
        self._split()
        return self

    def words(self, text: str) -> Sequence[Offset]:
        """Where the words of a record's text stand, ``text[start:end]``, all in one sentence; raises as `load`."""
        if self._kind in ("blanks", "legacy"):
            return [word.span() for word in _BETWEEN_BLANKS.finditer(text)]
        if self._kind == UNICODE and len(text) <= PARAGRAPH and not _ANY_END.search(text):
            return unicode_words.words(text)
        return list(chain.from_iterable(self._split()(text)))

    def sentences(self, text: str) -> Iterator[Sentence]:
        """The sentences of a raw text as they are found, with ``offsets``; every character but blanks is in a word.

        ``text[start:end]`` is the word of each offset. Memory does not grow with the text. Raises as `load`.
        """
        return (
            Sentence(tuple([text[start:end] for start, end in places]), offsets=tuple(places))
            for places in self._split()(text)
        )

    def _split(self) -> Callable[[str], Iterator[Sequence[Offset]]]:
        if self._kind == "blanks":
            return _lines
        return partial(_paragraphs, split=spacy_words(self._language).split if self._language else unicode_words.split)


@lru_cache(maxsize=32)
def tokeniser(name: str) -> Tokeniser:
    """A tokeniser, kept; raises as `Tokeniser` does."""
    return Tokeniser(name)


def _lines(text: str) -> Iterator[Sequence[Offset]]:
    for line in _LINE.finditer(text):
        if places := [word.span() for word in _BETWEEN_BLANKS.finditer(text, line.start(), line.end())]:
            yield places


def _paragraphs(text: str, *, split: Split) -> Iterator[Sequence[Offset]]:
    start = 0
    for blank in chain(_BLANK_LINES.finditer(text), [None]):
        stop, after = blank.span() if blank else (len(text), len(text))
        yield from _parts(text, start, stop, split)
        start = after


def _parts(text: str, start: int, end: int, split: Split) -> Iterator[Sequence[Offset]]:
    """The sentences of a paragraph; the last one of a part is split again with what follows it."""
    while start < end:
        stop = _part(text, start, end)
        sentences = list(split(text[start:stop], start))
        if stop < end and len(sentences) > 1:
            stop = sentences.pop()[0][0]
        yield from sentences
        start = stop


def _part(text: str, start: int, end: int) -> int:
    """Where the part that is split next ends: after a blank if there is one."""
    if end - start <= PARAGRAPH:
        return end
    blank = next((at for at in range(start + PARAGRAPH, start, -1) if text[at - 1].isspace()), 0)
    return blank or start + PARAGRAPH
