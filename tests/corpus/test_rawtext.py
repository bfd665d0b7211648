"""Raw text: nothing is lost, each word stands where its offsets say, and what ends a sentence."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.corpus import rawtext
from polytag.corpus.rawtext import Splitter
from polytag.errors import PlanError, PolytagError

pytest.importorskip("spacy", reason="spaCy (polytag[text]) is not installed")

SPLITTERS = {name: Splitter(name) for name in ("xx", "en", "es", "de", "zh")} | {"tokens": Splitter(tokenised=True)}
BLANKS = [" ", "\t", "\n", "\r\n", "\r", "\n\n", "\n \t\n", "\xa0", "\u2028", "\x85", "\x1c"]
UNSEEN = ["\0", "\x1b", "\u200b", "\u200d", "\ufeff", "\ud800", "\udfff", "e\u0301"]
WORDS = ["Mr. ", "U.S.", "don't", "...", "?!", ".", "Lima", "EE. UU.", ":-)", "https://a.b/c?d=e", "10,000.5"]
OTHERS = ["\U0001f468\u200d\U0001f469", "שלום", "مرحبا.", "中国。", "(" * 30, "'s" * 20, "a" * 300]
PIECES = st.sampled_from([*BLANKS, *UNSEEN, *WORDS, *OTHERS])
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join)


def check(text: str, language: str) -> None:
    sentences = list(SPLITTERS[language].sentences(text))
    assert all(sentence.words for sentence in sentences)
    places = [place for sentence in sentences for place in sentence.offsets]
    assert [text[start:end] for start, end in places] == [word for sentence in sentences for word in sentence.words]
    assert all(start < end for start, end in places)
    assert all(left[1] <= right[0] for left, right in pairwise(places))
    if language == "tokens":
        assert re.findall(r"[^ \t\r\n]+", text) == [text[start:end] for start, end in places]
    else:
        covered = "".join(text[start:end] for start, end in places)
        assert covered == "".join(text.split())
        assert not any(character.isspace() for character in covered)


@pytest.mark.parametrize("language", SPLITTERS)
@settings(max_examples=80, deadline=None)
@given(TEXTS)
def test_every_character_but_blanks_is_in_a_word_that_stands_where_it_says(language, text):
    check(text, language)


@pytest.mark.parametrize("language", ["xx", "en", "es"])
@settings(max_examples=20, deadline=None)
@given(TEXTS)
def test_so_where_texts_are_cut(language, text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rawtext, "PARAGRAPH", 20)
        patch.setattr(rawtext, "STRINGS", 10)
        check(text * 3, language)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One .", "Two !", "Three ?"]),
        ("A headline\n\nand text", ["A headline", "and text"]),
        ("A headline\r\n \t\r\nand text", ["A headline", "and text"]),
        ("a line that\ngoes on\r\nand on", ["a line that goes on and on"]),
        ("Mr. Smith didn't go.", ["Mr. Smith did n't go ."]),
        (" \n\n \n", []),
        ("", []),
    ],
)
def test_sentences_and_words(text, expected):
    assert [" ".join(s.words) for s in SPLITTERS["en"].sentences(text)] == expected


def test_text_that_is_split_already():
    text = "Mr. Smith\tcame\n\nhe did n't go .\rU.S."
    found = list(Splitter(tokenised=True).sentences(text))
    assert [s.words for s in found] == [("Mr.", "Smith", "came"), ("he", "did", "n't", "go", "."), ("U.S.",)]
    assert found[1].offsets[0] == (16, 18)


def test_a_word_of_spacy_that_holds_a_blank_is_several():
    assert next(SPLITTERS["es"].sentences("en EE. UU. hoy")).words == ("en", "EE.", "UU.", "hoy")


def test_a_long_paragraph_is_cut_after_a_sentence(monkeypatch):
    text = "Angela Merkel visited Lima. She left. " * 40
    whole = list(SPLITTERS["en"].sentences(text))
    monkeypatch.setattr(rawtext, "PARAGRAPH", 100)
    assert list(SPLITTERS["en"].sentences(text)) == whole
    assert len(whole) == 80


def test_a_stretch_without_blanks_takes_no_time_to_speak_of_and_ends_no_sentence():
    began = time.monotonic()
    for text in ("(" * 5_000, "'s" * 2_500, "ab" * 20_000):
        assert len(list(SPLITTERS["en"].sentences(f"a {text} b"))) == 1
    assert time.monotonic() - began < 20  # seconds; uncut, the first alone takes ten


@pytest.mark.parametrize(
    ("code", "message"),
    [("em", "there are no rules for language 'em'; known are af, "), ("english", "no rules for language 'english'")],
)
def test_unknown_languages(code, message):
    with pytest.raises(PlanError, match=message):
        Splitter(code)


def test_without_spacy_one_sentence_says_what_to_do(monkeypatch):
    monkeypatch.setattr(rawtext, "find_spec", lambda name: None)
    with pytest.raises(PolytagError, match=r"pip install 'polytag\[text\]', or say --from tokenised"):
        Splitter("en")
    assert next(Splitter(tokenised=True).sentences("a b")).words == ("a", "b")
