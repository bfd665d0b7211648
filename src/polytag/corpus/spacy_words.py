"""Words and sentences of raw text by spaCy's rules for a language: for who wants those, `polytag[text]`."""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from threading import Lock
from typing import Any

from polytag.errors import PlanError, PolytagError, nearest

MISSING = (
    "tokeniser 'spacy:{0}' is spaCy's, which is not installed: pip install 'polytag[text]', or name another: "
    "unicode, or blanks if each line is a sentence and its words are parted by blanks"
)
STRETCH = 200  # characters without a blank: spaCy's time grows with the square of what punctuation such a stretch holds
STRINGS = 200_000  # words that spaCy may remember before it starts anew: it never forgets one

Offset = tuple[int, int]

_WORD = re.compile(r"\S+")
_CUT = re.compile(rf"\S{{1,{STRETCH}}}|\s+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class SpacyWords:
    """spaCy's tokenizer and sentencizer for a language; one thread at a time has them, others wait.

    Loading the rules takes about a tenth of a second, importing spaCy a second.

    Raises:
        PolytagError: spaCy is not installed.
        PlanError: it has no rules for the language, or they need a package that is not installed.
    """

    def __init__(self, language: str) -> None:
        self.language, self._lock = language, Lock()
        self._start()

    def words(self, text: str, start: int = 0) -> list[Offset]:
        """Where the words stand; the text begins at character ``start`` of the whole."""
        return [place for sentence in self.split(text, start) for place in sentence]

    def split(self, text: str, start: int = 0) -> list[list[Offset]]:
        """The words of each sentence."""
        with self._lock:
            if len(self._pipeline.vocab.strings) > STRINGS:
                self._start()
            return list(self._sentences(text, start))

    def _start(self) -> None:
        check_installed(self.language)
        import spacy

        if problem := unknown_language(self.language):
            raise PlanError(problem)
        try:
            self._pipeline: Any = spacy.blank(self.language)
        except ImportError as error:
            reason = str(error).split(":")[0]
            raise PlanError(f"spaCy's rules for language '{self.language}' need another package ({reason})") from error
        self._pipeline.add_pipe("sentencizer", config={"overwrite": True})  # documents joined have boundaries
        known = getattr(self._pipeline.tokenizer, "rules", None) or ()
        self._may_hold_blanks = any(len(word.split()) > 1 for word in known)  # "EE. UU." is one word to spaCy

    def _sentences(self, text: str, start: int) -> Iterator[list[Offset]]:
        doc = self._tokens(text if text.isascii() else _SURROGATE.sub("\ufffd", text))
        for _, component in self._pipeline.pipeline:
            doc = component(doc)
        words: list[Offset] = []
        for place, length, is_blank, boundary in doc.to_array(["IDX", "LENGTH", "IS_SPACE", "SENT_START"]).tolist():
            if boundary == 1 and words:
                yield words
                words = []
            if not is_blank:
                words += self._places(text, place, length, start)
        if words:
            yield words

    def _places(self, text: str, place: int, length: int, start: int) -> list[Offset]:
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


@lru_cache(maxsize=8)
def spacy_words(language: str) -> SpacyWords:
    """The rules of a language, kept; raises as `SpacyWords` does."""
    return SpacyWords(language)


def check_installed(language: str) -> None:
    """See to it that spaCy is there, without loading it.

    Raises:
        PolytagError: it is not installed.
    """
    if find_spec("spacy") is None:
        raise PolytagError(MISSING.format(language))


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
