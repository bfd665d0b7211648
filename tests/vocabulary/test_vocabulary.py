"""Vocabularies: what is looked up as what, what is left out, and that they come back from JSON as they were."""

import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.corpus.schemes import allowed, convert_tags, problems, spans
from polytag.corpus.sentence import Sentence
from polytag.tag_schemes import SCHEMES, SPAN_SCHEMES
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vocabularies import (
    END,
    START,
    UNKNOWN,
    CharVocabulary,
    TagVocabulary,
    WordVocabulary,
    build_chars,
    build_tags,
    build_words,
    normaliser,
)
from tests.oracles_spans import random_tags

NETWORK_SCHEMES = [scheme for scheme in SPAN_SCHEMES if SCHEMES[scheme].separates]


def sentence(text: str) -> Sentence:
    return Sentence(tuple(text.split()))


class TestWords:
    @pytest.mark.parametrize(
        ("lowercase", "zero_digits", "expected"),
        [(True, True, "b-00é"), (True, False, "b-42é"), (False, True, "B-00É"), (False, False, "B-42É")],
    )
    def test_normalisation(self, lowercase: bool, zero_digits: bool, expected: str) -> None:
        assert normaliser(lowercase=lowercase, zero_digits=zero_digits)("B-42É") == expected

    def test_words_that_normalise_alike_are_one(self) -> None:
        words = build_words([sentence("The the 1999 2001 THE")])
        assert words.words == ("the", "0000")
        assert len(words) == 3
        assert [words.index(w) for w in ("tHe", "1850", "the", "unheard")] == [1, 2, 1, UNKNOWN]

    def test_a_word_that_is_not_known_as_it_is_is_looked_up_in_lower_case(self) -> None:
        words = build_words([sentence("The Ajax")], vector_words=["the", "ajax", "oslo"], lowercase=False)
        assert words.words == ("The", "Ajax", "the", "ajax", "oslo")
        assert [words.index(w) for w in ("Ajax", "ajax", "AJAX", "Oslo", "Unheard")] == [2, 4, 4, 5, UNKNOWN]

    def test_training_words_come_first_then_other_splits_then_vectors(self) -> None:
        words = build_words([sentence("b a b")], other=[sentence("c A")], vector_words=["d", "B", "c"])
        assert words.words == ("b", "a", "c", "d")
        assert words.trained == 2

    def test_seen_in_training_means_in_a_training_file(self) -> None:
        words = build_words([sentence("Lima 7")], other=[sentence("Oslo")], vector_words=["quito"])
        seen = {word: words.seen_in_training(word) for word in ("LIMA", "8", "Oslo", "Quito", "unheard")}
        assert seen == {"LIMA": True, "8": True, "Oslo": False, "Quito": False, "unheard": False}

    @given(st.lists(st.text(min_size=1), max_size=8), st.booleans(), st.booleans())
    @settings(max_examples=30)
    def test_json_round_trip(self, forms: list[str], lowercase: bool, zero_digits: bool) -> None:
        words = build_words([Sentence(tuple(forms))], vector_words=["x"], lowercase=lowercase, zero_digits=zero_digits)
        again = WordVocabulary.from_json(json.loads(json.dumps(words.to_json())))
        assert again == words
        assert [again.index(form) for form in forms] == [words.index(form) for form in forms]
        assert all(again.seen_in_training(form) for form in forms)


class TestCharacters:
    def test_the_alphabet_keeps_case_and_digits_and_is_sorted(self) -> None:
        assert build_chars([sentence("bA1 é")]).alphabet == "1Abé"

    def test_boundaries_stand_around_each_word(self) -> None:
        characters = CharVocabulary("ab")
        assert len(characters) == 5
        assert characters.indices("abc", 35) == [START, 3, 4, UNKNOWN, END]
        assert CharVocabulary("ab", boundaries=False).indices("abc", 35) == [3, 4, UNKNOWN]

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 8, 9])
    @pytest.mark.parametrize("boundaries", [True, False])
    def test_the_limit_counts_the_boundaries(self, boundaries: bool, limit: int) -> None:
        characters = CharVocabulary("abcdef", boundaries)
        found = characters.indices("abcdef", limit)
        inner = found[1:-1] if boundaries else found
        assert inner == [3, 4, 5, 6, 7, 8][: len(inner)]
        assert len(found) == min(8 if boundaries else 6, max(limit, 3 if boundaries else 1))

    @pytest.mark.parametrize("boundaries", [True, False])
    def test_a_word_without_characters_still_has_one(self, boundaries: bool) -> None:
        assert UNKNOWN in CharVocabulary("a", boundaries).indices("", 35)

    @pytest.mark.parametrize("boundaries", [True, False])
    def test_json_round_trip(self, boundaries: bool) -> None:
        characters = build_chars([sentence("naïve 東京 \U0001f600")], boundaries=boundaries)
        again = CharVocabulary.from_json(json.loads(json.dumps(characters.to_json())))
        assert again == characters
        assert again.indices("東\U0001f600?", 9) == characters.indices("東\U0001f600?", 9)


