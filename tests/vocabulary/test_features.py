"""Hand features of words: what they are, which are kept, and how they come back from a model directory."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.vocabulary.features import (
    AROUND,
    EDGE,
    FEWEST,
    NONE,
    OWN,
    FeatureVocabulary,
    around_features,
    build_features,
    own_features,
)

SENTENCES = [["Lima", "saw", "Ann"], ["lima", "saw", "2-Ann"]] * FEWEST
words = st.text(min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("word", "shape", "flags"),
    [
        ("Lima", "Xxxx", "010"),
        ("UN", "XX", "100"),
        ("1999", "dddd", "001"),
        ("café-7", "xxxx-d", "000"),
        ("Ольга", "Xxxxx", "010"),
        ("日本", "xx", "000"),
        ("U", "X", "110"),
        ("...", "...", "000"),
    ],
)
def test_shape_and_kind_in_any_script(word: str, shape: str, flags: str) -> None:
    assert f"s={shape}" in own_features(word)
    assert around_features(word) == [f"l={word.lower()}", f"c={flags}"]


def test_affixes_have_up_to_four_characters_and_a_short_word_is_its_own() -> None:
    assert own_features("hills")[2:] == ["p=h", "p=hi", "p=hil", "p=hill", "x=s", "x=ls", "x=lls", "x=ills"]
    assert own_features("at")[2:] == ["p=a", "p=at", "p=at", "p=at", "x=t", "x=at", "x=at", "x=at"]


@given(words)
def test_every_word_has_as_many(word: str) -> None:
    assert (len(own_features(word)), len(around_features(word))) == (OWN, AROUND)


def test_an_index_stands_for_one_feature_and_for_no_edge() -> None:
    vocabulary = build_features(SENTENCES)
    own, around = {}, {}
    for word in {word for sentence in SENTENCES for word in sentence}:
        found = vocabulary.indices(word)
        own |= dict(zip(own_features(word), found[:OWN], strict=True))
        around |= dict(zip(around_features(word), found[OWN:], strict=True))
    for by_name, size, first in ((own, vocabulary.sizes[0], NONE + 1), (around, vocabulary.sizes[1], EDGE + 1)):
        assert sorted(by_name.values()) == list(range(first, size))


def test_what_training_hardly_saw_is_no_feature() -> None:
    vocabulary = build_features([["often", "often"], ["once"]])
    assert NONE not in vocabulary.indices("often")
    assert vocabulary.indices("once")[:2] == [NONE, NONE]
    assert vocabulary.own[0] == "p=o"  # of both words: the most frequent comes first
    assert set(vocabulary.indices("Ж")) == {NONE}


@given(st.lists(st.lists(words, min_size=1), max_size=5), words)
def test_a_vocabulary_comes_back_as_it_was(sentences: list[list[str]], word: str) -> None:
    vocabulary = build_features(sentences)
    again = FeatureVocabulary.from_json(json.loads(json.dumps(vocabulary.to_json())))
    assert again == vocabulary
    assert again.indices(word) == vocabulary.indices(word)
