"""Tokenisers: nothing is lost, each word stands where its offsets say, and what ends words and sentences."""

import re
from importlib.util import find_spec
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.corpus import spacy_words, tokenising
from polytag.corpus.spacy_words import SpacyWords
from polytag.corpus.tokenising import Tokeniser, tokeniser
from polytag.errors import PlanError, PolytagError

SPACY = ["spacy:xx", "spacy:en", "spacy:es", "spacy:de", "spacy:zh"]
NAMES = ["unicode", "blanks", *(SPACY if find_spec("spacy") else [])]
BLANKS = [" ", "\t", "\n", "\r\n", "\r", "\n\n", "\n \t\n", "\xa0", "\u2028", "\x85", "\x1c"]
UNSEEN = ["\0", "\x1b", "\u200b", "\u200d", "\ufeff", "\ud800", "\udfff", "e\u0301"]
WORDS = ["Mr. ", "U.S.", "don't", "...", "?!", ".", "Lima", "EE. UU.", ":-)", "https://a.b/c?d=e", "10,000.5"]
OTHERS = ["\U0001f468\u200d\U0001f469", "שלום", "مرحبا.", "中国。", "ไทยกำ", "(" * 30, "'s" * 20, "a" * 300]
PIECES = st.sampled_from([*BLANKS, *UNSEEN, *WORDS, *OTHERS])
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join)
needs_spacy = pytest.mark.skipif(not find_spec("spacy"), reason="spaCy (polytag[text]) is not installed")


def check(text: str, name: str) -> None:
    sentences = list(tokeniser(name).sentences(text))
    assert all(sentence.words for sentence in sentences)
    places = [place for sentence in sentences for place in sentence.offsets]
    assert [text[start:end] for start, end in places] == [word for sentence in sentences for word in sentence.words]
    assert all(start < end for start, end in places)
    assert all(left[1] <= right[0] for left, right in pairwise(places))
    assert list(tokeniser(name).words(text)) == places
    if name == "blanks":
        assert re.findall(r"[^ \t\r\n]+", text) == [text[start:end] for start, end in places]
    else:
        covered = "".join(text[start:end] for start, end in places)
        assert covered == "".join(text.split())
        assert not any(character.isspace() for character in covered)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=80, deadline=None)
@given(TEXTS)
def test_every_character_but_blanks_is_in_a_word_that_stands_where_it_says(name, text):
    check(text, name)


@pytest.mark.parametrize("name", NAMES[:4])
@settings(max_examples=20, deadline=None)
@given(TEXTS)
def test_so_where_texts_are_cut(name, text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenising, "PARAGRAPH", 20)
        check(text * 3, name)


@pytest.mark.parametrize("name", ["unicode", pytest.param("spacy:en", marks=needs_spacy)])
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
def test_sentences_and_words(name, text, expected):
    assert [" ".join(s.words) for s in tokeniser(name).sentences(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna, Bob (and Eve) saw Rome.", "Anna , Bob ( and Eve ) saw Rome ."),
        ("Rome's well-known and/or 'quoted' dogs'", "Rome 's well - known and / or ' quoted ' dogs '"),
        ("l'Italie, d’Or; O'Brien ng'ombe", "l' Italie , d’ Or ; O' Brien ng' ombe"),
        ("I can't, we're; they’ll", "I ca n't , we 're ; they ’ll"),
        ("'n Hond se kos, 's avonds 't huis", "'n Hond se kos , 's avonds 't huis"),
        ("the U.S. e.g. this, i.e. U.S.A, a.m.", "the U.S. e.g. this , i.e. U.S.A , a.m."),
        ("J. R. R. Tolkien, Dr. No, plan B.", "J. R. R. Tolkien , Dr. No , plan B ."),
        ("$10,000.50 3rd 24/7 08/16/2000 10:30 5%", "$ 10,000.50 3rd 24/7 08/16/2000 10:30 5 %"),
        ("https://a.b/c?d=e, me@x.org. example.com", "https://a.b/c?d=e , me@x.org . example.com"),
        ("Well... what?! -- :-) #tag @user", "Well ... what ? ! -- :-) #tag @user"),
        ("It ends.Then goes on", "It ends . Then goes on"),
        ("e\u0301te\u0301 हिन्दी भाषा। ያሉት። አለን፡፡", "e\u0301te\u0301 हिन्दी भाषा । ያሉት ። አለን ፡፡"),
        ("中国人。ไทยกำ 한국어 トキオ", "中 国 人 。 ไ ท ย ก ำ 한국어 トキオ"),
        ("👨\u200d👩👍🏽🇳🇱🇧🇪 ❤️", "👨\u200d👩 👍🏽 🇳🇱 🇧🇪 ❤️"),
        ('צה"ל col·lega', 'צה"ל col·lega'),
    ],
)
def test_words_by_unicode(text, expected):
    assert " ".join(text[start:end] for start, end in Tokeniser().words(text)) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("He left at 5 p.m. and she stayed.", 1),
        ("Gov. Smith met J. Doe. They spoke.", 2),
        ('"Yes." He left. (She too.) "No!" she said.', 5),
        ("Well... it goes on. It ends… Then more.", 3),
        ("¿Qué? ¡No! Sí.", 3),
        ("中国。日本！好", 3),
        ("यह है। वह था। ያሉት። አለን።", 4),
        ("Version 2.5 is out", 1),
    ],
)
def test_sentences_by_unicode(text, count):
    assert len(list(Tokeniser().sentences(text))) == count


