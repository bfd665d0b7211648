"""JSON Lines: words with tags, character spans of several tools, and rendering."""

import io
import json
from dataclasses import replace

import pytest

from polytag.corpus import blocks, read
from polytag.corpus.sentence import Alternative
from polytag.errors import CorpusError
from polytag.suggesting import candidates

TEXT = "Angela Merkel visited Lima."
DOCCANO = {"id": 7, "text": TEXT, "label": [[22, 26, "LOC"], [0, 13, "PER"]]}


@pytest.fixture
def file(tmp_path):
    def write(*records):
        path = tmp_path / "in.jsonl"
        path.write_text("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in records), encoding="utf-8")
        return path

    return write


def rendered(content: str, tags=None) -> str:
    found = blocks(io.BytesIO(content.encode()), format="jsonl")
    return "".join(b.render({t: [v] * len(b.sentence or ()) for t, v in (tags or {}).items()}) for b in found)


def test_words_and_tags(file):
    path = file({"words": ["Lima", "."], "tags": {"ner": ["B-LOC", "O"], "pos": ["N", "."]}}, "\n", {"words": []})
    with pytest.raises(CorpusError, match=r":3: no tags 'ner'"):
        list(read(path, tags={"n": "ner"}))
    first, *_ = read(path, tags={})
    assert first.words == ("Lima", ".")
    assert list(first.lines) == [1, 1]
    assert next(read(path, tags={"n": "ner"})).tags == {"n": ("B-LOC", "O")}


@pytest.mark.parametrize(
    "record",
    [
        DOCCANO,
        {"text": TEXT, "labels": DOCCANO["label"]},
        {"text": TEXT, "entities": [{"start_offset": s, "end_offset": e, "label": t} for s, e, t in DOCCANO["label"]]},
        {"text": TEXT, "spans": [{"start": s, "end": e, "label": t} for s, e, t in DOCCANO["label"]]},
        [TEXT, {"entities": DOCCANO["label"]}],
        {"text": TEXT, "words": ["Angela", "Merkel", "visited", "Lima", "."], "label": DOCCANO["label"]},
    ],
)
def test_character_spans_of_all_tools_mean_the_same(file, record):
    (found,) = read(file(record), tags={"ner": "spans"})
    assert found.words == ("Angela", "Merkel", "visited", "Lima", ".")
    assert found.tags["ner"] == ("B-PER", "I-PER", "O", "B-LOC", "O")


def test_one_list_of_records_is_read_too(file):
    for content in (json.dumps([DOCCANO, DOCCANO]), json.dumps([DOCCANO, DOCCANO], indent=2)):
        first, second = read(file("\n", content), tags={"ner": "spans"})
        assert first.tags["ner"] == second.tags["ner"] == ("B-PER", "I-PER", "O", "B-LOC", "O")
    assert (first.lines[0], second.lines[0]) == (3, 19)
    with pytest.raises(CorpusError, match=r":3: found '7', expected one JSON object"):
        list(read(file("[\n", json.dumps(DOCCANO) + ",\n", "7]"), tags={"ner": "spans"}))


def test_given_tokens_are_kept(file):
    tokens = [{"text": "Li", "start": 0, "end": 2}, {"start": 2, "end": 4}, {"text": "x", "start": 5, "end": 6}]
    record = {"text": "Lima x", "tokens": tokens, "spans": [{"start": 0, "end": 4, "label": "L"}]}
    (found,) = read(file(record), tags={"n": "spans"})
    assert found.words == ("Li", "ma", "x")
    assert found.tags["n"] == ("B-L", "I-L", "O")


def test_neighbouring_spans_stay_apart(file):
    (found,) = read(file({"text": "a b", "label": [[0, 1, "X"], [2, 3, "X"]]}), tags={"n": "spans"})
    assert found.tags["n"] == ("B-X", "B-X")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{\n", "no JSON"),
        ("[]\n", "found an empty list, expected one JSON object"),
        ("[1, 2]\n", r"found '\[1, 2\]', expected one JSON object"),
        ("[" * 100_000 + "\n", "expected one object per line"),
        ("1" * 5000 + "\n", "expected one"),
        ({"tags": {}}, "no words"),
        ({"words": "ab"}, "not a list of texts"),
        ({"words": ["a", ""]}, "at least a character"),
        ('{"words": ["\\ud800"]}\n', "surrogate"),
        ({"words": ["a"], "tags": ["O"]}, "no tags 'ner'.*known are tags"),
        ({"words": ["a"], "tags": {"nerr": ["O"]}}, "did you mean 'nerr'"),
        ({"words": ["a"], "tags": {"ner": ["O", "O"]}}, "2 tags 'ner', expected one for each of 1 words"),
        ({"words": ["a"], "tags": {"ner": [None]}}, "not a list of texts"),
    ],
)
def test_malformed_records_are_told_with_their_line(file, record, message):
    with pytest.raises(CorpusError, match=message) as caught:
        list(read(file("\n", record), tags={"n": "ner"}))
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": "abc", "label": [[0, 4, "X"]]}, "not within the text"),
        ({"text": "abc", "label": [[-1, 2, "X"]]}, "not within the text"),
        ({"text": "abc", "label": [[2, 1, "X"]]}, "not within the text"),
        ({"text": "abc", "spans": [{"start": 0, "end": 2, "label": "X", "text": "bc"}]}, "is 'ab', expected .* 'bc'"),
        ({"text": "abc", "label": [[0, "2", "X"]]}, "expected a start, an end and a type"),
        ({"text": "abc", "label": [[0, 2]]}, "expected a start, an end and a type"),
        ({"text": "abc", "spans": [{"start": None, "end": 2, "label": "X"}]}, "expected a start"),
        ({"text": "abc", "spans": "no"}, "expected a list"),
        ({"text": "abc"}, "no spans"),
        ({"words": ["a"], "label": []}, 'no "text"'),
        ({"text": "abc", "words": ["abd"], "label": []}, "word 'abd' is not in the text"),
        ({"text": "ab", "tokens": [{"start": 0, "end": 3}], "label": []}, "within 2 characters"),
        ({"text": "ab", "tokens": [{"start": 0, "end": 2}, {"start": 1, "end": 2}], "label": []}, "overlap"),
    ],
)
def test_impossible_spans_are_told_with_their_line(file, record, message):
    with pytest.raises(CorpusError, match=message) as caught:
        list(read(file("\n", record), tags={"n": "spans"}))
    assert caught.value.line == 2


