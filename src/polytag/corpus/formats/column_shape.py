"""How the columns of a file are parted and how many there are, what is a comment, and whether a text is in columns."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from polytag.corpus.tag_rules import parse
from polytag.corpus.text import BLANKS, Layout
from polytag.errors import CorpusError

DOCSTART = "-DOCSTART-"
TAGS_MOST, TAGS_LINES = 60, 20  # so few different last words on so many lines are tags

# Only blank and tab part columns: a no-break space belongs to its word.
split = re.compile(r"[^ \t]+").findall

# What no word of a corpus looks like even if it has as many columns: "# sent_id = 4", "# id 7f3a domain=en", and what
# OntoNotes has before and after a document.
_COMMENT = re.compile(
    r"#[ \t]*[A-Za-z_][\w.:-]*(?:[ \t]+id)?[ \t]*=[ \t]*\S|#[ \t]+id[ \t]+\S*[0-9]|#(?:begin|end) document\b"
)


class Shape(NamedTuple):
    """Whether tabs part the columns of a file, and how many there are: 0 before its first word."""

    tabs: bool = False
    width: int = 0

    def cells(self, text: str) -> list[str]:
        """The columns of a line; empty ones at its end count as far as other lines have as many."""
        if not self.tabs and "\t" not in text:
            found: list[str] = split(text)
            return found
        row = [cell.strip(" ") for cell in text.split("\t")]
        while len(row) > max(1, self.width) and not row[-1]:
            row.pop()
        return row

    def trimmed(self, text: str) -> str:
        """A line without blanks at its end, and without the empty columns there that others have not."""
        if not self.tabs and "\t" not in text:
            return text.rstrip(BLANKS)
        surplus = text.count("\t") + 1 - len(self.cells(text))
        for _ in range(surplus):
            text = text[: text.rindex("\t")]
        return text.rstrip(" ")

    def separator(self, text: str) -> str:
        """What parts a further column from a line."""
        return "\t" if self.tabs or "\t" in text else " "

    def is_comment(self, text: str) -> bool:
        """Whether a line before a sentence's first word is none: one that begins with # and has not all the columns."""
        if not text.startswith("#"):
            return False
        if _COMMENT.match(text):
            return True
        return text[1:2] in BLANKS and text[1:].strip(BLANKS) != "" and len(self.cells(text)) != self.width


def shape_of(text: str) -> Shape:
    """The shape of a file that has this line of words."""
    if not text.strip(BLANKS):
        return Shape()
    return Shape(True, text.count("\t") + 1) if "\t" in text else Shape(False, len(split(text)))


def first_words(lines: Iterable[str]) -> str:
    """The first line that is sure to hold a word; empty where there is none."""
    return next((text for text in lines if text.strip(BLANKS) and text[0] != "#" and not is_docstart(text)), "")


def word_column(layout: Layout) -> int:
    """The number of the column of words; raises CorpusError where a name is given."""
    if isinstance(layout.word, str):
        raise CorpusError(f"words are in column '{layout.word}', expected a column number", path=layout.source)
    return layout.word


def is_docstart(text: str) -> bool:
    """Whether a line parts documents instead of holding a word."""
    return text.startswith(DOCSTART) and text[len(DOCSTART) : len(DOCSTART) + 1] in ("", " ", "\t")


def are_columns(first: Sequence[str]) -> bool:
    """Whether the first lines of a text are several, all as wide.

    They hold a word each, or end in tags, or stand in sentences of several lines.
    """
    if any(map(is_docstart, first)):
        return True
    shape = shape_of(first_words(first))
    words = [text for text in first if text[:1] != "#" or text[1:2] not in BLANKS]  # the others may be comments
    rows = [shape.cells(text) if text.strip(BLANKS) else [] for text in words]
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
