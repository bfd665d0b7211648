"""Features of words that are written by hand: what a linear CRF sees beside the network (`tags.NAME.features`).

Of a word itself: the word, its shape (Xx-dd), its prefixes and suffixes of up to four characters. Of a word and of the
words up to two away, each place for itself: the word in lower case, whether it is upper case, title case or digits, and
the clusters that it is in, where there are some (`words.NAME.clusters`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.cached import cached_property
from polytag.vocabulary.fields import Fields

REACH = 2  # words to either side
NONE, EDGE = 0, 1  # indices: of what training did not see often enough; of a place beside the sentence
OWN, AROUND = 10, 2  # features of a word for itself; features that words near it see too
FEWEST = 2  # times that a feature occurs in training

Rows = npt.NDArray[np.int32]


class _Shape(dict[int, str]):
    """For `str.translate`: X for a capital letter, x for any other, d for a digit, all else as it is."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = "X" if character.isupper() else "x" if character.isalpha() else "d" if character.isdigit() else character
        self[code] = kind
        return kind


_SHAPE = _Shape()
_CASES = {flags: "c={:d}{:d}{:d}".format(*flags) for flags in product((False, True), repeat=3)}


def own_features(word: str) -> list[str]:
    """What only the word's own place sees; affixes of short words repeat the whole word."""
    return [
        "w=" + word, "s=" + word.translate(_SHAPE),
        "p=" + word[:1], "p=" + word[:2], "p=" + word[:3], "p=" + word[:4],
        "x=" + word[-1:], "x=" + word[-2:], "x=" + word[-3:], "x=" + word[-4:],
    ]  # fmt: skip


def around_features(word: str) -> list[str]:
    """What the places up to `REACH` away see too."""
    return ["l=" + word.lower(), _CASES[word.isupper(), word.istitle(), word.isdigit()]]


@dataclass(frozen=True)
class FeatureVocabulary(Fields):
    """The features that training saw `FEWEST` times or more; indices of ``own`` count from 1, of ``around`` from 2."""

    own: tuple[str, ...]
    around: tuple[str, ...]

    @cached_property
    def _index(self) -> tuple[dict[str, int], dict[str, int]]:
        own, around = enumerate(self.own, start=1), enumerate(self.around, start=EDGE + 1)
        return {name: index for index, name in own}, {name: index for index, name in around}

    @property
    def sizes(self) -> tuple[int, int]:
        """Indices of ``own`` and of ``around``, those that stand for no feature among them."""
        return len(self.own) + 1, len(self.around) + EDGE + 1

    def indices(self, word: str, clusters: Sequence[str] = ()) -> list[int]:
        """The `OWN` and then the `AROUND` indices of a word, and then those of its features from ``clusters``."""
        own, around = self._index
        found = map(own.get, own_features(word), repeat(NONE))
        return [*found, *map(around.get, [*around_features(word), *clusters], repeat(NONE))]

    def to_json(self) -> dict[str, Any]:
        return {"own": list(self.own), "around": list(self.around)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "FeatureVocabulary":
        return cls(tuple(data["own"]), tuple(data["around"]))


def build_features(sentences: Iterable[Sequence[str]], clusters: Mapping[str, int] = {}) -> FeatureVocabulary:
    """The vocabulary of training sentences, each as its words; most frequent features first.

    ``clusters``: the features of clusters, and how often each occurs.
    """
    words = Counter(chain.from_iterable(sentences))
    own: Counter[str] = Counter()
    around: Counter[str] = Counter()
    for word, count in words.items():
        own.update(dict.fromkeys(own_features(word), count))
        around.update(dict.fromkeys(around_features(word), count))
    around.update(clusters)
    return FeatureVocabulary(*(
        tuple(name for name, count in found.most_common() if count >= FEWEST) for found in (own, around)
    ))  # fmt: skip
