"""Clusters of words: each word is in one cluster of each set, and that is a feature of the linear CRF.

They are looked up by the word as it stands, and then as its embedding is. There may be hundreds of thousands of words,
most of which no file of annotation holds, so they lie in one text, in which the word is searched for.
"""

from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.cached import cached_property
from polytag.vocabulary.fields import Fields

MOST = 0xFFFF  # clusters of a set
STRETCH = 64  # words that are searched one after the other, so that a fraction of them need be objects

Ids = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Clustering:
    """Words, each once, and their clusters in some sets [V, S], counted from 1; 0 is none."""

    words: Sequence[str]
    ids: Ids


@dataclass(frozen=True)
class Clusters(Fields):
    """The sets of all clusterings of a word part, by name; as long as a model has them, whatever words are left out.

    ``words`` are UTF-8, in the order of their bytes, with a line end before, between and after them; ``ids`` a row for
    each, of as many little-endian numbers of 16 bits as there are sets.
    """

    names: tuple[str, ...]
    words: bytes
    ids: bytes

    @cached_property
    def _stretches(self) -> tuple[list[bytes], list[int]]:
        """The first word of each `STRETCH` words and where the line end before it is, and last where they all end."""
        line_ends = np.flatnonzero(np.frombuffer(self.words, np.uint8) == ord("\n"))
        begins, ends = line_ends[:-1:STRETCH].tolist(), line_ends[1::STRETCH].tolist()
        firsts = [self.words[begin + 1 : end] for begin, end in zip(begins, ends, strict=True)]
        return firsts, [*begins, int(line_ends[-1])]

    @cached_property
    def _rows(self) -> Ids:
        return np.frombuffer(self.ids, "<u2").reshape(-1, len(self.names))

    def __len__(self) -> int:
        """How many words there are."""
        return len(self._rows)

    def _row(self, word: bytes) -> int:
        """The number of a word, below 0 where it is none of them."""
        firsts, begins = self._stretches
        stretch = bisect_right(firsts, word) - 1
        if stretch < 0 or b"\n" in word:
            return -1
        begin = begins[stretch]
        place = self.words.find(b"\n" + word + b"\n", begin, begins[stretch + 1] + 1)
        return stretch * STRETCH + self.words.count(b"\n", begin, place) if place >= 0 else -1

    def find(self, *forms: str) -> Sequence[int]:
        """The clusters of the first form of a word that is known, one of each set; 0 is none."""
        for form in dict.fromkeys(forms):
            if (row := self._row(form.encode("utf-8", "surrogatepass"))) >= 0:
                ids: list[int] = self._rows[row].tolist()
                return ids
        return (0,) * len(self.names)

    def items(self) -> Iterator[tuple[str, list[int]]]:
        """Each word with its clusters."""
        return zip(self.words.decode().split("\n")[1:-1], self._rows.tolist(), strict=True)

    def to_json(self) -> dict[str, Any]:
        return {"names": list(self.names), "words": self.words.decode()[1:], "ids": b64encode(self.ids).decode()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Clusters":
        """The inverse of to_json().

        Raises:
            ValueError: there are not as many clusters as words and sets call for.
        """
        found = cls(tuple(data["names"]), ("\n" + data["words"]).encode(), b64decode(data["ids"], validate=True))
        wanted = 2 * (found.words.count(b"\n") - 1) * len(found.names)
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
    return Clusters(names, b"\n".join((b"", *words, b"")), ids.tobytes())
