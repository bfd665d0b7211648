"""What could be suggested: sentences with the text that they stand in, read as `polytag tag` reads them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby, islice
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from polytag.corpus.documents import blocks, format_of
from polytag.corpus.formats.conll import is_docstart, split
from polytag.corpus.formats.jsonl import JsonlBlock
from polytag.corpus.offsets import Offsets, located
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import parse
from polytag.corpus.text import Block, Line, Lines
from polytag.errors import CorpusError

PEEK, PEEK_BYTES = 200, 1 << 16  # lines that tell columns from plain text; bytes of a stream in which they are sought
TAGS_MOST, TAGS_LINES = 60, 20  # so few different last words on so many lines are tags

Input = str | PathLike[str] | IO[bytes]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence, its text, and where each word stands in it: ``text[start:end]``."""

    sentence: Sentence
    text: str
    offsets: tuple[Offsets, ...]


class Recognised(NamedTuple):
    """An input, to be read from here on in place of the one given, and its format: a guess, or told or by suffix."""

    source: Input
    format: str
    is_guess: bool = False


def candidates(
    source: Input,
    *,
    format: str = "auto",
    word: int = 0,
    language: str = "xx",
    name: str = "<stdin>",
) -> Iterator[Candidate]:
    """The sentences of a file or stream, as they are asked for.

    Args:
        source: a path, or a stream that ``name`` stands for in errors.
        format: as for `polytag.corpus.blocks`, but that "auto" is what `recognised` says.
        word: the column of the words (conll).
        language: whose rules split raw text.

    Raises:
        CorpusError: at once, where the format cannot be tagged; while reading, where the input is not in it.
        PolytagError: raw text cannot be split here.
    """
    source, chosen, _ = recognised(source, format=format, name=name)
    name = str(source) if isinstance(source, str | PathLike) else name
    return _candidates(blocks(source, format=chosen, word=word, source=name, language=language, records=True))


def recognised(source: Input, *, format: str = "auto", name: str = "<stdin>") -> Recognised:
    """The format of an input; a guess from its first lines where it is "auto" and no suffix tells: .txt and streams.

    Raises:
        CorpusError: there is no such format.
    """
    is_path = isinstance(source, str | PathLike)
    name = str(source) if is_path else name
    chosen = format_of(name, format)
    is_open = Path(name.removesuffix(".gz")).suffix in ((".txt",) if is_path else (".txt", ""))
    if format != "auto" or chosen != "conll" or not is_open:
        return Recognised(source, chosen)
    if isinstance(source, str | PathLike):
        found = _looks_like_text(Lines(source)) if Path(source).is_file() else None
    else:
        head = source.read(PEEK_BYTES)
        end = head.rfind(b"\n") + 1 if len(head) == PEEK_BYTES else 0  # the last line may be cut off
        found = _looks_like_text(Lines(BytesIO(head[:end] or head)))
        source = cast(IO[bytes], _Continued(head, source))
    return Recognised(source, "text" if found else chosen, is_guess=found is not None)


class _Continued:
    """A stream from which some bytes have been read, whole again; unlike with ``peek``, these may come bit by bit."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._read = getattr(rest, "read1", rest.read)

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head or cast(bytes, self._read(size))


class Watched:
    """A stream as it comes, which calls ``tell`` if its beginning looks like raw text, once that has come.

    Nothing is waited for: the beginning is judged when its ``PEEK_BYTES``, or the end, pass by.
    """

    def __init__(self, source: IO[bytes], tell: Callable[[], None]) -> None:
        self._read = getattr(source, "read1", source.read)
        self._tell = tell
        self._head: bytes | None = b""

    def read(self, size: int) -> bytes:
        found = cast(bytes, self._read(size))
        if self._head is not None:
            self._head += found
            if not found or len(self._head) >= PEEK_BYTES:
                self._judge(self._head, is_whole=not found)
        return found

    def _judge(self, head: bytes, *, is_whole: bool) -> None:
        self._head = None
        end = len(head) if is_whole else head.rfind(b"\n") + 1  # the last line may be cut off
        if _looks_like_text(Lines(BytesIO(head[:end] or head))):
            self._tell()


def _looks_like_text(lines: Iterable[Line]) -> bool | None:
    """Whether the first lines are not in columns; None if there are none, or none that can be read."""
    try:
        first = [line.text for line in islice(lines, PEEK)]
    except CorpusError:  # told with its place when the input is read
        return None
    if not any(map(split, first)):
        return None
    return not any(map(is_docstart, first)) and not _are_columns([split(text) for text in first])


def _are_columns(rows: Sequence[Sequence[str]]) -> bool:
    """Several lines, all as wide, that hold a word each, or end in tags, or stand in sentences of several lines."""
    rows = [row for row in rows if row[:1] != ["#"]]  # comments
    filled = [row for row in rows if row]
    if len(filled) < 2 or len({len(row) for row in filled}) > 1:
        return False
    sentences = [len(list(run)) for is_filled, run in groupby(rows, key=bool) if is_filled]
    are_parted = len(sentences) > 1 and max(sentences) > 1
    return len(filled[0]) == 1 or are_parted or _are_tags([row[-1] for row in filled])


def _are_tags(column: Sequence[str]) -> bool:
    """Whether words are tags of spans, or few and repeated."""
    different = len(set(column))
    are_few = len(column) >= TAGS_LINES and different <= min(TAGS_MOST, len(column) // 2)
    return are_few or all(parse(tag) for tag in column)


def _candidates(found: Iterable[Block]) -> Iterator[Candidate]:
    for block in found:
        if block.sentence is not None and len(block.sentence):
            yield _placed(block.sentence, _record(block))


def _record(block: Block) -> dict[str, Any]:
    """The text and the places of words, as far as the input has them."""
    record = block.record if isinstance(block, JsonlBlock) else None
    return {**record[1], "text": record[0]} if isinstance(record, list) else record or {}


def _placed(sentence: Sentence, record: dict[str, Any]) -> Candidate:
    """A sentence in its text, or in one made of its words where there is none or it has other words."""
    made = " ".join(sentence.words)
    text = record.get("text")
    text = text if isinstance(text, str) else made
    places = tuple(Offsets(*place) for place in record.get("offsets", ()))
    if tuple(text[start:end] for start, end in places) == sentence.words:
        return Candidate(sentence, text, places)
    try:
        return Candidate(sentence, text, tuple(located(text, sentence.words)))
    except ValueError:
        return Candidate(sentence, made, tuple(located(made, sentence.words)))
