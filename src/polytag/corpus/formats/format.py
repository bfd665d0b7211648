"""What there is to know of a format, in one object."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Protocol

from polytag.corpus.notes import Notes
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block, Layout, Line


class FlatText(Protocol):
    """A piece of text taken apart at once instead of block by block; it says what the blocks would say."""

    @property
    def words(self) -> Sequence[str]:
        """All words of all sentences, one after the other."""
        ...

    @property
    def lengths(self) -> Sequence[int]:
        """The number of words of each sentence, those without words left out."""
        ...

    def render(self, tags: Mapping[str, Sequence[str]], *, span_tasks: Collection[str] = ()) -> str:
        """The piece with the tags of one task or more, each with one tag per word; ``span_tasks`` mark spans.

        Raises:
            ValueError: there is not one tag for each word.
        """
        ...


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a format may be cut, and from how many bytes on, as UTF-8, a piece is large enough.

    With ``most`` bytes a piece ends at any line end: a text need not have blank lines.
    """

    after_blank_lines_only: bool
    size: int
    most: float = inf

    def fits(self, size: int, *, is_blank: bool) -> bool:
        """Whether a piece of a size may end after a line that is blank, or is not."""
        return size >= self.size and (is_blank or not self.after_blank_lines_only or size >= self.most)


def never_fast(text: str, layout: Layout) -> FlatText | None:  # noqa: ARG001
    """For a format that is read block by block only."""
    return None


def no_columns(lines: Iterable[Line], layout: Layout) -> Sequence[str]:  # noqa: ARG001
    """For a format that holds words alone."""
    return []


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write annotated or plain text.

    Attributes:
        name: what the command line, plans and Python call it.
        sentences: how annotated sentences are read.
        blocks: how a text is read that is written back with tags; None for a format that is not tagged.
        fast: the same at once, for a piece of whole sentences without anything unusual; else None, and `blocks` tells
            what is wrong and where. What it renders is what the blocks render, to the byte.
        head: the stretch of a text that tells how what comes after it is to be read, as ``Layout.head`` takes it.
        cut: where a stream may be cut, if the format is tagged: some tenths of a second of work for a piece are little
            to wait for at the end, and much more than it costs to send one.
        writers: how sentences are written, by the name of each way; they raise ValueError for what has no place.
        suffixes: of files, which choose it.
        columns: the names of the columns or keys of tags that some lines show, as ``Layout.tags`` takes them.
        usual_tag: the one of these that is most likely meant; the last unless it is there.
        fills: columns that a task which was trained on them fills when a text is tagged.
        files: the files that a path stands for, if that may be others than itself; notes take what is left out.
        claims: whether a path that no suffix tells is of this format.
        recognises: whether the first lines of a text look like it.
        has_documents: whether it holds -DOCSTART- lines.
        is_table: whether its files hold rows in columns, no lines: `polytag.bulk.tables` tags them.
    """

    name: str
    sentences: Callable[[Iterable[Line], Layout], Iterator[Sentence]]
    blocks: Callable[[Iterable[Line], Layout], Iterator[Block]] | None = None
    fast: Callable[[str, Layout], FlatText | None] = never_fast
    cut: Cut | None = None
    head: Callable[[str], str] = lambda _: ""
    writers: Mapping[str, Callable[..., str]] = field(default_factory=dict)
    suffixes: tuple[str, ...] = ()
    columns: Callable[[Iterable[Line], Layout], Sequence[str]] = no_columns
    usual_tag: str = ""
    fills: Collection[str] = ()
    files: Callable[[str, Notes], list[Path]] | None = None
    claims: Callable[[str], bool] = lambda _: False
    recognises: Callable[[Sequence[str]], bool] = lambda _: False
    has_documents: bool = False
    is_table: bool = False

    @property
    def has_tags(self) -> bool:
        """Whether it holds tags, or words alone."""
        return self.columns is not no_columns

    @property
    def is_tagged(self) -> bool:
        """Whether what it holds can be tagged."""
        return self.blocks is not None or self.is_table
