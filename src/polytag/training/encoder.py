"""From sentences to batches: one encoder per language, that is per pair of a word part and a character part."""

from array import array
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch

from polytag.training.batch import Batch, Characters, Ints, Mask, Packing, pack_distinct
from polytag.vocabulary.features import AROUND, OWN, FeatureVocabulary, Rows
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, WordVocabulary

# Distinct words remembered, and characters in them; tagging a large file must not fill the memory.
_MOST_FORMS, _MOST_CHARACTERS = 65_536, 8_000_000
_NO_CHARACTERS = np.zeros(0, dtype=np.int64)


class Encoder:
    """Turns words into indices and remembers them for each distinct word."""

    def __init__(
        self,
        words: WordVocabulary,
        chars: CharVocabulary | None,
        *,
        max_characters: int,
        features: Mapping[str, FeatureVocabulary] | None = None,
    ) -> None:
        """``features``: of the tag parts that have them."""
        self.words, self.chars, self.max_characters = words, chars, max_characters
        self._feature_vocabularies = features or {}
        self._forget()

    def __len__(self) -> int:
        """How many distinct words are remembered."""
        return len(self._forms)

    def _forget(self) -> None:
        self._forms: dict[str, int] = {}
        self._length = 0
        self._word_ids: list[int] = []
        self._characters: list[Ints] = []
        self._dropped = 0
        self._features = {part: array("i") for part in self._feature_vocabularies}

    def forms(self, words: Sequence[str]) -> Ints:
        """The number of each word in this encoder's table of distinct words, [T]; valid until `trim`."""
        table = self._forms
        return np.fromiter((table[w] if w in table else self._add(w) for w in words), np.int64, len(words))

    def _add(self, word: str) -> int:
        self._length += len(word)
        self._word_ids.append(self.words.index(word))
        if self.chars is not None:
            self._characters.append(self.chars.indices(word, self.max_characters))
        for part, vocabulary in self._feature_vocabularies.items():
            self._features[part].extend(vocabulary.indices(word))
        return self._forms.setdefault(word, len(self._forms))

    def trim(self) -> bool:
        """Forget all words once there are too many and say so; arrays from `forms` are void then."""
        full = len(self._forms) > _MOST_FORMS or self._length > _MOST_CHARACTERS
        if full:
            self._forget()
        return full

    def distinct(self, start: int, *, characters: int) -> tuple[Ints, Characters | None]:
        """Remembered words from number ``start`` on: word indices, and characters, of about so many at most."""
        if self.chars is None:
            return np.array(self._word_ids[start:], dtype=np.int64), None
        lengths = np.cumsum([len(word) for word in self._characters[start:]])
        end = start + max(1, int(np.searchsorted(lengths, characters)))
        ids, found = np.array(self._word_ids[start:end], dtype=np.int64), self._characters[start:end]
        return ids, pack_distinct(np.arange(len(ids)), found)

    def features(self, part: str, forms: "slice | Ints") -> Rows:
        """Indices of the features that a tag part sees of remembered words, [..., F]."""
        rows: Rows = np.frombuffer(self._features[part], dtype=np.int32).reshape(-1, OWN + AROUND)
        return rows[forms].copy()  # as long as there is a view, the array cannot grow

    def drop_characters(self, end: int) -> None:
        """Forget the characters of the words before number ``end``, for a caller that knows their vectors.

        Many small arrays that live long keep the memory between them from being used again: 100 MB in a long run.
        """
        self._characters[self._dropped : end] = [_NO_CHARACTERS] * (end - self._dropped)
        self._dropped = end

    def batch(
        self,
        forms: Sequence[Ints],
        *,
        tags: Sequence[Ints] | None = None,
        allowed: Sequence[Mask] | None = None,
        gazetteer: Mapping[str, Sequence[Ints]] | None = None,
        features: Sequence[str] = (),
        characters: bool = True,
    ) -> Batch:
        """Sentences, each as its `forms`, with the tags of one task and gazetteer columns for each tag part.

        Where tags are unknown, ``allowed`` [T, K] of each sentence stands in place of ``tags``. ``features`` names the
        tag parts whose features of words are wanted.
        Without ``characters`` the batch has none: for a caller that knows the character vectors of its words.
        """
        packing = Packing.of([len(sentence) for sentence in forms])
        rows = packing.pack(np.concatenate(forms))
        distinct, inverse = np.unique(rows, return_inverse=True)
        word_ids = np.array([self._word_ids[form] for form in distinct.tolist()], dtype=np.int64)
        packed = None
        if self.chars is not None and characters:
            packed = pack_distinct(inverse, [self._characters[form] for form in distinct.tolist()])
        return Batch(
            words=torch.from_numpy(word_ids[inverse]),
            packing=packing,
            characters=packed,
            tags=None if tags is None else torch.from_numpy(packing.pack(np.concatenate(tags))),
            allowed=None if allowed is None else torch.from_numpy(packing.pack(np.concatenate(allowed))),
            gazetteer={
                part: torch.from_numpy(packing.pack(np.concatenate(columns)))
                for part, columns in (gazetteer or {}).items()
            },
            forms=torch.from_numpy(inverse) if features else None,
            features={part: torch.from_numpy(self.features(part, distinct)) for part in features},
        )


def gazetteer_columns(vocabulary: TagVocabulary, words: Sequence[str]) -> Ints:
    """The gazetteer's one-hot column of each word, [T]."""
    assert vocabulary.gazetteer is not None
    return np.array(vocabulary.gazetteer.match(words), dtype=np.int64)


def by_length(lengths: Sequence[int], *, sentences: int, words: int) -> Iterator[list[int]]:
    """Group sentences of similar length into batches of at most so many sentences and words, but one at least.

    Gives indices into ``lengths``; sentences without words are in no batch.
    """
    group: list[int] = []
    total = 0
    for index in sorted((i for i, length in enumerate(lengths) if length), key=lengths.__getitem__):
        if group and (len(group) == sentences or total + lengths[index] > words):
            yield group
            group, total = [], 0
        group.append(index)
        total += lengths[index]
    if group:
        yield group
