"""Columns: one word per line with its columns, blank lines between sentences, -DOCSTART- between documents.

The first line of words says how many columns there are, and whether tabs part them: then cells may hold blanks.
A line before a sentence's first word that begins with # and blanks, and is no word with its columns, is a comment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from polytag.corpus.answers import InColumns
from polytag.corpus.formats.column_shape import (
    DOCSTART,
    Shape,
    are_columns,
    first_words,
    is_docstart,
    shape_of,
    split,
    word_column,
)
from polytag.corpus.formats.conll_flat import flat
from polytag.corpus.formats.format import Cut, Format
from polytag.corpus.formats.lines import check_words, has_blanks
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Layout, Line, lines_of, original, paragraphs, tag_rows
from polytag.errors import CorpusError, counted

Row = list[str] | None  # the columns of a line; None of one that was refused


@dataclass(frozen=True, slots=True)
class ColumnBlock(InColumns):
    """A sentence with the comments before it, or lines that hold none; tags become further columns."""

    lines: Sequence[Line]
    sentence: Sentence | None
    shape: Shape

    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        """As `Block.render`.

        Raises:
            CorpusError: a tag holds a blank, where blanks part the columns.
        """
        if not tags:
            return original(self.lines)
        if self.sentence is not None:
            comments = len(self.lines) - len(self.sentence)
            rows = tag_rows(tags, self.sentence)
            words = [self._widened(line, row) for line, row in zip(self.lines[comments:], rows, strict=True)]
            return original(self.lines[:comments]) + "".join(words)
        if is_docstart(self.lines[0].text):
            return self._widened(self.lines[0], ["O"] * len(tags))
        return original(self.lines)

    def _widened(self, line: Line, tags: Sequence[str]) -> str:
        text, separator = self.shape.trimmed(line.text), self.shape.separator(line.text)
        if separator == " " and (wrong := next(filter(has_blanks, tags), None)):
            source = self.sentence.source if self.sentence else ""
            message = f"tag {wrong!r:.60} holds a blank, which parts columns here, expected columns parted by tabs"
            raise CorpusError(message, path=source, line=line.number)
        return separator.join([text, *tags]) + line.end


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """Sentences with the tags of the wanted columns; -DOCSTART- lines too, as one-word sentences, if asked for.

    Raises:
        CorpusError: a tag's place is no column number, or the word's own; while reading: a line has too few columns.
    """
    numbers = {task: column_number(task, place, layout) for task, place in layout.tags.items()}
    return _sentences(lines, layout, numbers)


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[ColumnBlock]:
    """All lines in order, as blocks to tag; columns other than the word's are kept as they are."""
    row = row_reader(layout, {})
    for run, comments, shape in _runs(lines, layout):
        words = [] if is_docstart(run[0].text) else run[comments:]
        rows = [row(line, shape) for line in words]
        yield ColumnBlock(run, _sentence(words, rows, layout, {}) if words else None, shape)


def head_of(text: str) -> str:
    """The line that tells the shape of all that comes after it."""
    return first_words(line.text for line in lines_of(text))


def column_number(task: str, place: int | str, layout: Layout) -> int:
    """The column of a task's tags as a number from 0, or from -1 backwards.

    Raises:
        CorpusError: it is no number, or the column of the words.
    """
    try:
        number = int(place)
    except ValueError:
        message = f"tags of '{task}' are in column '{place}', expected a column number"
        raise CorpusError(message, path=layout.source) from None
    if number == word_column(layout):
        raise CorpusError(f"tags of '{task}' are in the word's column {number}, expected another", path=layout.source)
    return number


def columns(lines: Iterable[Line], layout: Layout) -> list[str]:
    """The numbers of all columns but the words', as wide as the first sentence is; those of _ alone are none."""
    width, found, word = 0, set[int](), word_column(layout)
    for run, comments, shape in _runs(lines, layout):
        for line in () if is_docstart(run[0].text) else run[comments:]:
            width = width or shape.width
            found.update(number for number, cell in enumerate(shape.cells(line.text)[:width]) if cell not in ("_", ""))
        if width and len(found) == width:
            break
    return [str(number) for number in sorted(found) if number not in (word, word + width)]


def row_reader(layout: Layout, numbers: Mapping[str, int]) -> Callable[[Line, Shape], Row]:
    """A function that cuts a line into columns and sees to it that the wanted ones are there, and apart, else None."""
    word = word_column(layout)
    places = {"word": word, **numbers}
    needed = {name: number + 1 if number >= 0 else -number for name, number in places.items()}
    most = max(needed.values())
    # Column -1 of a line with one column is its word: the tag is missing, though an index would find something.
    apart = {name: number for name, number in numbers.items() if (word < 0) != (number < 0)}
    clashes = {abs(word - number): name for name, number in apart.items()}

    def row(line: Line, shape: Shape) -> Row:
        columns = shape.cells(line.text)
        if len(columns) < most or len(columns) in clashes:
            name = clashes.get(len(columns)) or max(needed, key=lambda n: needed[n])
            least = max(most, len(columns) + 1)
            needs = f"expected at least {least} ({_called(name)} in column {places[name]})"
            message = f"{counted(len(columns), 'column')}, {needs}"
        elif empty := [name for name, number in places.items() if not columns[number]]:
            message = f"column {places[empty[0]]} is empty, expected a {_called(empty[0])}"
        else:
            return columns
        layout.notes.refuse(message, path=layout.source, line=line.number)
        return None

    return row


