"""Vocabularies: from strings to indices, one per part of the plan."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np

from polytag.cached import cached_property
from polytag.corpus.labels import MOST_SHOWN, shown
from polytag.corpus.schemes import UNKNOWN as UNKNOWN_TAG
from polytag.corpus.schemes import all_tags, convert_partial, convert_tags, types_of
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import parse_any
from polytag.vocabulary.clusters import Clusters
from polytag.vocabulary.features import FeatureVocabulary
from polytag.vocabulary.fields import Fields
from polytag.vocabulary.gazetteer import Gazetteer

UNKNOWN, START, END = 0, 1, 2
_DIGIT = re.compile(r"[0-9]")


def normaliser(*, lowercase: bool, zero_digits: bool) -> Callable[[str], str]:
    """How words are looked up: lower-cased and with digits as 0 in the paper. Characters never pass through here."""

    def normalise(word: str) -> str:
        word = word.lower() if lowercase else word
        return _DIGIT.sub("0", word) if zero_digits and not word.isalpha() else word

    return normalise


@dataclass(frozen=True)
class WordVocabulary(Fields):
    """Normalised words; index 0 stands for all others. A word that is not there is looked up in lower case too.

    The first ``trained`` entries after index 0 occur in training files; the rest have a pretrained vector or come from
    other splits (`words.vocabulary = "all"`).
    """

    words: tuple[str, ...]
    trained: int
    lowercase: bool = True
    zero_digits: bool = True
    clusters: Clusters | None = None

    @cached_property
    def normalise(self) -> Callable[[str], str]:
        return normaliser(lowercase=self.lowercase, zero_digits=self.zero_digits)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: index for index, word in enumerate(self.words, start=1)}

    def __len__(self) -> int:
        return len(self.words) + 1

    def index(self, word: str) -> int:
        form = self.normalise(word)
        return self._index.get(form) or self._index.get(form.lower(), UNKNOWN)

    def seen_in_training(self, word: str) -> bool:
        return 0 < self.index(word) <= self.trained

    @property
    def cluster_sets(self) -> int:
        """How many features of clusters a word has."""
        return len(self.clusters.names) if self.clusters else 0

    def cluster_features(self, word: str) -> Sequence[str]:
        """One of each set of clusters, empty where the word is in none of them."""
        if self.clusters is None:
            return ()
        form = self.normalise(word)
        found = self.clusters.find(word, form, form.lower())
        return [f"{name}={number}" if number else "" for name, number in zip(self.clusters.names, found, strict=True)]

    def to_json(self) -> dict[str, Any]:
        return {
            "words": list(self.words),
            "trained": self.trained,
            "lowercase": self.lowercase,
            "zero_digits": self.zero_digits,
            **({"clusters": self.clusters.to_json()} if self.clusters else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "WordVocabulary":
        clusters = data.get("clusters")
        return cls(
            tuple(data["words"]),
            int(data["trained"]),
            bool(data["lowercase"]),
            bool(data["zero_digits"]),
            Clusters.from_json(clusters) if clusters else None,
        )


@dataclass(frozen=True)
class CharVocabulary(Fields):
    """Characters with their case; index 0 stands for all others, 1 and 2 for the start and the end of a word."""

    alphabet: str
    boundaries: bool = True

    @cached_property
    def _index(self) -> dict[str, int]:
        return {character: index for index, character in enumerate(self.alphabet, start=3)}

    def __len__(self) -> int:
        return len(self.alphabet) + 3

    def indices(self, word: str, limit: int) -> list[int]:
        """The first ``limit`` characters of a word, at least one; the start and end symbols count towards the limit."""
        kept = max(1, limit - 2 if self.boundaries else limit)
        inner = list(map(self._index.get, word[:kept], repeat(UNKNOWN))) or [UNKNOWN]
        return [START, *inner, END] if self.boundaries else inner

    def to_json(self) -> dict[str, Any]:
        return {"alphabet": self.alphabet, "boundaries": self.boundaries}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CharVocabulary":
        return cls(data["alphabet"], bool(data["boundaries"]))


@dataclass(frozen=True)
class TagVocabulary(Fields):
    """The tags of a part in the scheme that the network sees; that of its tasks' files belongs to the tasks."""

    tags: tuple[str, ...]
    scheme: str
    gazetteer: Gazetteer | None = field(default=None, compare=False)
    features: FeatureVocabulary | None = field(default=None, compare=False)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {tag: index for index, tag in enumerate(self.tags)}

    def __len__(self) -> int:
        return len(self.tags)

    @property
    def plain(self) -> bool:
        return self.scheme == "plain"

    @cached_property
    def types(self) -> frozenset[str]:
        """The types of spans, or all tags where these mark none."""
        return frozenset(self.tags) if self.plain else types_of(self.tags)

    def encode(self, tags: Sequence[str]) -> list[int]:
        """Indices of a sentence's tags, converted to the network's scheme.

        Raises:
            KeyError: a tag is not in the vocabulary.
        """
        return [self._index[tag] for tag in self.to_network(tags)]

    def encoded(
        self, tags: Sequence[str], *, scheme: str, marks: Collection[str] | None = None
    ) -> "np.ndarray[Any, np.dtype[Any]]":
        """Indices [T] of a sentence's tags, or, where they leave something open, what each may be [T, K].

        Arguments and errors are those of `encode_partial`.
        """
        if UNKNOWN_TAG in tags or (marks is not None and not self.types <= set(marks)):
            return self.encode_partial(tags, scheme=scheme, marks=marks)
        return np.array(self.encode(tags), dtype=np.int64)

    def encode_partial(
        self, tags: Sequence[str], *, scheme: str, marks: Collection[str] | None = None
    ) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """What each tag may be, [T, K]: unknown ones any, and O also any tag of the types that are not ``marks``.

        ``scheme`` is that of the tags; None marks all types.

        Raises:
            KeyError: a known tag is not in the vocabulary.
        """
        plain = [None if tag == UNKNOWN_TAG else (tag,) for tag in tags]
        sets = plain if self.plain else convert_partial(tags, self.scheme, scheme=scheme)
        allowed = np.zeros((len(tags), len(self)), dtype=np.bool_)
        for row, forms in zip(allowed, sets, strict=True):
            row[[self._index[tag] for tag in forms] if forms else slice(None)] = True
        if marks is not None:
            unmarked = [parse_any(tag).type not in {"", *marks} for tag in self.tags]
            outside = [parse_any(tag).role == "O" for tag in tags]
            allowed |= np.outer(outside, unmarked)
        return allowed

    def to_network(self, tags: Sequence[str]) -> Sequence[str]:
        return tags if self.plain else convert_tags(tags, self.scheme)

    def in_scheme(self, tags: Sequence[str], scheme: str) -> tuple[str, ...]:
        """Tags as files in another scheme have them; plain ones stay as they are."""
        return tuple(tags) if self.plain else convert_tags(tags, scheme)

    def lacking(self, counts: Mapping[str, int]) -> str:
        """What to say of types of spans, or plain tags, and how often each occurs; nothing where all are known."""
        lacking = Counter({name: count for name, count in counts.items() if count and name not in self.types})
        if not lacking:
            return ""
        what, of = ("tags", "word") if self.plain else ("types", "span")
        count = f"{lacking.total():,} {of}{'s' * (lacking.total() > 1)}"
        hint = _map_hint(lacking, self.types, none_known=lacking.total() == sum(counts.values()))
        return f"{what} that training lacks, so that they are never found: {shown(lacking)} ({count}){hint}"

    def to_json(self) -> dict[str, Any]:
        return {
            "tags": list(self.tags),
            "scheme": self.scheme,
            "gazetteer": self.gazetteer.to_json() if self.gazetteer else None,
            "features": self.features.to_json() if self.features else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TagVocabulary":
        gazetteer = Gazetteer.from_json(data["gazetteer"]) if data["gazetteer"] else None
        features = data.get("features")  # none in models from before there were any
        return cls(
            tuple(data["tags"]),
            data["scheme"],
            gazetteer,
            FeatureVocabulary.from_json(features) if features else None,
        )


def _map_hint(lacking: Mapping[str, int], known: Collection[str], *, none_known: bool) -> str:
    """How a map would read labels as those that are known and look alike: person as PER, location as LOC."""
    folded = {label.casefold(): label for label in sorted(known) if label != "O"}
    alike = {
        name: folded[close]
        for name in lacking
        for close in [
            next((short for short in folded if len(short) > 2 and name.casefold().startswith(short)), None)
            or next((long for long in folded if len(name) > 2 and long.startswith(name.casefold())), None)
        ]
        if close
    }
    if alike:
        options = " ".join(f"--map {name}={label}" for name, label in alike.items())
        return f"; {options} (in a plan: map) would read them as those that it has"
    names = ", ".join(list(folded.values())[:MOST_SHOWN])
    return f"; --map (in a plan: map) reads labels as those that it has: {names}" if none_known else ""


@dataclass(frozen=True)
class Vocabularies:
    """The vocabularies of all parts of a plan, by part name."""

    chars: Mapping[str, CharVocabulary]
    words: Mapping[str, WordVocabulary]
    tags: Mapping[str, TagVocabulary]


def build_words(
    training: Iterable[Sentence],
    *,
    other: Iterable[Sentence] = (),
    vector_words: Iterable[str] = (),
    lowercase: bool = True,
    zero_digits: bool = True,
    clusters: Clusters | None = None,
) -> WordVocabulary:
    """Words of the training files in order of first use, then words of other splits, then those with a vector."""
    normalise = normaliser(lowercase=lowercase, zero_digits=zero_digits)
    words = dict.fromkeys(normalise(word) for sentence in training for word in sentence.words)
    trained = len(words)
    words.update(dict.fromkeys(normalise(word) for sentence in other for word in sentence.words))
    words.update(dict.fromkeys(normalise(word) for word in vector_words))
    return WordVocabulary(tuple(words), trained, lowercase, zero_digits, clusters)


def build_chars(sentences: Iterable[Sentence], *, boundaries: bool = True) -> CharVocabulary:
    """Every character of the sentences, sorted."""
    alphabet = {character for sentence in sentences for word in sentence.words for character in word}
    return CharVocabulary("".join(sorted(alphabet)), boundaries)


def build_tags(
    sequences: Iterable[Sequence[str]],
    *,
    scheme: str,
    gazetteer: Gazetteer | None = None,
    features: FeatureVocabulary | None = None,
) -> TagVocabulary:
    """The tags in use, sorted if ``scheme`` is plain; for spans ``O`` and every tag of every type, seen or not.

    ``scheme`` is that of the network, whatever spans are written in. Unknown tags (``?``) are no tags.
    """
    seen = {tag for sequence in sequences for tag in sequence} - {UNKNOWN_TAG}
    tags = sorted(seen) if scheme == "plain" else all_tags(types_of(seen), scheme)
    return TagVocabulary(tuple(tags), scheme, gazetteer, features)
