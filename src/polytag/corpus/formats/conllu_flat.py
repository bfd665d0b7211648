"""CoNLL-U at once, instead of line by line: a text without anything unusual, by operations on whole lists."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise, repeat

from polytag.corpus.formats.conllu_columns import (
    COLUMNS,
    FORM,
    OTHER_ID,
    check_targets,
    head_of,
    place,
    target,
    with_keys,
)
from polytag.corpus.formats.lines import line_end, places_of
from polytag.corpus.text import BLANKS, Layout


@dataclass(frozen=True, slots=True)
class FlatConllu:
    """A `FlatText` of CoNLL-U: all lines, without their ends, and the numbers of those that hold words."""

    words: list[str]
    lengths: list[int]
    lines: list[str]
    places: list[int]
    end: str
    layout: Layout

    def render(self, tags: Mapping[str, Sequence[str]], *, span_tasks: Collection[str] = ()) -> str:  # noqa: ARG002
        """As `FlatText.render`."""
        targets = [place(target(task, self.layout), self.layout) for task in tags]
        first = max(1, min(index for index, _ in targets))  # what stands before it stays, in one
        rows = [self.lines[number].rsplit("\t", len(COLUMNS) - first) for number in self.places]
        columns: list[Sequence[str]] = list(zip(*rows, strict=True)) or [()] * (len(COLUMNS) + 1 - first)
        for (index, key), values in zip(targets, tags.values(), strict=True):
            own = index + 1 - first
            columns[own] = with_keys(columns[own], key, values) if key else values
        lines = list(self.lines)
        for number, line in zip(self.places, map("\t".join, zip(*columns, strict=True)), strict=True):
            lines[number] = line
        return self.end.join(lines)


def flat(text: str, layout: Layout) -> FlatConllu | None:
    """A text in which all lines end alike and no word's line has blanks at its end.

    Raises:
        CorpusError: ``layout.columns`` names no column.
    """
    check_targets(layout)
    end = line_end(text)
    if end is None or layout.head or head_of(text):
        return None
    lines = text.split(end)
    places = [number for number, line in enumerate(lines) if line and line[0] != "#"]
    own = list(map(lines.__getitem__, places))
    if set(map(str.count, own, repeat("\t"))) - {len(COLUMNS) - 1} or any(line[-1] in BLANKS for line in own):
        return None
    columns = [line.split("\t", FORM + 1) for line in own]
    ids, forms = [row[0] for row in columns], [row[FORM] for row in columns]
    bounds = [0, *(bisect_left(places, blank) for blank in places_of("", lines)), len(places)]
    sentences = [_numbered(ids[start:after], start) for start, after in pairwise(bounds)]
    if None in sentences or not all(map(str.strip, forms, repeat(BLANKS))):
        return None
    kept = list(chain.from_iterable(filter(None, sentences)))
    words, lengths = list(map(forms.__getitem__, kept)), list(map(len, filter(None, sentences)))
    return FlatConllu(words, lengths, lines, list(map(places.__getitem__, kept)), end, layout)


def _numbered(ids: Sequence[str], start: int) -> Sequence[int] | None:
    """Which lines of a sentence hold words, their numbers counted from ``start``; None if an id is not what it must be.

    Ranges and empty nodes hold none.
    """
    if ids == _ids(len(ids)):
        return range(start, start + len(ids))
    words = [place for place, id_ in enumerate(ids) if not OTHER_ID.fullmatch(id_)]
    if [ids[place] for place in words] != _ids(len(words)):
        return None
    return [start + place for place in words]


@lru_cache(maxsize=256)
def _ids(words: int) -> list[str]:
    """The ids of so many words."""
    return list(map(str, range(1, words + 1)))
