"""Character spans, as annotation tools export them, to words and IOB2 tags; no character of a span is lost."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

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
