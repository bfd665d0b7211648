"""Vocabularies of a model that learns on: what it knew stays, what new files hold is added."""

from dataclasses import replace

from polytag.corpus.schemes import all_tags
from polytag.vocabulary.features import FeatureVocabulary
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, WordVocabulary


def grown_chars(new: CharVocabulary, old: CharVocabulary) -> CharVocabulary:
    """The characters of both, sorted."""
    return replace(new, alphabet="".join(sorted({*new.alphabet, *old.alphabet})))


def grown_words(new: WordVocabulary, old: WordVocabulary) -> WordVocabulary:
    """The words of both; those that either was trained on come first."""
    words = dict.fromkeys((*new.words[: new.trained], *old.words[: old.trained]))
    trained = len(words)
    words.update(dict.fromkeys((*new.words[new.trained :], *old.words[old.trained :])))
    return replace(new, words=tuple(words), trained=trained)


def grown_tags(new: TagVocabulary, old: TagVocabulary) -> TagVocabulary:
    """The types or plain tags of both, and the features of both where the new one has any."""
    types = new.types | old.types
    tags = sorted(types) if new.plain else all_tags(types, new.scheme)
    return replace(new, tags=tuple(tags), features=_grown_features(new.features, old.features))


def _grown_features(new: FeatureVocabulary | None, old: FeatureVocabulary | None) -> FeatureVocabulary | None:
    if new is None or old is None:
        return new
    own, around = (dict.fromkeys((*a, *b)) for a, b in ((new.own, old.own), (new.around, old.around)))
    return FeatureVocabulary(tuple(own), tuple(around))
