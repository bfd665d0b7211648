"""Labels of a file under the names of a task: spans are renamed, not tags, so no scheme loses one."""

import pytest

from polytag.corpus import convert, read
from polytag.corpus.labels import Labels, read_labels
from polytag.corpus.memory import sentences_of
from polytag.corpus.notes import Notes
from polytag.corpus.schemes import convert_tags, spans, write
from polytag.corpus.sentence import CharSpan, Sentence, Span
from polytag.errors import PlanError
from polytag.tag_schemes import SCHEMES, SPAN_SCHEMES

MAP = {"person": "PER", "human": "PER", "Chemical": "O"}
SPANS = [Span("person", 0, 2), Span("human", 2, 3), Span("Chemical", 3, 5), Span("person", 5, 6), Span("city", 7, 8)]
RENAMED = [Span("PER", 0, 2), Span("PER", 2, 3), Span("PER", 5, 6), Span("city", 7, 8)]


def renamed(tags: str, **labels: object) -> str:
    sentence = Sentence(tuple(tags.split()), {"ner": tuple(tags.split())})
    return " ".join(Labels(**labels).read(sentence, "ner").tags["ner"])  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", SPAN_SCHEMES)
def test_spans_that_touch_stay_apart_in_every_scheme(scheme: str) -> None:
    tags = write(SPANS, 9, scheme=scheme)
    found = renamed(" ".join(tags), map=MAP).split()
    assert spans(found) == RENAMED
    if SCHEMES[scheme].separates and scheme != "ioe1":  # where it writes the end of a span instead, B stands for it
        assert found == list(write(RENAMED, 9, scheme=scheme))
    assert convert_tags(found, "bioes") == write(RENAMED, 9, scheme="bioes")


@pytest.mark.parametrize(
    ("labels", "before", "after"),
    [
        ({"map": {"NN": "NOUN", "M": "NUM"}}, "NN M VB O", "NOUN NUM VB O"),  # plain tags as a whole
        ({"map": {"_": "ENT"}}, "B I O b", "B-ENT I-ENT O b-ENT"),  # tags without a type
        ({"map": {"X": "Y"}, "outside": "NONE"}, "B-X NONE I-X ?", "B-Y O I-Y ?"),
        ({"map": {"i--": "INTJ", "X": "Y"}, "plain": True}, "i-- B-X", "INTJ B-X"),
        ({"map": {"a": "b", "b": "a"}}, "B-a B-b", "B-b B-a"),  # at once, not one after the other
        ({}, "B-a i-b", "B-a i-b"),
    ],
)
def test_what_a_tag_is_read_as(labels: dict[str, object], before: str, after: str) -> None:
    assert renamed(before, **labels) == after


def test_misfits_are_renamed_and_words_of_those_removed_are_in_no_span() -> None:
    words = (("a", (0, 1)), ("bc", (2, 4)), ("de", (5, 7)), ("f", (8, 9)))
    misfits = (CharSpan(0, 3, "person"), CharSpan(3, 6, "Chemical"), CharSpan(6, 9, "Chemical"))
    sentence = Sentence(
        tuple(word for word, _ in words),
        {"ner": ("?",) * 4},
        offsets=[place for _, place in words],
        misfits={"ner": misfits},
    )
    found = Labels(map=MAP).read(sentence, "ner")
    assert (found.tags["ner"], found.misfits["ner"]) == (("?", "?", "O", "O"), (CharSpan(0, 3, "PER"),))


def test_what_a_map_does_not_name_is_told_once_with_counts() -> None:
    notes = Notes()
    tags = ("B-person", "I-person", "B-group", "B-group", "I-PER", "O")
    given = [Sentence(tags, {"ner": tags})] * 3
    list(read_labels(given, {"ner": Labels(map=MAP)}, path="a.conll", notes=notes))
    assert list(map(str, notes)) == ["a.conll: labels that the map does not name stay as they are: group 6"]
    notes = Notes()
    list(read_labels(given, {"ner": Labels(map={"Grup": "X", "person": "PER"})}, path="a.conll", notes=notes))
    assert str(next(iter(notes))) == "a.conll: the map names 'Grup', which stands nowhere in it; did you mean 'group'?"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"B-PER": "X"}, "found the tag 'B-PER' in B-PER = 'X', expected a type such as 'PER'"),
        ({"PER": "I-X"}, "found the tag 'I-X' in PER = 'I-X', expected a type such as 'X'"),
        ({"O": "X"}, "found 'O' in O = 'X', expected a type"),
        ({"X": "?"}, r"found '\?' in X = '\?', expected a type or O"),
        ({"X": ""}, "found '' in X = '', expected a type or O"),
    ],
)
def test_what_is_no_map(labels: dict[str, str], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Labels(map=labels)


def test_files_memory_and_convert_share_the_map(tmp_path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "a.conll"
    source.write_text('{"words": ["Ann", "ran"], "tags": {"ner": ["B-person", "O"], "pos": ["NN", "VB"]}}\n')
    labels = {"ner": Labels(map=MAP)}
    (of_file,) = read(source, tags={"ner": "ner"}, labels=labels)
    rows = [(["Ann", "ran"], ["B-person", "O"])]
    (held,) = sentences_of(rows, task="ner", place="rows", column=-1, labels=labels["ner"], notes=Notes())
    assert of_file.tags == held.tags == {"ner": ("B-PER", "O")}
    convert(source, target, tags={"ner": "ner", "pos": "pos"}, map={**MAP, "NN": "NOUN"})
    assert target.read_text() == "Ann B-PER NOUN\nran O VB\n\n"
