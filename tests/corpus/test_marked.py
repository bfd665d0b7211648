"""Sentences as people see them: repr, text with brackets, HTML with colours, tables of pandas."""

import re

import pytest

from polytag import PolytagError, Sentence, Span, to_frame
from polytag.corpus.marked import COLOURS, as_html

TEXT = "Ann Lee's in <Lima>."
WORDS = ("Ann", "Lee", "'s", "in", "<Lima>", ".")
OFFSETS = ((0, 3), (4, 7), (7, 9), (10, 12), (13, 19), (19, 20))
TAGS = {"ner": ("B-PER", "I-PER", "I-PER", "O", "B-LOC", "?"), "pos": ("NNP", "NNP", "POS", "IN", "NNP", ".")}
PLACED = Sentence(WORDS, TAGS, offsets=OFFSETS)


def test_repr_holds_what_there_is_and_can_be_read_again() -> None:
    short = Sentence(("Ann",), {"ner": ("B-PER",)}, (3,), "a.conll")
    assert repr(short) == "Sentence(words=('Ann',), tags={'ner': ('B-PER',)}, lines=(3,), source='a.conll')"
    assert repr(Sentence(())) == "Sentence(words=())"
    for sentence in (short, PLACED):
        assert eval(repr(sentence)) == sentence


def test_text_has_spans_in_brackets_and_tags_at_their_words() -> None:
    assert str(PLACED).splitlines() == [
        "ner: [Ann Lee 's]PER in [<Lima>]LOC .",
        "pos: [Ann]NNP [Lee]NNP ['s]POS [in]IN [<Lima>]NNP [.].",
    ]
    assert str(Sentence(("Ann", "left"))) == "Ann left"


def test_spans_know_their_text_and_characters() -> None:
    known = Sentence(WORDS, {"ner": (*TAGS["ner"][:-1], "O")}, offsets=OFFSETS)
    person, place = known.spans("ner")
    assert (person.text, person.characters) == ("Ann Lee's", (0, 9))
    assert (place.text, place.characters) == ("<Lima>", (13, 19))
    for span in (person, place):
        assert span.characters is not None
        assert TEXT[slice(*span.characters)] == span.text
    without = Sentence(WORDS, known.tags).spans("ner")[0]
    assert (without.text, without.characters) == ("Ann Lee 's", None)
    assert person == without == Span("PER", 0, 3)
    assert (Sentence(()).text(), Sentence(("Ann",)).text(), PLACED.text(), PLACED.text(4)) == (
        "",
        "Ann",
        TEXT,
        "<Lima>.",
    )


def test_html_is_escaped_and_marks_each_type_in_its_colour() -> None:
    found = PLACED._repr_html_()
    assert "<Lima>" not in found
    assert "&lt;Lima&gt;" in found
    names = ("PER", "LOC", "ORG", "MISC")
    html = as_html(Sentence(names, {"<b>": tuple(f"B-{name}" for name in names)}))
    assert len(set(re.findall(r"solid (#\w{6})", html)) & set(COLOURS)) == len(names)
    assert "<b>ORG</b>" in html  # not by colour alone
    assert "&lt;b&gt;" in html
    assert as_html(Sentence(("a&b",))) == "<p>a&amp;b</p>"
    assert "&lt;i&gt;" in as_html(Sentence(("a",), {"x": ("B-<i>",)}))


def test_frames() -> None:
    pytest.importorskip("pandas")
    sure = Sentence(("Ann", "ran"), {"ner": ("B-PER", "O")}, confidence={"ner": (0.75, 0.5)})
    words = to_frame([PLACED, sure])
    assert list(words.columns) == ["sentence", "word", "start", "end", "ner", "pos", "ner_probability"]
    assert list(words["word"]) == [*WORDS, *sure.words]
    assert words["ner_probability"].tolist()[-2:] == [0.75, 0.5]
    spans = to_frame([PLACED, sure], by="spans")
    assert spans["text"].tolist() == ["Ann Lee's", "<Lima>", "Ann"]
    assert spans["sentence"].tolist() == [0, 0, 1]
    assert spans["start"].tolist()[:2] == [0, 13]
    sentences = to_frame([PLACED, sure], by="sentences")
    assert sentences["ner"].tolist() == [list(TAGS["ner"]), ["B-PER", "O"]]
    assert list(to_frame([], by="spans").columns)[:3] == ["sentence", "task", "type"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "word"}, "by is 'word'.*words"),
        ({"by": "spans", "task": "nre"}, "sentence 0 has no tags of 'nre'.*ner"),
        ({"by": "spans", "task": "pos"}, "the tags of 'pos' in sentence 0 are no spans"),
    ],
)
def test_frames_of_what_is_not_there(options: dict[str, str], message: str) -> None:
    pytest.importorskip("pandas")
    with pytest.raises(PolytagError, match=message):
        to_frame([PLACED], **options)
