"""Clusters of words: each word is in one cluster of each set, and that is a feature of the linear CRF.

They are looked up by the word as it stands, and then as its embedding is. There may be hundreds of thousands of words,
most of which no file of annotation holds, so they lie in one text, in which the word is searched for.
"""

from array import array
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.cached import cached_property
from polytag.vocabulary.fields import Fields

MOST = 0xFFFF  # clusters of a set

Ids = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Clustering:
    """Words, each once, and their clusters in some sets [V, S], counted from 1; 0 is none."""

    words: Sequence[str]
    ids: Ids


@dataclass(frozen=True)
class Clusters(Fields):
    """The sets of all clusterings of a word part, by name; as long as a model has them, whatever words are left out.

    ``words`` are UTF-8, in the order of their bytes, each with a line end after it; ``ids`` a row for each, of as many
    little-endian numbers of 16 bits as there are sets.
    """

    names: tuple[str, ...]
    words: bytes
    ids: bytes

    @cached_property
    def _ends(self) -> "array[int]":
        """Of each word, where its line end is; numbers of Python's are had faster than numpy's."""
        ends = np.flatnonzero(np.frombuffer(self.words, np.uint8) == ord("\n"))
        return array("I", ends.astype(np.uint32).tobytes())

    @cached_property
    def _rows(self) -> Ids:
        return np.frombuffer(self.ids, "<u2").reshape(-1, len(self.names))

    def __len__(self) -> int:
        """How many words there are."""
        return len(self._ends)

    def __getitem__(self, row: int) -> bytes:
        return self.words[self._ends[row - 1] + 1 if row else 0 : self._ends[row]]

    def find(self, *forms: str) -> Sequence[int]:
        """The clusters of the first form of a word that is known, one of each set; 0 is none."""
        for form in dict.fromkeys(forms):
            word = form.encode("utf-8", "surrogatepass")
            row = bisect_left(self, word)
            if row < len(self) and self[row] == word:
                ids: list[int] = self._rows[row].tolist()
                return ids
        return (0,) * len(self.names)

    def items(self) -> Iterator[tuple[str, list[int]]]:
        """Each word with its clusters."""
        return zip(self.words.decode().split("\n"), self._rows.tolist(), strict=False)  # nothing after the last end

    def to_json(self) -> dict[str, Any]:
        return {"names": list(self.names), "words": self.words.decode(), "ids": b64encode(self.ids).decode()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Clusters":
        """The inverse of to_json().

        Raises:
            ValueError: there are not as many clusters as words and sets call for.
        """
        found = cls(tuple(data["names"]), data["words"].encode(), b64decode(data["ids"], validate=True))
        wanted = 2 * found.words.count(b"\n") * len(found.names)
        if not found.names or len(found.ids) != wanted or not found.words.endswith(b"\n"):
            raise ValueError(
                f"{len(found.ids):,} bytes of clusters, expected {wanted:,} for words that end their lines"
            )
        return found


def build_clusters(part: str, clusterings: Iterable[Clustering]) -> Clusters:
    """Put together the sets of several clusterings; a word that one of them lacks has none of its clusters.

    ``part`` becomes a part of the sets' names: two languages may have clusters, and these have nothing in common.
    """
    found = list(clusterings)
    # What ends a line can be no word of a file of text, nor of one that is read.
    words = sorted({word.encode() for each in found for word in each.words if "\n" not in word})
    rows = {word: row for row, word in enumerate(words)}
    ids = np.zeros((len(words), sum(each.ids.shape[1] for each in found)), "<u2")
    start = 0
    for each in found:
        kept = [index for index, word in enumerate(each.words) if "\n" not in word]
        end = start + each.ids.shape[1]
        ids[[rows[each.words[index].encode()] for index in kept], start:end] = each.ids[kept]
        start = end
    names = tuple(f"k{number}.{part}" for number in range(1, start + 1))
    return Clusters(names, b"".join(word + b"\n" for word in words), ids.tobytes())
