"""Raw text to sentences by spaCy's rules for a language; each word knows at which characters of the text it stands.

A blank line ends a sentence, and so does what the language's rules take for the end of one. A single line end does not:
it is a blank like any other, for most texts are wrapped. Text that is split already has a sentence per line, its words
parted by blanks, and needs no spaCy.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from polytag.corpus.sentence import Sentence
from polytag.errors import PlanError, PolytagError, nearest

ANY_LANGUAGE = "xx"  # spaCy's rules that hold for many languages
MISSING = (
    "raw text is split into sentences and words by spaCy, which is not installed: pip install 'polytag[text]', "
    "or say --from tokenised if each line is a sentence and its words are parted by blanks"
)

PARAGRAPH = 50_000  # characters that are split at a time: a longer paragraph is cut after a sentence, else at a blank
STRETCH = 200  # characters without a blank: spaCy's time grows with the square of what punctuation such a stretch holds
STRINGS = 200_000  # words that spaCy may remember before it starts anew: it never forgets one

Offset = tuple[int, int]

_END = r"(?>\r{0,2}\n|\r)"  # a line end, as `polytag.corpus.text` knows them, never taken apart
_BLANK_LINES = re.compile(rf"{_END}(?:[^\S\r\n]*{_END})+")
_LINE = re.compile(rf"[^\r\n]+(?:{_END})?|{_END}")
_TOKENISED = re.compile(r"[^ \t\r\n]+")
_WORD = re.compile(r"\S+")
_CUT = re.compile(rf"\S{{1,{STRETCH}}}|\s+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Splitter:
    """Splits texts of one language; loading the rules takes about a tenth of a second, importing spaCy a second.

    ``tokenised`` says that the texts are split already: a sentence per line, words parted by blanks or tabs.

    Raises:
        PlanError: spaCy has no rules for the language, or they need a package that is not installed.
        PolytagError: spaCy is not installed.
    """

    def __init__(self, language: str = ANY_LANGUAGE, *, tokenised: bool = False) -> None:
        self.language, self.tokenised = language, tokenised
        self._rules = None if tokenised else _Rules(language)

    def sentences(self, text: str) -> Iterator[Sentence]:
        """The sentences of a text as they are found, with ``offsets``; every character but blanks is in a word.

        ``text[start:end]`` is the word of each offset. Memory does not grow with the text.
        """
        if self._rules is None:
            yield from _lines(text)
            return
        if self._rules.remembered > STRINGS:
            self._rules = _Rules(self.language)
        for start, end in _paragraphs(text):
            yield from _split(text, start, end, self._rules)


@lru_cache(maxsize=8)
def splitter(language: str) -> Splitter:
    """A splitter of a language, kept, for loading one takes time; raises as `Splitter` does."""
    return Splitter(language)


def check_installed() -> None:
    """See to it that raw text can be split, without loading spaCy.

    Raises:
        PolytagError: spaCy is not installed.
    """
    if find_spec("spacy") is None:
        raise PolytagError(MISSING)


class _Rules:
    """spaCy's tokenizer and sentencizer for a language."""

    def __init__(self, language: str) -> None:
        check_installed()
        import spacy

        if problem := unknown_language(language):
            raise PlanError(problem)
        try:
            self._pipeline: Any = spacy.blank(language)
        except ImportError as error:
            reason = str(error).split(":")[0]
            raise PlanError(f"spaCy's rules for language '{language}' need another package ({reason})") from error
        self._pipeline.add_pipe("sentencizer", config={"overwrite": True})  # documents joined have boundaries
        known = getattr(self._pipeline.tokenizer, "rules", None) or ()
        self._may_hold_blanks = any(len(word.split()) > 1 for word in known)  # "EE. UU." is one word to spaCy

    @property
    def remembered(self) -> int:
        return len(self._pipeline.vocab.strings)

    def split(self, text: str, start: int) -> Iterator[list[Offset]]:
        """The offsets of the words of each sentence, ``text`` beginning at character ``start`` of the whole."""
        doc = self._tokens(text if text.isascii() else _SURROGATE.sub("\ufffd", text))
        for _, component in self._pipeline.pipeline:
            doc = component(doc)
        words: list[Offset] = []
        for place, length, is_blank, boundary in doc.to_array(["IDX", "LENGTH", "IS_SPACE", "SENT_START"]).tolist():
            if boundary == 1 and words:
                yield words
                words = []
            if not is_blank:
                words += self._words(text, place, length, start)
        if words:
            yield words

    def _words(self, text: str, place: int, length: int, start: int) -> list[Offset]:
        if not self._may_hold_blanks:
            return [(start + place, start + place + length)]
        return [(start + word.start(), start + word.end()) for word in _WORD.finditer(text, place, place + length)]

    def _tokens(self, text: str) -> Any:
        """A document of spaCy's; stretches that would take it too long are cut, which ends no sentence."""
        from spacy.tokens import Doc

        if max(map(len, text.split()), default=0) <= STRETCH:
            return self._pipeline.tokenizer(text)
        parts, last = [], 0
        for match in _CUT.finditer(text):
            if match.end() - match.start() == STRETCH:
                parts.append(text[last : match.end()])
                last = match.end()
        docs = [self._pipeline.tokenizer(part) for part in (*parts, text[last:]) if part]
        return Doc.from_docs(docs, ensure_whitespace=False)


def unknown_language(code: str) -> str:
    """What to say of a code of which spaCy has no rules; empty where it has some, or is not installed."""
    if find_spec("spacy") is None or code in _languages():
        return ""
    return f"there are no rules for language '{code}'{nearest(code, _languages())}"


def _languages() -> list[str]:
    """The codes of the languages that spaCy has rules for."""
    from pkgutil import iter_modules

    import spacy.lang

    return [module.name for module in iter_modules(spacy.lang.__path__) if module.ispkg]


def _lines(text: str) -> Iterator[Sentence]:
    for line in _LINE.finditer(text):
        found = [word.span() for word in _TOKENISED.finditer(text, line.start(), line.end())]
        if found:
            yield _sentence(text, found)


def _paragraphs(text: str) -> Iterator[Offset]:
    start = 0
    for blank in _BLANK_LINES.finditer(text):
        if blank.start() > start:
            yield start, blank.start()
        start = blank.end()
    if start < len(text):
        yield start, len(text)


def _split(text: str, start: int, end: int, rules: _Rules) -> Iterator[Sentence]:
    """The sentences of a paragraph; the last one of a part is split again with what follows it."""
    while start < end:
        stop = _part(text, start, end)
        found = list(rules.split(text[start:stop], start))
        if stop < end and len(found) > 1:
            stop = found.pop()[0][0]
        yield from (_sentence(text, words) for words in found)
        start = stop


def _part(text: str, start: int, end: int) -> int:
    """Where the part that is split next ends: after a blank if there is one."""
    if end - start <= PARAGRAPH:
        return end
    blank = next((at for at in range(start + PARAGRAPH, start, -1) if text[at - 1].isspace()), 0)
    return blank or start + PARAGRAPH


def _sentence(text: str, places: list[Offset]) -> Sentence:
    return Sentence(tuple([text[start:end] for start, end in places]), offsets=tuple(places))