def _called(name: str) -> str:
    return name if name == "word" else f"tag of '{name}'"


def _runs(lines: Iterable[Line], layout: Layout) -> Iterator[tuple[list[Line], int, Shape]]:
    """Runs of lines, how many of the first are comments or blank, and the shape of the file as known by then."""
    shape = shape_of(layout.head)
    for run in paragraphs(lines, alone=is_docstart):
        if not shape.width:
            shape = shape_of(first_words(line.text for line in run))
        comments = 0
        while comments < len(run) and (not run[comments].text.strip(BLANKS) or shape.is_comment(run[comments].text)):
            comments += 1
        yield run, comments, shape


def _sentences(lines: Iterable[Line], layout: Layout, numbers: Mapping[str, int]) -> Iterator[Sentence]:
    row = row_reader(layout, numbers)
    for run, comments, shape in _runs(lines, layout):
        if is_docstart(run[0].text):
            if layout.docstart:
                yield _document(run[0], layout, numbers)
            continue
        rows = [row(line, shape) for line in run[comments:]]
        _tell(run, rows, shape, layout)
        if rows and (found := _sentence(run[comments:], rows, layout, numbers)):
            yield found


def _tell(run: Sequence[Line], rows: Sequence[Row], shape: Shape, layout: Layout) -> None:
    """Say what is no word, and which lines are not as wide as the first."""
    comments = len(run) - len(rows)
    for line in run[:comments]:
        if line.text.strip(BLANKS):
            layout.notes.tell(
                "comment", f"a comment, not read: {line.text!r:.60}", path=layout.source, line=line.number
            )
    for line, row in zip(run[comments:], rows, strict=True):
        if row is not None and len(row) != shape.width:
            message = f"{counted(len(row), 'column')}, where the first line of words has {shape.width}"
            layout.notes.tell("width", message, path=layout.source, line=line.number)


def _sentence(run: Sequence[Line], rows: Sequence[Row], layout: Layout, numbers: Mapping[str, int]) -> Sentence | None:
    """The sentence of some lines; None where one of them was refused."""
    table = [row for row in rows if row is not None]
    if len(table) < len(rows):
        return None
    word = word_column(layout)
    return Sentence(
        words=tuple([row[word] for row in table]),
        tags={task: tuple([row[number] for row in table]) for task, number in numbers.items()},
        lines=tuple([line.number for line in run]),
        source=layout.source,
    )


def _document(line: Line, layout: Layout, numbers: Mapping[str, int]) -> Sentence:
    """The line that starts a document; it needs no columns: a tag that is not there is O."""
    row = split(line.text)

    def tag(number: int) -> str:
        return row[number] if -len(row) <= number < len(row) and number % len(row) else "O"

    tags = {task: (tag(number),) for task, number in numbers.items()}
    return Sentence((DOCSTART,), tags, (line.number,), layout.source)


def written(sentence: Sentence) -> str:
    """One word per line, its tags behind it, parted by single spaces (what conlleval reads), and a blank line.

    Raises:
        ValueError: a word or tag is empty or holds a blank or a line end.
    """
    return _written(sentence, " ")


def written_with_tabs(sentence: Sentence) -> str:
    """The same with tabs, so that words and tags may hold blanks.

    Raises:
        ValueError: a word or tag is empty or holds a tab or a line end; or a word has blanks, and no tag.
    """
    return _written(sentence, "\t" if sentence.tags else " ")


def _written(sentence: Sentence, separator: str) -> str:
    rows = zip(sentence.words, *sentence.tags.values(), strict=True)
    values = chain(sentence.words, *sentence.tags.values())
    check_words(values, forbidden="\t\r\n\0" + separator.strip("\t"), at_ends=" ")
    return "".join(f"{separator.join(row)}\n" for row in rows) + "\n"


FORMAT = Format(
    "conll",
    sentences,
    blocks,
    flat,
    cut=Cut(True, 1 << 17),
    head=head_of,
    writers={"conll": written, "tsv": written_with_tabs},
    suffixes=(".conll", ".iob", ".iob1", ".iob2", ".bio", ".bioes", ".tsv"),
    columns=columns,
    has_documents=True,
    recognises=are_columns,
)
