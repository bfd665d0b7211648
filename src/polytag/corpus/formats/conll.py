"""Columns: one word per line with its columns, blank lines between sentences, -DOCSTART- between documents.

The first line of words says how many columns there are, and whether tabs part them: then cells may hold blanks.
A line before a sentence's first word that begins with # and blanks, and is no word with its columns, is a comment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from polytag.corpus.answers import InColumns
from polytag.corpus.formats.column_shape import DOCSTART, Shape, are_columns, first_words, is_docstart, shape_of, split
from polytag.corpus.formats.format import Cut, Format
from polytag.corpus.formats.lines import FlatLines, check_words, has_blanks, line_end, places_of
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


def flat(text: str, layout: Layout) -> FlatLines | None:
    """A text in which all lines end alike, and columns are parted by single blanks alone, or by tabs alone."""
    end = line_end(text)
    if end is None:
        return None
    given = text.split(end)
    shape = shape_of(layout.head or first_words(given))
    separator = "\t" if shape.tabs else " "
    if not shape.tabs and "\t" in text:
        return None
    has_blanks_at_ends = " " + end in text or "\t" + end in text or text.endswith((" ", "\t"))
    lines = [line.rstrip(BLANKS) for line in given] if has_blanks_at_ends else given
    if shape.tabs and has_blanks_at_ends and any(line and line != own for line, own in zip(lines, given, strict=True)):
        return None
    if "#" in text:
        if not layout.head and first_words(given) != next(filter(None, lines), ""):
            return None  # before the first word nothing tells a comment
        lines = _without_comments(lines, shape)
    filled = list(filter(None, lines))
    documents = [place for place, line in enumerate(filled) if is_docstart(line)] if DOCSTART in text else []
    words = _column(filled, separator, word_column(layout), skipped=documents)
    if words is None:
        return None
    head, ends, bounds = _between(given, lines, end)
    bounds = sorted({*bounds, *documents, *(place + 1 for place in documents)})
    outside = set(documents)
    lengths = [after - start for start, after in pairwise(bounds) if start not in outside]
    return FlatLines(_without(words, documents), lengths, filled, ends, separator, head, documents)


def head_of(text: str) -> str:
    """The line that tells the shape of all that comes after it."""
    return first_words(line.text for line in lines_of(text))


def word_column(layout: Layout) -> int:
    """The number of the column of words; raises CorpusError where a name is given."""
    if isinstance(layout.word, str):
        raise CorpusError(f"words are in column '{layout.word}', expected a column number", path=layout.source)
    return layout.word


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


def _without_comments(lines: Sequence[str], shape: Shape) -> list[str]:
    """The lines with comments as if they were blank, which part sentences where they stand anyway."""
    found, is_first = list[str](), True
    for line in lines:
        is_comment = is_first and line[:1] == "#" and shape.is_comment(line)
        found.append("" if is_comment else line)
        is_first = is_comment or not line or is_docstart(line)
    return found


def _column(lines: Sequence[str], separator: str, number: int, *, skipped: Sequence[int]) -> list[str] | None:
    """What each line has in a column; None if a line, other than those skipped, has no such column or blanks in it."""
    words = [line.partition(separator)[0] for line in lines]
    if separator == " " and "" in words:
        return None
    if number != 0:
        rows = [line.split(separator) for line in lines]
        if separator == " " and any("  " in line for line in lines):
            rows = [list(filter(None, row)) for row in rows]
        least = number + 1 if number >= 0 else -number
        for place in skipped:
            rows[place] = [DOCSTART] * least
        if min(map(len, rows), default=least) < least:
            return None
        words = [row[number] for row in rows]
    is_odd = "" in words or (separator == "\t" and any(word[0] == " " or word[-1] == " " for word in words))
    return None if is_odd else words


def _without(values: list[str], places: Sequence[int]) -> list[str]:
    """The values but those at some places, ascending."""
    for place in reversed(places):
        del values[place]
    return values


def _between(given: Sequence[str], lines: Sequence[str], end: str) -> tuple[str, list[str], list[int]]:
    """What stands before the first filled line, what follows each, and the numbers at which a run of them may begin.

    ``given`` are the lines with the blanks at their ends. The number of all filled lines comes last.
    """
    blanks = places_of("", lines)
    count = len(lines) - len(blanks)
    head, ends, bounds = "", [end] * count, [0]
    for seen, place in enumerate(blanks):
        row = place - seen
        text = given[place] + end if place < len(lines) - 1 else given[place]
        if row:
            ends[row - 1] += text
        else:
            head += text
        bounds.append(row)
    if lines[-1]:
        ends[-1] = ""
    return head, ends, [*bounds, count]


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