class TestTags:
    @pytest.mark.parametrize(("scheme", "count"), [("bioes", 4), ("iob2", 2), ("iob1", 2), ("bmewo", 4), ("ioe1", 2)])
    def test_every_prefix_of_each_type_seen_or_not(self, scheme: str, count: int) -> None:
        tags = build_tags([["B-PER", "O"], ["B-LOC"]], scheme=scheme)
        assert tags.tags[0] == "O"
        assert len(tags) == 1 + 2 * count
        assert {tag.partition("-")[2] for tag in tags.tags[1:]} == {"LOC", "PER"}

    @pytest.mark.parametrize("scheme", NETWORK_SCHEMES)
    def test_no_valid_beginning_is_a_dead_end(self, scheme: str) -> None:
        tags = build_tags([["S-A"], ["B-B", "E-B"]], scheme=scheme)
        begins, follows, ends = map(np.array, allowed(tags.tags, scheme))
        may_end = ends.copy()
        for _ in range(3):  # a valid prefix of any length can be ended within as many more words
            may_end = may_end | (follows & may_end).any(1)
        reached = begins.copy()
        for _ in range(6):
            assert may_end[reached].all()
            assert (reached & ends).any()
            reached = (follows & reached[:, None]).any(0)

    @pytest.mark.parametrize("data_scheme", NETWORK_SCHEMES)
    @pytest.mark.parametrize("scheme", NETWORK_SCHEMES)
    def test_tags_come_back_in_the_scheme_of_the_data(self, scheme: str, data_scheme: str) -> None:
        source = random.Random(scheme + data_scheme)
        gold = [convert_tags(random_tags(source, data_scheme, n), data_scheme) for n in range(1, 30)]
        tags = build_tags(gold, scheme=scheme)
        for sequence in gold:
            indices = tags.encode(sequence)
            seen = [tags.tags[i] for i in indices]
            assert not problems(seen, scheme)
            assert spans(seen) == spans(sequence)
            assert tags.in_scheme(seen, data_scheme) == sequence

    def test_ill_formed_tags_are_read_as_conlleval_reads_them(self) -> None:
        tags = build_tags([["I-A", "I-A", "O"]], scheme="bioes")
        assert [tags.tags[i] for i in tags.encode(["I-A", "I-A", "O"])] == ["B-A", "E-A", "O"]
        assert tags.in_scheme(["I-A", "O", "E-A"], "iob2") == ("B-A", "O", "B-A")

    def test_types_may_hold_hyphens_or_be_absent(self) -> None:
        tags = build_tags([["B-a-b", "O", "B", "I"]], scheme="iob2")
        assert tags.tags == ("O", "B", "I", "B-a-b", "I-a-b")
        assert [tags.tags[i] for i in tags.encode(["B", "I", "B-a-b"])] == ["B", "I", "B-a-b"]
        assert tags.types == {"_", "a-b"}

    def test_plain_tags_are_left_as_they_are(self) -> None:
        tags = build_tags([["NOUN", "B-x", "O"], ["ADJ"]], scheme="plain")
        assert tags.plain
        assert tags.tags == ("ADJ", "B-x", "NOUN", "O")
        assert tags.encode(["NOUN", "ADJ"]) == [2, 0]
        assert tags.in_scheme(["NOUN", "B-x"], "plain") == ("NOUN", "B-x")

    def test_without_any_span_there_is_only_o(self) -> None:
        assert build_tags([["O", "O"]], scheme="bioes").tags == ("O",)

    @pytest.mark.parametrize("gazetteer", [None, Gazetteer.from_entries([("PER", ("Ann", "Lee"))])])
    @pytest.mark.parametrize("scheme", ["bioes", "iob1", "plain"])
    def test_json_round_trip(self, scheme: str, gazetteer: Gazetteer | None) -> None:
        tags = build_tags([["B-PER", "I-PER"]], scheme=scheme, gazetteer=gazetteer)
        again = TagVocabulary.from_json(json.loads(json.dumps(tags.to_json())))
        assert again == tags
        assert again.gazetteer == gazetteer


def test_the_order_does_not_depend_on_the_hash_seed() -> None:
    code = """
from polytag.vocabulary.vocabularies import *
s = Sentence(tuple("the The zebra Quito 42 lima Å".split()))
print(build_words([s], vector_words=["x", "a"]).words, ascii(build_chars([s]).alphabet))
print(build_tags([["B-X", "O", "S-Y", "B-A"]], scheme="bioes").tags)
print(build_tags([["N", "V", "A", "D"]], scheme="plain").tags)
"""
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