def test_rendering_nothing_gives_the_text_back():
    content = '{"words" : ["a"]}\r\n\n  {"text":"\\u00e9 \\n b", "x": 1e3}\n["a b", {"entities": []}]\n{"words": []}'
    assert rendered(content) == content


def test_tags_are_added_and_all_else_is_kept():
    content = '{"id": 1, "tags": {"pos": ["N"], "ner": ["X"]}, "words": ["é"], "z": null}\r\n\n'
    expected = '{"id": 1, "tags": {"pos": ["N"], "ner": ["O"]}, "words": ["é"], "z": null}\r\n\n'
    assert rendered(content, {"ner": "O"}) == expected


def test_tags_of_bare_text_come_with_its_words_and_offsets(file):
    text = rendered(json.dumps({"text": "a  b", "id": 3}) + '\n["a b", {"entities": []}]\n', {"ner": "O"})
    first, second = map(json.loads, text.splitlines())
    assert list(first) == ["text", "id", "words", "offsets", "tags"]
    assert first["offsets"] == [[0, 1], [3, 4]]
    assert second[0] == "a b"
    assert second[1]["tags"] == {"ner": ["O", "O"]}
    assert [s.tags["n"] for s in read(file(text), tags={"n": "ner"})] == [("O", "O")] * 2


def answered(record, *, tags=("B-PER", "O"), **known) -> dict:
    (block,) = blocks(io.StringIO(json.dumps(record) + "\n"), format="jsonl")
    found = replace(block.sentence, tags={"ner": tags}, **known)
    return json.loads(block.answered(found, span_tasks=["ner"]))


PERSON = {"type": "PER", "start": 0, "end": 1}


