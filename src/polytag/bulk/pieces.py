"""A text cut into pieces that can be tagged apart: whole sentences, each piece knowing where in the file it begins."""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import IO

from polytag.corpus.documents import blocks, files_of, format_of
from polytag.corpus.formats import FORMATS, Cut
from polytag.corpus.notes import Notes
from polytag.corpus.raw_lines import LONGEST_LINE, Source
from polytag.corpus.recognition import recognised
from polytag.corpus.text import BLANKS, Line, Lines, lines_of

LARGE = 1 << 20  # bytes of a piece in which names are consistent
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of a text in one of the formats that can be tagged.

    ``line`` is the number of the first, ``character`` how many characters of the text stand before it, and ``head``
    what these tell of how it is to be read.
    """

    source: str
    format: str
    line: int
    text: str
    character: int = 0
    head: str = ""

    @property
    def size(self) -> int:
        """In bytes, as UTF-8."""
        return len(self.text.encode())

    def lines(self) -> Iterator[Line]:
        """The lines as they were read, with their numbers in the whole text."""
        return lines_of(self.text, first=self.line)


@dataclass(frozen=True, slots=True)
class TablePiece:
    """Some rows of a table with their words in ``column``; ``row`` is the number of the first, from 1; 0 is of none.

    ``rows`` are a stream of Arrow's: what passes between processes is these rows and no others of their table.
    """

    source: str
    column: str
    row: int
    rows: bytes

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.rows)


AnyPiece = Piece | TablePiece


def is_table(path: str | PathLike[str], format: str = "auto") -> bool:
    """Whether a file is a table, by the format that was named or by its suffix."""
    return FORMATS[format_of(path, format)].is_table


def cut(
    source: Source,
    *,
    format: str = "auto",
    word: int | str = 0,
    name: str = "",
    notes: Notes | None = None,
    consistent: bool = False,
) -> Iterator[AnyPiece]:
    """All of a file or stream in pieces; their texts joined are the text, decoded.

    Format, encoding and line ends are found here, once for all pieces; "auto" is what `recognised` says. ``name`` is
    what errors call the text: the path of a file unless given; ``notes`` takes a guess of the format, and what is odd
    about the encoding. Where a text is cut depends on nothing but the text, and whether its names are to be
    ``consistent``, which larger pieces serve: of one or two megabytes, of more only where a sentence has more. The
    pieces of a table are its rows, with words or a text in the column ``word``, or as `polytag.bulk.tables` finds them.

    Raises (while iterating):
        CorpusError: there is no such file, it cannot be read or decoded, or its format cannot be tagged; a table has
            no such column, or pyarrow is not installed.
    """
    name = name or (str(source) if isinstance(source, str | PathLike) else "<stdin>")
    source, chosen = recognised(source, format=format, name=name, notes=notes)
    check_source(source, format=chosen, word=word, name=name)
    if isinstance(source, str | PathLike) and FORMATS[chosen].is_table:
        from polytag.bulk import tables

        least = LARGE if consistent else 0
        yield from tables.cut(Path(source), column=str(word) if word else None, name=name, least=least)
        return
    rule, line, character, head, find = FORMATS[chosen].cut, 1, 0, "", FORMATS[chosen].head
    assert rule is not None, "whatever has blocks can be cut"
    if consistent:
        rule = replace(rule, size=LARGE, most=max(2 * LARGE, rule.most))
    for text in _plain(Path(source), rule) if isinstance(source, str | PathLike) else ():
        if not text:
            return
        yield Piece(name, chosen, line, text, character, head)
        head = head or find(text)
        line += text.count("\n")
        character += len(text)
    for first, text in _any(islice(Lines(source, name=name, notes=notes), line - 1, None), rule):
        yield Piece(name, chosen, first, text, character, head)
        head = head or find(text)
        character += len(text)


def check_source(source: Source, *, format: str = "auto", word: int | str = 0, name: str = "") -> str:
    """The name of a source's format, which is one that can be tagged; nothing is read.

    Raises:
        CorpusError: there is no such file, or its format cannot be tagged.
    """
    chosen = format_of(name or str(source), format)
    if isinstance(source, str | PathLike) and FORMATS[chosen].is_table:
        files_of(source, chosen)
    else:
        blocks(source, format=chosen, word=word, source=name)
    return chosen


def _any(lines: Iterable[Line], rule: Cut) -> Iterator[tuple[int, str]]:
    """The number of the first line and the text of each piece, line by line."""
    texts, size, first = list[str](), 0, 0
    for number, text, end in lines:
        first = first or number
        texts += text, end
        size += (len(text) if text.isascii() else len(text.encode())) + len(end)
        if rule.fits(size, is_blank=not text.strip(BLANKS)):
            yield first, "".join(texts)
            texts, size, first = [], 0, 0
    if size:  # a byte order mark alone is a line without anything
        yield first, "".join(texts)


def _plain(path: Path, rule: Cut) -> Iterator[str]:
    """The same pieces ten times as fast, as far as the file is UTF-8 with ordinary line ends: one process feeds many.

    An empty one says that this was all. Without it, the next piece holds something else, which is for `Lines` to judge.
    """
    if not path.is_file():
        return
    with suppress(OSError, UnicodeDecodeError), path.open("rb") as file:
        if file.read(len(BOM_UTF8)) != BOM_UTF8:
            file.seek(0)
        while _is_plain(raw := _block(file, rule)):
            yield raw.decode("utf-8")


def _block(file: IO[bytes], rule: Cut) -> bytes:
    parts = [file.read(rule.size)]
    if not parts[0].endswith(b"\n"):
        parts.append(file.readline(LONGEST_LINE))
    last = b"".join(parts).rpartition(b"\n")[0].rpartition(b"\n")[2]
    size = sum(map(len, parts))
    while last and not rule.fits(size, is_blank=not last.strip(_BLANK)) and len(last) < LONGEST_LINE:
        last = file.readline(LONGEST_LINE)
        parts.append(last)
        size += len(last)
    return b"".join(parts)


def _is_plain(raw: bytes) -> bool:
    return b"\0" not in raw and raw.count(b"\r") == raw.count(b"\r\n") and len(raw) < LONGEST_LINE
