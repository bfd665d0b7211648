"""From the network's tags to those of the user's data, as three small tables.

What a tag becomes depends on the tag, on whether a span begins at it (next to one of its own type or not), and on
whether one ends there.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polytag.corpus.tag_rules import EDGE, begins, ends, parse_any
from polytag.vocabulary.vocabularies import TagVocabulary

Table = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tables:
    """Of K tags of the network; K itself stands for the edge of a sentence."""

    left: Table  # [K, K + 1] tag, tag before -> 0 inside, 1 a span begins, 2 next to one of its type
    right: Table  # [K, K + 1] tag, tag after -> whether a span ends
    result: Table  # [K, 3, 2] tag, left, right -> index into `Rewriting.written`


@dataclass(frozen=True, eq=False)
class Rewriting:
    """The tags that are written, and how to get there; without tables, tags are written as they are."""

    written: tuple[str, ...]
    tables: Tables | None = None


def rewriting(vocabulary: TagVocabulary) -> Rewriting:
    """The tables of a tag vocabulary; `TagVocabulary.to_data` says what comes out."""
    if vocabulary.plain:
        return Rewriting(vocabulary.tags)
    here = [parse_any(tag) for tag in vocabulary.tags]
    around = [*here, EDGE]
    left = np.array([[begins(b, h) * (1 + (b.type == h.type)) for b in around] for h in here], dtype=np.int64)
    right = np.array([[ends(h, f) for f in around] for h in here], dtype=np.int64)
    found = {
        (tag, int(kind), int(end)): _written(vocabulary, tag, int(before), int(after))
        for tag in range(len(here))
        for kind, before in zip(*np.unique(left[tag], return_index=True), strict=True)
        for end, after in zip(*np.unique(right[tag], return_index=True), strict=True)
    }
    written = tuple(sorted(set(found.values())))
    result = np.zeros((len(here), 3, 2), dtype=np.int64)
    for place, tag_written in found.items():
        result[place] = written.index(tag_written)
    return Rewriting(written, Tables(left, right, result))


def _written(vocabulary: TagVocabulary, tag: int, before: int, after: int) -> str:
    """The tag between two others, either of which may be the edge."""
    earlier, later = ([n] if n < len(vocabulary) else [] for n in (before, after))
    indices = [*earlier, tag, *later]
    return vocabulary.to_data([vocabulary.tags[i] for i in indices])[len(earlier)]
