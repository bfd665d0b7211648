"""Tags of one scheme rewritten in another, many sentences at once: `schemes.convert_tags` as three small tables.

What a tag becomes depends on the tag, and on whether a span begins at it and ends at it, next to one of its own type or
not. K tags have numbers 0 to K - 1; K itself stands for the edge of a sentence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.cached import cached_property
from polytag.corpus.schemes import convert_tags, parse_or_refuse, rewritten
from polytag.corpus.tag_rules import BEGINS_AFTER, EDGE, Tag, begins, ends
from polytag.tag_schemes import scheme_name

Table = npt.NDArray[np.int64]
Indices = npt.NDArray[np.integer[Any]]

INSIDE, BORDER, BORDER_BESIDE_ITS_TYPE = 0, 1, 2
_ROLES = tuple(BEGINS_AFTER)


@dataclass(frozen=True, eq=False)
class Tables:
    """Of K tags."""

    left: Table  # [K, K + 1] tag, tag before -> INSIDE, BORDER or BORDER_BESIDE_ITS_TYPE
    right: Table  # [K, K + 1] tag, tag after -> the same
    result: Table  # [K, 3, 3] tag, left, right -> index into `Rewriting.written`


@dataclass(frozen=True, eq=False)
class Rewriting:
    """What ``tags``, written in ``scheme``, become in ``target``; plain ones stay as they are.

    Raises:
        CorpusError: a tag marks no span.
        PlanError: no scheme has the name ``target``.
        ValueError: tags mark spans, and the target is plain.
    """

    tags: Sequence[str]
    scheme: str
    target: str

    def __post_init__(self) -> None:
        if self.scheme != "plain":
            convert_tags(self.tags, self.target)  # raises what is to be raised

    @cached_property
    def written(self) -> tuple[str, ...]:
        """All tags that come out."""
        return tuple(self.tags) if self.scheme == "plain" else tuple(sorted(set(self._forms)))

    @cached_property
    def tables(self) -> Tables | None:
        """How a tag and its neighbours lead to what is written; None where tags stay as they are."""
        if self.scheme == "plain":
            return None
        here = list(map(parse_or_refuse, self.tags))
        type_before = _types([*here, EDGE])
        is_own = type_before[:-1, None] == type_before[None]
        border = np.where(is_own, BORDER_BESIDE_ITS_TYPE, BORDER)
        left = _between(begins, here, is_own, is_before=True) * border
        right = _between(ends, here, is_own, is_before=False) * border
        places = {tag: place for place, tag in enumerate(self.written)}
        result = np.array([places[form] for form in self._forms], dtype=np.int64).reshape(len(here), 3, 3)
        return Tables(left, right, result)

    def convert(self, indices: Indices, starts: Indices) -> Indices:
        """The tags of sentences one after the other, [N], as indices into ``written``, [N].

        ``starts`` are the places of the words that begin a sentence; so does word 0 in any case.
        """
        tables, edge = self.tables, len(self.tags)
        if tables is None or not len(indices):
            return indices
        here = indices.astype(np.intp, copy=False)
        before, after = np.empty_like(here), np.empty_like(here)
        before[1:], after[:-1] = here[:-1], here[1:]
        before[0] = after[-1] = edge
        before[starts] = after[starts - 1] = edge
        row = here * (edge + 1)
        place = self._rows.take(row + before) + tables.right.take(row + after)
        found: Indices = tables.result.take(place)
        return found

    def tags_of(self, indices: Indices) -> tuple[str, ...]:
        """The tags of one sentence [T] as they are written."""
        return tuple(map(self.written.__getitem__, self.convert(indices, np.zeros(1, np.intp)).tolist()))

    @cached_property
    def _rows(self) -> Table:
        """Where, in `Tables.result` as one row, stands what a tag with a tag before it becomes, [K, K + 1]."""
        assert self.tables is not None
        return (np.arange(len(self.tags))[:, None] * 3 + self.tables.left) * 3

    @cached_property
    def _forms(self) -> list[str]:
        """The text of each tag in each of its places, in the order of `Tables.result`."""
        sides = (INSIDE, BORDER, BORDER_BESIDE_ITS_TYPE)
        return [
            rewritten(
                tag,
                scheme_name(self.target),
                first=left > INSIDE,
                last=right > INSIDE,
                after_own=left == BORDER_BESIDE_ITS_TYPE,
                before_own=right == BORDER_BESIDE_ITS_TYPE,
            )
            for tag in map(parse_or_refuse, self.tags)
            for left in sides
            for right in sides
        ]


def _types(tags: Sequence[Tag]) -> Table:
    """The type of each tag as a number."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(tag.type, len(numbers)) for tag in tags], dtype=np.int64)


def _between(
    rule: Callable[[Tag, Tag], bool], here: Sequence[Tag], is_own: npt.NDArray[np.bool_], *, is_before: bool
) -> Table:
    """Whether a rule holds between each tag and each neighbour, [K, K + 1]: it goes by roles and equality of types."""

    def holds(tag: str, neighbour: str, type_: str) -> bool:
        pair = Tag(neighbour, type_, neighbour, ""), Tag(tag, "own", tag, "")
        return rule(*pair) if is_before else rule(*pair[::-1])

    by_roles = np.array([[[holds(a, b, c) for c in ("other", "own")] for b in _ROLES] for a in _ROLES], dtype=np.int64)
    roles = np.array([_ROLES.index(tag.role) for tag in [*here, EDGE]])
    found: Table = by_roles[roles[:-1, None], roles[None], is_own.astype(np.int64)]
    return found
