"""How an input is written that nothing tells, by its first lines."""

from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import IO, NamedTuple, cast

from polytag.compressed import uncompressed_name
from polytag.corpus.documents import PEEK, format_of
from polytag.corpus.formats import DEFAULT, looks_like
from polytag.corpus.text import BLANKS, Line, Lines
from polytag.errors import CorpusError

PEEK_BYTES = 1 << 16  # of a stream, in which its first lines are sought

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
    is_open = Path(uncompressed_name(name)).suffix in ((".txt",) if is_path else (".txt", ""))
    if format != "auto" or chosen != DEFAULT or not is_open:
        return Recognised(source, chosen)
    if isinstance(source, str | PathLike):
        found = _guess(Lines(source)) if Path(source).is_file() else None
    else:
        head = source.read(PEEK_BYTES)
        end = head.rfind(b"\n") + 1 if len(head) == PEEK_BYTES else 0  # the last line may be cut off
        found = _guess(Lines(BytesIO(head[:end] or head)))
        source = cast(IO[bytes], _Continued(head, source))
    return Recognised(source, found or chosen, is_guess=found is not None)


class _Continued:
    """A stream from which some bytes have been read, whole again; unlike with ``peek``, these may come bit by bit."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._read = getattr(rest, "read1", rest.read)

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head or cast(bytes, self._read(size))


class Watched:
    """A stream as it comes, which calls ``tell`` with what its beginning looks like, if that is not columns.

    Nothing is waited for: the beginning is judged when its ``PEEK_BYTES``, or the end, pass by.
    """

    def __init__(self, source: IO[bytes], tell: Callable[[str], None]) -> None:
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
        found = _guess(Lines(BytesIO(head[:end] or head)))
        if found is not None and found != DEFAULT:
            self._tell(found)


def _guess(lines: Iterable[Line]) -> str | None:
    """The format that the first lines look like; None if there are none, or none that can be read."""
    try:
        first = [line.text for line in islice(lines, PEEK)]
    except CorpusError:  # told with its place when the input is read
        return None
    return looks_like(first) if any(text.strip(BLANKS) for text in first) else None
