"""Bytes to numbered lines of text, the same way for each format: gzip and xz, encoding, line ends, and what is no text.

Lines end at LF, CRLF or CR only. ``str.splitlines`` would also cut at U+2028, U+0085, form feeds and the like, and
``str.split`` at no-break spaces; all of these belong to words in real corpora, so neither is used on text here.
"""

import codecs
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import NamedTuple, Protocol

from polytag.compressed import DamagedError
from polytag.corpus.notes import Notes
from polytag.corpus.raw_lines import Source, opened, raw_lines
from polytag.corpus.sentence import Sentence
from polytag.corpus.tokenising import tokeniser
from polytag.errors import CorpusError
from polytag.tokenisers import UNICODE

BLANKS = " \t"

# The ends of `raw_lines`; lines hold none of them, so that lines joined come apart the same way.
_LINE = re.compile(r"[^\r\n]*(?:\r{0,2}\n|\r)|[^\r\n]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_C1 = re.compile(rb"[\x80-\x9f]")
# UTF-8 of UTF-8 that was read as latin-1 or cp1252: no letter is followed by what these make of a second byte.
_TWICE = re.compile(rb"\xc3[\x82\x83]\xc2[\x80-\xbf]|\xc3\xa2(?:\xc2\x80|\xe2\x82\xac)")


class Line(NamedTuple):
    """One line: its number from 1, its text, and the line end that followed (empty at the end of some files)."""

    number: int
    text: str
    end: str


class Block(Protocol):
    """A stretch of the input: a sentence with all that stands around it, or what is no sentence (then None)."""

    @property
    def sentence(self) -> Sentence | None: ...

    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        """The block's text with one tag per word and task added; ``render({})`` is the text as it was.

        A block without a sentence wants the same task names, each with an empty sequence, so that it can keep the
        number of columns regular (-DOCSTART- lines get ``O``).

        Raises:
            ValueError: there is not one tag for each word.
        """
        ...

    def answered(self, found: Sentence, *, span_tasks: Collection[str] = ..., alternatives: int = ...) -> str:
        """The block's text with all that was found: records take it as `as_json` has it, lines take columns.

        ``alternatives`` of each task become columns: so many pairs of a tag and the sequence's probability.
        """
        ...


@dataclass(frozen=True)
class Layout:
    """What the caller said about a file: its name, where words and tags stand, and where rendered tags go."""

    source: str
    word: int | str = 0
    tags: Mapping[str, int | str] = field(default_factory=dict)
    docstart: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    tokeniser: str = UNICODE  # what cuts text into words
    character: int = 0  # at which the first line begins in the whole text
    encoding: str = "auto"  # of the file, and of one beside it that belongs to it
    head: str = ""  # what `Format.head` found before the first line
    records: bool = False  # text is rendered as records of JSONL
    names: Sequence[str] = ()  # of the classes of tags that are numbers
    overlaps: str = "longest"  # which of two spans over the same characters is read
    min_probability: float = 0.0  # below which the words of a span that has a score are unknown
    notes: Notes = field(default_factory=Notes)  # where readers say what they refuse, repair or find odd

    def cut(self, text: str) -> Sequence[tuple[int, int]]:
        """Where the words of a record's text stand; raises as `Tokeniser.words`."""
        return tokeniser(self.tokeniser).words(text)


class Lines:
    """The lines of a file or stream, decoded one by one; ``encoding`` says as what, once they have been read.

    ``encoding="auto"`` reads UTF-8, and latin-1 where the bytes are not UTF-8 and hold no C1 control characters
    (which latin-1 text never does, but cp1252 and other encodings do), which ``notes`` takes. A byte order mark is
    dropped.

    Raises (while iterating):
        CorpusError: the file cannot be opened or read, is damaged gzip or xz, holds NUL bytes or over-long lines, or is
            not in the encoding.
    """

    def __init__(self, source: Source, *, name: str = "", encoding: str = "auto", notes: Notes | None = None) -> None:
        self.source = source
        self.notes = Notes() if notes is None else notes
        self.name = name or (str(source) if isinstance(source, str | PathLike) else "<stream>")
        # Text streams hold characters already; they pass through UTF-8 so that there is one path for all.
        self.declared = "utf-8" if isinstance(source, io.StringIO) else _known(encoding, self.name)
        self.encoding = "ascii" if self.declared == "auto" else self.declared
        self.notes.encodings.add(self.encoding)
        self._decided_at = 0

    def __iter__(self) -> Iterator[Line]:
        try:
            with opened(self.source) as stream:
                for number, raw in enumerate(raw_lines(stream, self.name), 1):
                    yield self._line(number, raw)
        except DamagedError as error:
            raise CorpusError(str(error), path=self.name) from error
        except OSError as error:
            raise unreadable(self.name, error) from error

    def _line(self, number: int, raw: bytes) -> Line:
        if number == 1:
            raw = self._without_mark(raw)
        if b"\0" in raw:
            raise self._error(number, "a NUL byte, expected text (is it a binary file, or UTF-16?)")
        text = self._decode(number, raw)
        body = text.rstrip("\r\n")
        return Line(number, body, text[len(body) :])

    def _without_mark(self, raw: bytes) -> bytes:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and self.declared == "auto":
            raise self._error(1, "a UTF-16 byte order mark, expected UTF-8 or latin-1 text")
        return raw.removeprefix(codecs.BOM_UTF8) if self.declared in ("auto", "utf-8") else raw

    def _decode(self, number: int, raw: bytes) -> str:
        if self.declared == "auto":
            return self._guess(number, raw)
        try:
            text = raw.decode(self.declared)
        except UnicodeError as error:
            found = f"byte {raw[error.start]:#04x}" if isinstance(error, UnicodeDecodeError) else str(error)
            raise self._error(number, f"{found}, expected {self.declared} text") from error
        if not is_encodable(text):  # some codecs make such characters
            raise self._error(number, f"half a surrogate pair, expected {self.declared} text")
        return text

    def _guess(self, number: int, raw: bytes) -> str:
        if raw.isascii():
            return raw.decode("ascii")
        try:
            text, encoding = raw.decode("utf-8"), "utf-8"
        except UnicodeDecodeError as error:
            text, encoding = raw.decode("latin-1"), "latin-1"
            byte = raw[error.start]
            if control := _C1.search(raw):
                message = f"byte {byte:#04x} is not UTF-8 and byte {control[0][0]:#04x} not latin-1"
                raise self._error(number, f"{message}, expected one of them or a named encoding") from error
            if not self._decided_at:
                found = f"byte {byte:#04x} is not UTF-8, so the file is read as latin-1: {text.strip()!r:.60}"
                self._tell("latin-1", number, f"{found}; if that is wrong, name its encoding or convert it to UTF-8")
        if self._decided_at and encoding != self.encoding:
            message = f"{encoding} text in a file whose line {self._decided_at} is {self.encoding}"
            raise self._error(number, f"{message}, expected one encoding or a named one")
        if not self._decided_at:
            self.encoding, self._decided_at = encoding, number
            self.notes.encodings.add(encoding)
        if encoding == "utf-8" and (twice := _TWICE.search(raw)):
            found = f"{twice[0].decode()!r} in {text.strip()!r:.60} looks like UTF-8 that was read as latin-1"
            self._tell("encoded twice", number, f"{found} and written as UTF-8 once more")
        return text

    def _tell(self, kind: str, number: int, text: str) -> None:
        self.notes.tell(kind, text, path=self.name, line=number)

    def _error(self, number: int, message: str) -> CorpusError:
        return CorpusError(message, path=self.name, line=number)


def is_encodable(text: str) -> bool:
    """Whether a file can hold a text: JSON, and names of files, may have halves of surrogate pairs."""
    return text.isascii() or _SURROGATE.search(text) is None


def unreadable(path: str, error: OSError) -> CorpusError:
    """The error for a file that the system cannot open or read, in the system's own words."""
    return CorpusError(f"cannot be read: {error.strerror or error}, expected a readable file", path=path)


def existing(path: str | PathLike[str]) -> Path:
    """A path at which there is something.

    Raises:
        CorpusError: there is not.
    """
    if not Path(path).exists():
        raise CorpusError("no such file, expected a corpus", path=path)
    return Path(path)


def paragraphs(lines: Iterable[Line], alone: Callable[[str], bool] = lambda _: False) -> Iterator[list[Line]]:
    """Runs of lines between blank ones; each blank line, and each line that ``alone`` accepts, comes by itself."""
    run: list[Line] = []
    for line in lines:
        single = not line.text.strip(BLANKS) or alone(line.text)
        if single and run:
            yield run
            run = []
        if single:
            yield [line]
        else:
            run.append(line)
    if run:
        yield run


def lines_of(text: str, *, first: int = 1) -> Iterator[Line]:
    """The lines of a text that has been decoded; ``first`` is the number of the first."""
    for number, whole in enumerate(_LINE.findall(text), first):
        body = whole.rstrip("\r\n")
        yield Line(number, body, whole[len(body) :])


def original(lines: Iterable[Line]) -> str:
    """The text that the lines were read from."""
    return "".join(line.text + line.end for line in lines)


def tag_rows(tags: Mapping[str, Sequence[str]], sentence: Sentence) -> list[tuple[str, ...]]:
    """One row of tags per word, in the order of the tasks.

    Raises:
        ValueError: a task has not one tag for each word.
    """
    for task, values in tags.items():
        if len(values) != len(sentence):
            raise ValueError(f"task '{task}' has {len(values)} tags, expected one for each of {len(sentence)} words")
    return list(zip(*tags.values(), strict=True)) if tags else [()] * len(sentence)


def _known(encoding: str, name: str) -> str:
    """The codec's own name, for codecs that keep line ends as single bytes."""
    if encoding == "auto":
        return encoding
    try:
        if "\n".encode(encoding) == b"\n":
            return codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise CorpusError(
            f"unknown encoding '{encoding!s:.60}', expected 'auto' or a Python codec", path=name
        ) from error
    raise CorpusError(f"encoding '{encoding}' is not ASCII-based, expected a file converted to UTF-8", path=name)