@pytest.mark.parametrize(
    ("record", "places"),
    [
        ({"words": ["Ann", "ran"]}, None),
        ({"text": "Ann  ran"}, [[0, 3], [5, 8]]),
        ({"text": "Ann  ran", "words": ["Ann", "ran"]}, [[0, 3], [5, 8]]),
        ({"text": "Ann said", "words": ["Ann", "ran"]}, None),
        ({"tokens": ["Ann", "ran"]}, None),
        ({"text": "AnnAnn", "tokens": [{"start": 0, "end": 3}, {"start": 3, "end": 6}]}, [[0, 3], [3, 6]]),
        ({"text": "xAnn", "tokens": [{"text": "A", "start": 1, "end": 2}, {"start": 2, "end": 4}]}, [[1, 2], [2, 4]]),
    ],
    ids=str,
)
def test_every_record_gets_the_same_keys(file, record, places):
    found = answered(record)
    more = {"offsets"} if places else set()
    assert set(found) == {*record, "words", "tags", "predicted_spans", *more}
    assert found.get("offsets") == places
    characters = {"characters": places[0]} if places else {}
    assert found["predicted_spans"] == {"ner": [{**PERSON, **characters}]}
    (back,) = read(file(found), tags={"ner": "ner"})
    assert (list(back.words), back.tags["ner"]) == (found["words"], ("B-PER", "O"))
    assert answered(found) == found


def test_what_the_user_s_record_holds_is_not_overwritten(file):
    own = {"spans": [{"start": 0, "end": 3, "label": "P"}], "label": "x", "confidence": 0.9, "offsets": "mine"}
    record = {"text": "Ann ran", **own, "words": ["Ann", "ran"], "tags": {"old": ["X", "Y"]}}
    found = answered(record)
    assert {key: found[key] for key in record if key != "tags"} == {key: record[key] for key in record if key != "tags"}
    assert found["tags"] == {"old": ["X", "Y"], "ner": ["B-PER", "O"]}
    assert next(read(file(found), tags={"ner": "spans"})).tags["ner"] == ("B-P", "O")


def test_nothing_that_was_said_of_other_tags_stays():
    sure = {"confidence": {"ner": (0.5, 0.5)}, "alternatives": {"ner": (Alternative(("O", "O"), 0.25),)}}
    first = answered({"words": ["Ann", "ran"], "confidence": {"old": [1]}}, **sure)
    assert first["confidence"] == {"old": [1], "ner": [0.5, 0.5]}
    again = answered(first, tags=("O", "O"))
    assert (again["confidence"], again["alternatives"]) == ({"old": [1]}, {})
    assert again["predicted_spans"] == {"ner": []}


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"words": ["a"], "tags": {"ner": ["B-\ud800"]}}, "ner"),
        ({"tokens": ["a"], "ner_tags": ["B-\udc80"]}, "ner_tags"),
        ({"text": "Lima", "label": [[0, 4, "\udc80"]]}, "spans"),
        ({"words": ["a\ud800"], "tags": {"ner": ["O"]}}, "ner"),
    ],
)
def test_half_a_character_is_refused_where_it_is_read(file, record, place):
    with pytest.raises(CorpusError, match=r":1: .* holds half a surrogate pair, expected whole characters"):
        list(read(file(record), tags={"ner": place}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none_are_refused(file, number):
    content = f'{{"words": ["a"], "score": {number}, "tags": {{"ner": ["O"]}}}}\n'
    with pytest.raises(CorpusError, match=rf":1: no JSON \({number} is no number\)"):
        list(read(file(content), tags={"ner": "ner"}))
    with pytest.raises(CorpusError, match="is no number"):
        rendered(content)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([[0, 1], [4, 5]], ((0, 1), (4, 5))),  # not where they are first
        (None, ((0, 1), (2, 3))),
        ([[0, 1], None], ((0, 1), (2, 3))),
        ([[0, 1]], ((0, 1), (2, 3))),
        ([[0, 1], [2, "3"]], ((0, 1), (2, 3))),
        ([[0, 1], [-3, -2]], ((0, 1), (2, 3))),
        ("nowhere", ((0, 1), (2, 3))),
    ],
)
def test_offsets_of_a_record_are_taken_where_they_are_those_of_its_words(given, expected):
    content = json.dumps({"text": "a b b", "words": ["a", "b"], "offsets": given}) + "\n"
    (block,) = blocks(io.BytesIO(content.encode()), format="jsonl")
    assert tuple(tuple(place) for place in block.sentence.offsets) == expected
    (candidate,) = candidates(io.BytesIO(content.encode()), format="jsonl")
    assert (candidate.text, tuple(tuple(place) for place in candidate.offsets)) == ("a b b", expected)
