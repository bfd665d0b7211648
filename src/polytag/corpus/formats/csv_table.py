"""CSV with a header: a word per row, columns parted by commas, semicolons or tabs and named in the first line.

A sentence ends at an empty row or, where there is a column of numbers of sentences, at a new one ("Sentence: 2"; rows
after the first may leave it empty). Words are in the column named, else in that called
word or token, else in the first.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from polytag.corpus.answers import InColumns
from polytag.corpus.formats.format import Cut, Format
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Layout, Line, lines_of, original, tag_rows
from polytag.errors import CorpusError, counted, nearest

WORDS = ("word", "words", "token", "tokens", "form")
NUMBERS = ("sentence", "sent", "sentenceid", "sentid", "sentenceidx", "sentencenumber")


class Header(NamedTuple):
    """What parts columns, their names, and which hold the words and the numbers of sentences (None: none)."""

    delimiter: str
    names: tuple[str, ...]
    word: int
    number: int | None

    @property
    def is_named(self) -> bool:
        """Whether the column of the words is called as such."""
        return _plain(self.names[self.word]) in WORDS

    def cells(self, line: Line, layout: Layout) -> list[str]:
        """The columns of a row.

        Raises:
            CorpusError: there are more or fewer than in the header, or a quote is not closed.
        """
        row = _parsed(line, self.delimiter, layout)
        if row and len(row) != len(self.names):
            message = f"{counted(len(row), 'column')}, expected {len(self.names)} as in the header"
            raise CorpusError(message, path=layout.source, line=line.number)
        return row

    def place(self, name: int | str, layout: Layout) -> int:
        """The number of a column given by its name or number; raises CorpusError where there is none, or several."""
        if (called := self.names.count(str(name))) > 1:
            message = f"{called} columns are called '{name}', expected one, or a column by its number"
            raise CorpusError(message, path=layout.source, line=1)
        if called:
            return self.names.index(str(name))
        if str(name).removeprefix("-").isdecimal() and -len(self.names) <= int(name) < len(self.names):
            return int(name) % len(self.names)
        message = f"no column '{name}', expected one of the header{nearest(str(name), self.names)}"
        raise CorpusError(message, path=layout.source, line=1)


@dataclass(frozen=True, slots=True)
class CsvBlock(InColumns):
    """The header, the rows of a sentence, or empty ones; tags become further columns, named as their tasks."""

    lines: Sequence[Line]
    sentence: Sentence | None
    delimiter: str
    is_header: bool = False

    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        """As `Block.render`."""
        if not tags or not (self.is_header or self.sentence):
            return original(self.lines)
        rows = tag_rows(tags, self.sentence) if self.sentence else [tuple(tags)]
        pairs = zip(self.lines, rows, strict=True)
        return "".join(line.text + self.delimiter + self._row(row) + line.end for line, row in pairs)

    def _row(self, cells: Sequence[str]) -> str:
        target = io.StringIO()
        csv.writer(target, delimiter=self.delimiter, lineterminator="").writerow(cells)
        return target.getvalue()


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """Sentences with the tags of the wanted columns.

    Raises:
        CorpusError: the header has no such column; while reading: a row has not its columns, or an empty word or tag.
    """
    return (block.sentence for block in blocks(lines, layout) if block.sentence)


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[CsvBlock]:
    """All rows in order, as blocks to tag.

    Raises:
        CorpusError: while reading, as `sentences`.
    """
    lines = iter(lines)
    first = [] if layout.head else list(islice(lines, 1))
    if not layout.head and not first:
        return
    header = _header(layout.head or first[0].text, layout)
    places = {task: header.place(name, layout) for task, name in layout.tags.items()}
    is_begun = False
    if first:
        yield CsvBlock(first, None, header.delimiter, is_header=True)
    for run, rows in _runs(lines, header, layout):
        if first and not is_begun:
            _refuse_texts(run, rows, header, layout)
        is_begun = True
        yield CsvBlock(run, _sentence(run, rows, header, places, layout), header.delimiter)


def _refuse_texts(run: Sequence[Line], rows: Sequence[Sequence[str]], header: Header, layout: Layout) -> None:
    """See to it that the first rows hold words; raises CorpusError where they are of three words or more on average.

    Where nothing says which column has the words, such as of ``id,text``, none may hold texts.
    """
    if not rows:
        return
    is_told = layout.word != 0 or header.is_named
    for place in [header.word] if is_told else range(len(header.names)):
        cells = [row[place] for row in rows]
        if sum(cell.count(" ") for cell in cells) >= 2 * len(cells) > 0:
            message = (
                f"column '{header.names[place]}' holds {cells[0]!r:.60}, expected a word in each row; "
                'texts are read from JSON Lines, {"text": ...}'
            )
            raise CorpusError(message, path=layout.source, line=run[0].number)


def columns(lines: Iterable[Line], layout: Layout) -> list[str]:
    """The names of the columns but the words' and those of numbers."""
    first = next(iter(lines), None)
    header = _header(first.text if first else "", layout)
    return [name for place, name in enumerate(header.names) if place not in (header.word, header.number)]


