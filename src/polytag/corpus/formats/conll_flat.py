"""Columns at once, instead of line by line: a text without anything unusual, by operations on whole lists."""

from collections.abc import Sequence
from itertools import pairwise

from polytag.corpus.formats.column_shape import DOCSTART, Shape, first_words, is_docstart, shape_of, word_column
from polytag.corpus.formats.lines import FlatLines, line_end, places_of
from polytag.corpus.text import BLANKS, Layout


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
