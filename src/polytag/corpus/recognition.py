"""How an input is written that nothing tells, by its first lines."""

from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO, TextIOBase
from itertools import islice, zip_longest
from os import PathLike
from pathlib import Path
from typing import IO, NamedTuple, cast

from polytag.compressed import uncompressed_name
from polytag.corpus.convert import SUFFIXES
from polytag.corpus.documents import PEEK, format_of, told_by_name
from polytag.corpus.formats import DEFAULT, looks_like
from polytag.corpus.notes import Notes
from polytag.corpus.raw_lines import Source
from polytag.corpus.text import BLANKS, Line, Lines
from polytag.errors import CorpusError

PEEK_BYTES = 1 << 16  # of a stream, in which its first lines are sought
_NAMES = {"text": "raw text"}


class Recognised(NamedTuple):
    """An input, to be read from here on in place of the one given, and its format."""

    source: Source
    format: str


def recognised(
    source: Source, *, format: str = "auto", name: str = "<stdin>", notes: Notes | None = None
) -> Recognised:
    """The format of an input: as told, by its suffix, or guessed from its first lines; columns where these are none.

    Where that is a guess, and not of columns, ``notes`` are told, and where one of the columns of a file holds texts.

    Raises:
        CorpusError: there is no such format.
    """
    is_path = isinstance(source, str | PathLike)
    name = str(source) if is_path else name
    chosen = format_of(name, format)
    if (
        format != "auto"
        or isinstance(source, TextIOBase)
        or told_by_name(name)
        or Path(uncompressed_name(name)).suffix in SUFFIXES
    ):
        if chosen == DEFAULT and notes is not None and isinstance(source, str | PathLike) and Path(source).is_file():
            _tell_texts(Lines(source), name, notes)
        return Recognised(source, chosen)
    if isinstance(source, str | PathLike):
        found = _guess(Lines(source)) if Path(source).is_file() else None
    else:
        stream = cast(IO[bytes], source)
        head = stream.read(PEEK_BYTES)
        end = head.rfind(b"\n") + 1 if len(head) == PEEK_BYTES else 0  # the last line may be cut off
        found = _guess(Lines(BytesIO(head[:end] or head)))
        source = cast(IO[bytes], _Continued(head, stream))
    if found not in (None, DEFAULT) and notes is not None:
        notes.tell("format", f"looks like {_NAMES.get(found, found)} and is read so; --from names another", path=name)
    return Recognised(source, found or chosen)


def _tell_texts(lines: Iterable[Line], name: str, notes: Notes) -> None:
    """Say of columns parted by tabs if one holds texts, of three words or more on average, as id and text do."""
    with suppress(CorpusError):  # told with its place when the input is read
        first = [line for line in islice(lines, PEEK) if line.text.strip(BLANKS)]
        columns = enumerate(zip_longest(*(line.text.split("\t") for line in first), fillvalue=""))
        long = [(place, cells) for place, cells in columns if sum(cell.count(" ") for cell in cells) >= 2 * len(cells)]
        for place, cells in long if any("\t" in line.text for line in first) else []:
            message = (
                f"column {place} holds texts, such as {cells[0]!r:.40}, expected a word, or a tag, on each line; "
                'texts are read from JSON Lines, {"text": ...}'
            )
            notes.tell("texts", message, path=name, line=first[0].number)


class _Continued:
    """A stream from which some bytes have been read, whole again; unlike with ``peek``, these may come bit by bit."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._read = getattr(rest, "read1", rest.read)

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head or cast(bytes, self._read(size))


def _guess(lines: Iterable[Line]) -> str | None:
    """The format that the first lines look like; None if there are none, or none that can be read."""
    try:
        first = [line.text for line in islice(lines, PEEK)]
    except CorpusError:  # told with its place when the input is read
        return None
    filled = [text for text in first if text.strip(BLANKS)]
    is_word = len(filled) == 1 and " " not in filled[0]  # by itself it is in columns as well as in a text
    return looks_like(first) if filled and not is_word else None
