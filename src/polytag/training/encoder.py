"""From sentences to batches: one encoder per language, that is per pair of a word part and a character part."""

from array import array
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from polytag.plan import Plan
from polytag.tagger.packing import Ints
from polytag.training.batch import Batch, Mask, Packing, pack_distinct
from polytag.vocabulary.features import AROUND, OWN, FeatureVocabulary, Rows
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, Vocabularies, WordVocabulary


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
        self._forms: dict[str, int] = {}
        self._word_ids: list[int] = []
        self._characters: list[Ints] = []
        self._features = {part: array("i") for part in self._feature_vocabularies}

    @classmethod
    def of(cls, plan: Plan, vocabularies: Vocabularies, task: str) -> "Encoder":
        """The encoder of the language that a task reads."""
        settings = plan.tasks[task]
        parts = dict.fromkeys(plan.tasks[other].tags for other in plan.users("words", settings.words))
        return cls(
            vocabularies.words[settings.words],
            None if settings.chars is None else vocabularies.chars[settings.chars],
            max_characters=plan.words[settings.words].max_characters,
            features={part: found for part in parts if (found := vocabularies.tags[part].features)},
        )

    def forms(self, words: Sequence[str]) -> Ints:
        """The number of each word in this encoder's table of distinct words, [T]."""
        table = self._forms
        return np.fromiter((table[w] if w in table else self._add(w) for w in words), np.int64, len(words))

    def _add(self, word: str) -> int:
        self._word_ids.append(self.words.index(word))
        if self.chars is not None:
            self._characters.append(np.array(self.chars.indices(word, self.max_characters), np.int64))
        for part, vocabulary in self._feature_vocabularies.items():
            self._features[part].extend(vocabulary.indices(word, self.words.cluster_features(word)))
        return self._forms.setdefault(word, len(self._forms))

    def features(self, part: str, forms: Ints) -> Rows:
        """Indices of the features that a tag part sees of remembered words, [..., F]."""
        width = OWN + AROUND + self.words.cluster_sets
        rows: Rows = np.frombuffer(self._features[part], dtype=np.int32).reshape(-1, width)
        return rows[forms].copy()  # as long as there is a view, the array cannot grow

    def batch(
        self,
        forms: Sequence[Ints],
        *,
        tags: Sequence[Ints] | None = None,
        allowed: Sequence[Mask] | None = None,
        gazetteer: Mapping[str, Sequence[Ints]] | None = None,
        features: Sequence[str] = (),
    ) -> Batch:
        """Sentences, each as its `forms`, with the tags of one task and gazetteer columns for each tag part.

        Where tags are unknown, ``allowed`` [T, K] of each sentence stands in place of ``tags``. ``features`` names the
        tag parts whose features of words are wanted.
        """
        packing = Packing.of([len(sentence) for sentence in forms])
        rows = packing.pack(np.concatenate(forms))
        distinct, inverse = np.unique(rows, return_inverse=True)
        word_ids = np.array([self._word_ids[form] for form in distinct.tolist()], dtype=np.int64)
        packed = None
        if self.chars is not None:
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