def test_text_that_is_tokenised_already():
    text = "Mr. Smith\tcame\n\nhe did n't go .\rU.S."
    found = list(Tokeniser("blanks").sentences(text))
    assert [s.words for s in found] == [("Mr.", "Smith", "came"), ("he", "did", "n't", "go", "."), ("U.S.",)]
    assert found[1].offsets[0] == (16, 18)


@needs_spacy
def test_a_word_of_spacy_that_holds_a_blank_is_several():
    assert next(tokeniser("spacy:es").sentences("en EE. UU. hoy")).words == ("en", "EE.", "UU.", "hoy")


@pytest.mark.parametrize("name", ["unicode", pytest.param("spacy:en", marks=needs_spacy)])
def test_a_long_paragraph_is_cut_after_a_sentence(monkeypatch, name):
    text = "Angela Merkel visited Lima. She left. " * 40
    whole = list(tokeniser(name).sentences(text))
    monkeypatch.setattr(tokenising, "PARAGRAPH", 100)
    assert list(tokeniser(name).sentences(text)) == whole
    assert len(whole) == 80


HARD = [
    "(",
    "'s",
    "ab",
    "a-",
    "A.",
    "a.",
    "1.",
    "n't",
    "http://.",
    "a@",
    ".)",
    "\u0301",
    "👩\u200d",
    'א"',
    "·a",
    "\0",
    "中",
]


@pytest.mark.parametrize("name", ["unicode", pytest.param("spacy:en", marks=needs_spacy)])
def test_a_stretch_without_blanks_takes_no_time_to_speak_of(name):
    for stretch in HARD if name == "unicode" else HARD[:3]:  # uncut, one alone would take minutes
        text = f"a {stretch * (20_000 if name == 'unicode' else 2_500)} b"
        assert "".join(next(tokeniser(name).sentences(text)).words)


def test_models_of_before_cut_records_at_blanks_and_raw_text_by_spacy():
    old = Tokeniser("legacy:en")
    assert len(old.words("saw Rome. Yes")) == 3
    if find_spec("spacy"):
        assert [s.words for s in old.sentences("saw Rome. Yes")] == [("saw", "Rome", "."), ("Yes",)]


@pytest.mark.parametrize("name", ["", "spacy", "spacy:EN", "unicode:en", "xx", "spacy:en and spacy:es"])
def test_what_is_no_tokeniser(name):
    with pytest.raises(PlanError, match=re.escape(f"found tokeniser '{name}', expected 'unicode', 'blanks' or")):
        Tokeniser(name)


@needs_spacy
def test_spacy_starts_anew_where_it_remembers_too_much(monkeypatch):
    rules = SpacyWords("xx")
    before = rules.split("a new word")
    monkeypatch.setattr(spacy_words, "STRINGS", 1)
    assert rules.split("a new word") == before


@needs_spacy
def test_unknown_languages():
    with pytest.raises(PlanError, match="there are no rules for language 'em'; known are af, "):
        SpacyWords("em")


def test_without_spacy_one_sentence_says_what_to_do(monkeypatch):
    monkeypatch.setattr(spacy_words, "find_spec", lambda name: None)
    with pytest.raises(PolytagError, match=r"'spacy:ga' is spaCy's, .* pip install 'polytag\[text\]', or name another"):
        Tokeniser("spacy:ga").load()
    with pytest.raises(PolytagError, match="spaCy"):
        Tokeniser("legacy:ga").sentences("a b")
    for name in ("unicode", "blanks", "legacy:ga"):
        assert list(chain(Tokeniser(name).words("a b"))) == [(0, 1), (2, 3)]
