"""Character spans, as annotation tools export them, to words and IOB2 tags; no character of a span is lost."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

# The names under which tools keep a list of spans, and within each span its start, end and type.
LISTS = ("spans", "label", "labels", "entities")  # spaCy and Prodigy; doccano, old and new; doccano with relations
_STARTS, _ENDS, _TYPES = ("start_offset", "start"), ("end_offset", "end"), ("label", "type")

_WORD = re.compile(r"[^ \t\r\n]+")
split = _WORD.findall


class CharSpan(NamedTuple):
    """Characters ``text[start:end]``, of one type."""

    start: int
    end: int
    type: str


class Offsets(NamedTuple):
    """Where a word stands: ``text[start:end]``."""

    start: int
    end: int


def words(text: str) -> list[tuple[int, int]]:
    """Where the stretches stand that ``split`` gives, between blanks and line ends; punctuation stays with its word."""
    return [match.span() for match in _WORD.finditer(text)]


def located(text: str, tokens: Iterable[str]) -> list[Offsets]:
    """Where the given words stand in the text, one after the other.

    Raises:
        ValueError: a word does not occur after the one before it.
    """
    found, position = [], 0
    for token in tokens:
        start = text.find(token, position)
        if start < 0:
            raise ValueError(f"word '{token}' is not in the text after character {position}, expected it there")
        position = start + len(token)
        found.append(Offsets(start, position))
    return found


def char_spans(entries: Any, text: str) -> list[CharSpan]:
    """The spans of a record in order, from ``[start, end, type]`` or objects with keys of these meanings.

    Raises:
        ValueError: they are no such list, or a span is empty, outside the text or overlaps another.
    """
    if not isinstance(entries, list):
        raise ValueError(f"spans are {type(entries).__name__}, expected a list")
    spans = sorted(map(_char_span, entries))
    for span in spans:
        if not 0 <= span.start < span.end <= len(text):
            raise ValueError(f"span {list(span)} is not within the text, expected 0 <= start < end <= {len(text)}")
    for left, right in pairwise(spans):
        if right.start < left.end:
            raise ValueError(f"spans {list(left)} and {list(right)} overlap, expected them apart")
    return spans


def tagged(tokens: Sequence[tuple[int, int]], spans: Sequence[CharSpan]) -> tuple[list[Offsets], list[str]]:
    """The words, cut where a span starts or ends within one, and their tags in IOB2.

    Raises:
        ValueError: a span covers no word.
    """
    bounds = sorted({bound for span in spans for bound in (span.start, span.end)})
    pieces = [piece for token in tokens for piece in _cut(token, bounds)]
    tags = ["O"] * len(pieces)
    starts = [piece.start for piece in pieces]
    for span in spans:
        first, last = bisect_left(starts, span.start), bisect_left(starts, span.end)
        if first == last:
            raise ValueError(f"span {list(span)} covers no word, expected at least one")
        tags[first:last] = [f"B-{span.type}"] + [f"I-{span.type}"] * (last - first - 1)
    return pieces, tags


def _cut(token: tuple[int, int], bounds: Sequence[int]) -> list[Offsets]:
    first, last = token
    edges = [first, *bounds[bisect_right(bounds, first) : bisect_left(bounds, last)], last]
    return [Offsets(start, end) for start, end in pairwise(edges)]


def _char_span(entry: Any) -> CharSpan:
    fields = entry[:3] if isinstance(entry, list) and len(entry) >= 3 else _named(entry)
    start, end, kind = fields
    # bool is an int, and True a wrong offset
    if type(start) is not int or type(end) is not int or not isinstance(kind, str) or not kind:
        raise ValueError(f"span {entry!r:.80}, expected a start, an end and a type")
    return CharSpan(start, end, kind)


def _named(entry: Any) -> list[Any]:
    if not isinstance(entry, dict):
        return [None, None, None]
    return [next((entry[key] for key in keys if key in entry), None) for keys in (_STARTS, _ENDS, _TYPES)]
