"""CoNLL columns: one word per line with its columns, blank lines between sentences, -DOCSTART- between documents."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, repeat
from operator import contains

from polytag.corpus.formats.format import Cut, Format
from polytag.corpus.formats.lines import FlatLines, check_words, line_end, places_of
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Layout, Line, original, paragraphs, tag_rows
from polytag.errors import CorpusError

DOCSTART = "-DOCSTART-"

# Only blank and tab part columns: a no-break space belongs to its word.
split = re.compile(r"[^ \t]+").findall


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """A sentence, a blank line or a -DOCSTART- line; tags become further columns."""

    lines: Sequence[Line]
    sentence: Sentence | None

    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        if not tags:
            return original(self.lines)
        if self.sentence is not None:
            return "".join(map(_widened, self.lines, tag_rows(tags, self.sentence)))
        if is_docstart(self.lines[0].text):
            return _widened(self.lines[0], ["O"] * len(tags))
        return original(self.lines)


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
    for run in paragraphs(lines, alone=is_docstart):
        bare = not run[0].text.strip(BLANKS) or is_docstart(run[0].text)
        yield ColumnBlock(run, None if bare else _sentence(run, map(row, run), layout, {}))


def flat(text: str, layout: Layout) -> FlatLines | None:
    """A text in which all lines end alike, and columns are parted by blanks alone, or in each line by tabs alone."""
    end, separator = line_end(text), "\t" if "\t" in text else " "
    if end is None or (separator == "\t" and " " in text):
        return None
    given = text.split(end)
    has_blanks_at_ends = separator + end in text or text.endswith(separator)
    lines = [line.rstrip(separator) for line in given] if has_blanks_at_ends else given
    filled = list(filter(None, lines))
    firsts = [line.partition(separator)[0] for line in filled]
    if "" in firsts or (separator == "\t" and not all(map(contains, filled, repeat(separator)))):
        return None
    documents = places_of(DOCSTART, firsts)
    words = firsts if layout.word == 0 else _column(filled, separator, layout.word, skipped=documents)
    if words is None:
        return None
    head, ends, bounds = _between(given, lines, end)
    bounds = sorted({*bounds, *documents, *(place + 1 for place in documents)})
    outside = set(documents)
    lengths = [after - start for start, after in pairwise(bounds) if start not in outside]
    return FlatLines(_without(words, documents), lengths, filled, ends, separator, head, documents)


def is_docstart(text: str) -> bool:
    """Whether a line parts documents instead of holding a word."""
    return text.startswith(DOCSTART) and text[len(DOCSTART) : len(DOCSTART) + 1] in ("", " ", "\t")


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
    if number == layout.word:
        raise CorpusError(f"tags of '{task}' are in the word's column {number}, expected another", path=layout.source)
    return number


def row_reader(layout: Layout, numbers: Mapping[str, int]) -> Callable[[Line], list[str]]:
    """A function that cuts a line into columns and sees to it that the wanted ones are there, and apart."""
    places = {"word": layout.word, **numbers}
    needed = {name: number + 1 if number >= 0 else -number for name, number in places.items()}
    most = max(needed.values())
    # Column -1 of a line with one column is its word: the tag is missing, though an index would find something.
    apart = {name: number for name, number in numbers.items() if (layout.word < 0) != (number < 0)}
    clashes = {abs(layout.word - number): name for name, number in apart.items()}

    def row(line: Line) -> list[str]:
        columns: list[str] = split(line.text)
        if len(columns) < most or len(columns) in clashes:
            name = clashes.get(len(columns)) or max(needed, key=lambda n: needed[n])
            least = max(most, len(columns) + 1)
            found = f"{len(columns)} column{'s' if len(columns) != 1 else ''}"
            what = name if name == "word" else f"tag of '{name}'"
            message = f"{found}, expected at least {least} ({what} in column {places[name]})"
            raise CorpusError(message, path=layout.source, line=line.number)
        return columns

    return row


def _sentences(lines: Iterable[Line], layout: Layout, numbers: Mapping[str, int]) -> Iterator[Sentence]:
    row = row_reader(layout, numbers)
    for run in paragraphs(lines, alone=is_docstart):
        if is_docstart(run[0].text):
            if layout.docstart:
                yield _document(run[0], layout, numbers)
        elif run[0].text.strip(BLANKS):
            yield _sentence(run, map(row, run), layout, numbers)


def _sentence(run: list[Line], rows: Iterable[list[str]], layout: Layout, numbers: Mapping[str, int]) -> Sentence:
    table = list(rows)
    return Sentence(
        words=tuple([row[layout.word] for row in table]),
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


def _widened(line: Line, tags: Sequence[str]) -> str:
    text = line.text.rstrip(BLANKS)
    separator = "\t" if "\t" in text else " "
    return separator.join([text, *tags]) + line.end


def _column(lines: Sequence[str], separator: str, number: int, *, skipped: Sequence[int]) -> list[str] | None:
    """What each line has in a column; None if a line, other than those skipped, has no such column."""
    rows = [line.split(separator) for line in lines]
    if any(separator * 2 in line for line in lines):
        rows = [list(filter(None, row)) for row in rows]
    least = number + 1 if number >= 0 else -number
    for place in skipped:
        rows[place] = [""] * least
    return [row[number] for row in rows] if min(map(len, rows), default=least) >= least else None


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
    rows = zip(sentence.words, *sentence.tags.values(), strict=True)
    check_words(chain(sentence.words, *sentence.tags.values()), forbidden=" \t\r\n\0")
    return "".join(f"{' '.join(row)}\n" for row in rows) + "\n"


CONLL = Format(
    "conll",
    sentences,
    blocks,
    flat,
    cut=Cut(True, 1 << 17),
    writers={"conll": written},
    suffixes=(".conll", ".iob", ".iob1", ".iob2", ".bio", ".bioes", ".tsv"),
)