def _header(text: str, layout: Layout) -> Header:
    delimiter = max(",;\t", key=text.count)
    names = tuple(_parsed(Line(1, text, ""), delimiter, layout))
    plain = list(map(_plain, names))
    number = next((place for place, name in enumerate(plain) if name in NUMBERS), None)
    word = next((place for place, name in enumerate(plain) if name in WORDS), int(number == 0 and len(names) > 1))
    found = Header(delimiter, names, word, number)
    return found if layout.word == 0 else found._replace(word=found.place(layout.word, layout))


def _plain(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())


def _parsed(line: Line, delimiter: str, layout: Layout) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line.text], delimiter=delimiter, strict=True), [])]
    except csv.Error as error:
        raise CorpusError(f"no row of CSV ({error})", path=layout.source, line=line.number) from error


def _runs(lines: Iterable[Line], header: Header, layout: Layout) -> Iterator[tuple[list[Line], list[list[str]]]]:
    """The rows of each sentence with their cells; empty rows come alone, without any."""
    run, rows, current = list[Line](), list[list[str]](), ""
    for line, row in chain(_rows(lines, header, layout), [(None, [])]):
        number = row[header.number] if row and header.number is not None else ""
        if run and (not row or (number and number != current)):
            yield run, rows
            run, rows = [], []
        current = number or current
        if row and line:
            run.append(line)
            rows.append(row)
        elif line:
            yield [line], []


def _rows(lines: Iterable[Line], header: Header, layout: Layout) -> Iterator[tuple[Line | None, list[str]]]:
    for line in lines:
        try:
            row = header.cells(line, layout)
            yield line, row if any(row) else []
        except CorpusError as error:
            layout.notes.take(error)


def _sentence(
    run: Sequence[Line], rows: Sequence[Sequence[str]], header: Header, places: Mapping[str, int], layout: Layout
) -> Sentence | None:
    """The sentence of some rows; None for none, and if it was refused."""
    wanted = {"word": header.word, **places}
    for line, row in zip(run, rows, strict=False):
        if empty := [name for name, place in wanted.items() if not row[place]]:
            message = f"column '{header.names[wanted[empty[0]]]}' is empty, expected a value ({empty[0]})"
            layout.notes.refuse(message, path=layout.source, line=line.number)
            return None
    tags = {task: tuple([row[place] for row in rows]) for task, place in places.items()}
    words = tuple([row[header.word] for row in rows])
    return Sentence(words, tags, tuple([line.number for line in run]), layout.source) if rows else None


FORMAT = Format(
    "csv",
    sentences,
    blocks,
    cut=Cut(True, 1 << 17),
    head=lambda text: next(lines_of(text)).text if text else "",
    suffixes=(".csv",),
    columns=columns,
)
