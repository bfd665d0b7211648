"""How an input is written that nothing tells: raw text or columns, by its first lines."""

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from itertools import groupby, islice
from os import PathLike
from pathlib import Path
from typing import IO, NamedTuple, cast

from polytag.corpus.documents import format_of
from polytag.corpus.formats.conll import is_docstart, split
from polytag.corpus.tag_rules import parse
from polytag.corpus.text import Line, Lines
from polytag.errors import CorpusError

PEEK, PEEK_BYTES = 200, 1 << 16  # lines that tell columns from plain text; bytes of a stream in which they are sought
TAGS_MOST, TAGS_LINES = 60, 20  # so few different last words on so many lines are tags

Input = str | PathLike[str] | IO[bytes]


class Recognised(NamedTuple):
    """An input, to be read from here on in place of the one given, and its format: a guess, or told or by suffix."""

    source: Input
    format: str
    is_guess: bool = False


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
