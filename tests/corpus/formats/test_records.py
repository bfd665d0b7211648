"""What records say beside words and tags: answers, annotators, classes by number, spans that cannot all be read."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus import read
from polytag.corpus.notes import Notes
from polytag.corpus.offsets import is_scored
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError

Write = Callable[..., Path]
OLGA = {"text": "Olga moved", "spans": [{"start": 0, "end": 4, "label": "PER"}]}


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(*records: Any) -> Path:
        path = tmp_path / "in.jsonl"
        path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
        return path

    return write


def told(path: Path, key: str = "spans", **options: Any) -> tuple[list[Sentence], list[str]]:
    """The sentences of a file, and what is said of it, without its name."""
    notes = Notes()
    found = list(read(path, tags={"ner": key}, notes=notes, **options))
    return found, [str(note).removeprefix(f"{path}:") for note in notes]


def words_of(sentences: Sequence[Sentence]) -> list[str]:
    return [" ".join(sentence.words) for sentence in sentences]


def test_what_prodigy_rejects_or_ignores_is_no_annotation(file: Write) -> None:
    rest = [
        {**OLGA, "answer": "reject"},
        {**OLGA, "answer": "ignore"},
        {**OLGA, "text": "Olga slept", "answer": "reject"},
    ]
    found, notes = told(file({**OLGA, "answer": "accept"}, *rest))
    assert words_of(found) == ["Olga moved"]
    assert notes == [
        '2: a record with the answer "reject" is left out (and 1 more like this)',
        '3: a record with the answer "ignore" is left out',
    ]


def test_an_answer_that_prodigy_does_not_give_is_told(file: Write) -> None:
    rest = [{**OLGA, "answer": answer} for answer in ("maybe", ["accept"], None, "accept")]
    found, notes = told(file(OLGA, *rest))
    assert len(found) == 5
    assert notes == [
        "2: a record with the answer 'maybe', expected one of accept, reject, ignore; it is read as annotation "
        "(and 1 more like this)"
    ]


DIFFER = "differently, which have the tag of more than half of them, else ?"


def test_what_annotators_disagree_about_is_unknown(file: Write) -> None:
    first, second = {**OLGA, "_session_id": "ann"}, {**OLGA, "spans": [], "_session_id": "bo"}
    found, notes = told(file(first, {**second, "text": "Rain fell"}, second, first))
    assert [sentence.tags["ner"] for sentence in found] == [("?", "O"), ("O", "O"), ("B-PER", "O")]
    assert notes == [f"1: 2 annotations mark 1 of its words {DIFFER}"]


def test_words_and_tags_of_annotators_are_compared_too(file: Write) -> None:
    rows = [{"tokens": [word], "ner": [f"B-{n}"], "annotator": n} for n, word in enumerate(["Olga", "Rain", "Rain"])]
    found, notes = told(file(*rows), "ner")
    assert [(sentence.words, sentence.tags["ner"]) for sentence in found] == [
        (("Olga",), ("B-0",)),
        (("Rain",), ("?",)),
    ]
    assert notes == [f"2: 2 annotations mark 1 of its words {DIFFER}"]
    other = {**OLGA, "words": ["Ol", "ga", "moved"], "annotator": 2, "id": 5}
    with pytest.raises(CorpusError, match="record 4: 2 annotations of it have different words, expected the same"):
        told(file({**OLGA, "words": ["Olga", "moved"], "annotator": 1, "id": 4}, other))


def test_spans_of_a_low_score_are_unknown_words(file: Write) -> None:
    spans = [
        {"start": 0, "end": 4, "label": "PER", "score": 0.9},
        {"start": 0, "end": 13, "label": "ORG", "score": 0.2},
        {"start": 22, "end": 26, "label": "LOC", "confidence": 0.5},
        {"start": 27, "end": 31, "label": "?"},
    ]
    path = file({"text": "Olga Fair Ltd went to Lima soon", "spans": spans})
    (found,), notes = told(path, min_probability=0.6)
    assert " ".join(found.tags["ner"]) == "B-PER ? ? O O ? ?"
    assert not is_scored(found, "ner")
    assert notes == []
    (found,), _ = told(path, overlaps="first", min_probability=0.5)
    assert " ".join(found.tags["ner"]) == "B-PER ? ? O O B-LOC ?"


def test_what_a_person_accepted_is_sure_and_scores_that_are_none_are_told(file: Write) -> None:
    low = {**OLGA["spans"][0], "score": 0.2}  # type: ignore[dict-item]
    (found,), _ = told(file({**OLGA, "spans": [low], "answer": "accept"}), min_probability=0.5)
    assert found.tags["ner"] == ("B-PER", "O")
    _, notes = told(file(OLGA), min_probability=0.5)
    assert notes == [" min_probability is 0.5, and no span of it has a score: all count as sure"]
    for score in (87, "high", True, -0.1):
        with pytest.raises(CorpusError, match=rf":1: record 3: the score of span .* is {score!r}, expected a number"):
            told(file({**OLGA, "spans": [{**low, "score": score}], "id": 3}), min_probability=0.5)


def test_texts_of_doccano_without_a_span_are_told(file: Write) -> None:
    texts = [{"id": n, "text": "Rain fell", "label": [], "Comments": []} for n in (3, 4)]
    found, notes = told(file(*texts, {"text": "Snow fell", "label": []}))
    assert len(found) == 3
    assert notes == [
        "1: record 3: has no span: doccano exports texts so that nobody annotated, unless those approved alone; it is "
        "read as a text without any (and 1 more like this)"
    ]


TWICE = {"start": 0, "end": 4, "label": "A"}


@pytest.mark.parametrize(
    ("labels", "tags", "note"),
    [
        ([[0, 4, "A"], [0, 4, "A"]], "B-A O O", "1: span [0, 4, 'A'] is there twice and counts once"),
        ([TWICE, {**TWICE, "id": 2}], "B-A O O", "1: span [0, 4, 'A'] is there twice and counts once"),
        (
            [[0, 0, "A"], [4, 5, "B"], [5, 9, "C"]],
            "O B-C O",
            "1: span [0, 0, 'A'] holds no word and is left out (and 1 more like this)",
        ),
        (
            [[0, 4, "B-PER"], [5, 9, "O"]],
            "B-B-PER B-O O",
            "1: span [0, 4, 'B-PER'] is of a type that looks like the tag of a word, expected the type PER (and 1 more "
            "like this)",
        ),
        ([[0, 4, "B-cell"]], "B-B-cell O O", ""),
    ],
)
def test_spans_that_are_there_twice_or_hold_nothing_or_are_tags(
    file: Write, labels: list[Any], tags: str, note: str
) -> None:
    (found,), notes = told(file({"text": "Olga went home", "label": labels}))
    assert " ".join(found.tags["ner"]) == tags
    assert notes == [note] * bool(note)


NESTED = [[0, 15, "ORG"], [0, 4, "LOC"], [11, 20, "PER"]]  # one in another, and one over its end


@pytest.mark.parametrize(
    ("labels", "overlaps", "tags"),
    [
        (NESTED, "longest", "B-ORG I-ORG I-ORG O"),
        (NESTED[::-1], "longest", "B-ORG I-ORG I-ORG O"),
        (NESTED, "first", "B-ORG I-ORG I-ORG O"),
        (NESTED[1:] + NESTED[:1], "first", "B-LOC O B-PER I-PER"),
    ],
)
def test_of_overlapping_spans_one_is_read_and_the_others_are_told(
    file: Write, labels: list[Any], overlaps: str, tags: str
) -> None:
    (found,), notes = told(
        file({"text": "Rome Trade Fair Ltd", "label": [[s, min(e, 19), t] for s, e, t in labels]}), overlaps=overlaps
    )
    assert " ".join(found.tags["ner"]) == tags
    (note,) = notes
    other = "first" if overlaps == "longest" else "longest"
    assert "overlaps [0, " in note
    assert f', the {overlaps}, and is left out; overlaps = "{other}" reads the {other}, "refuse" none' in note


def test_overlapping_spans_may_be_refused(file: Write) -> None:
    path = file(OLGA, {"text": "Rome Fair", "label": [[0, 9, "ORG"], [0, 4, "LOC"]]})
    with pytest.raises(CorpusError, match=r":2: spans \[0, 4, 'LOC'\] and \[0, 9, 'ORG'\] overlap"):
        told(path, overlaps="refuse")


def test_layers_are_tasks_of_their_own(file: Write) -> None:
    text = "Rome Fair opened"
    spans = [
        {"start": 0, "end": 9, "label": "ORG", "layer": "outer"},
        {"start": 0, "end": 4, "label": "LOC", "layer": "inner"},
    ]
    path = file({"text": text, "spans": spans})
    tags = {"outer": "spans.outer", "inner": "spans.inner"}
    (found,) = read(path, tags=tags)
    assert found.tags == {"outer": ("B-ORG", "I-ORG", "O"), "inner": ("B-LOC", "O", "O")}
    types = {"text": text, "label": [[0, 9, "ORG"], [0, 4, "LOC"]]}
    (found,) = read(file(types), tags={"org": "spans.ORG", "loc": "spans.LOC"})
    assert found.tags == {"org": ("B-ORG", "I-ORG", "O"), "loc": ("B-LOC", "O", "O")}
    fields = {"text": text, "spans": [], "places": [[0, 4, "LOC"]]}
    (found,) = read(file(fields), tags={"loc": "spans.places"})
    assert found.tags == {"loc": ("B-LOC", "O", "O")}


def test_a_layer_that_no_span_is_of_is_told(file: Write) -> None:
    (found,), notes = told(file(OLGA), key="spans.typo")
    assert found.tags["ner"] == ("O", "O")
    assert [note.strip() for note in notes] == ["no span of the layer or type 'typo', so 'ner' has no span in it"]


def test_offsets_in_other_units_are_recognised_by_the_borders_of_words(file: Write) -> None:
    text = "🚢🚢 Ferry from Łódź to Porto"
    for unit, shift, more in (("UTF-16 units", 2, 2), ("bytes", 6, 9)):
        labels = [[14 + shift, 18 + shift + (more - shift), "LOC"], [22 + more, 27 + more, "LOC"]]
        (plain, found), notes = told(file(OLGA, {"text": text, "label": labels}))
        assert plain.tags["ner"] == ("B-PER", "O")
        assert " ".join(found.tags["ner"]) == "O O O B-LOC O B-LOC"
        assert notes == [f"2: offsets count {unit} and are read so: span [{14 + shift}, {18 + more}, 'LOC'] is 'Łódź'"]


def test_offsets_in_other_units_are_recognised_by_the_spans_own_text(file: Write) -> None:
    spans = [{"start": 2, "end": 3, "label": "X", "text": "a"}, {"start": 4, "end": 5, "label": "Y", "text": "b"}]
    (found,), notes = told(file({"text": "🚢a b", "tokens": ["🚢", "a", "b"], "spans": spans}))
    assert found.tags["ner"] == ("O", "B-X", "B-Y")
    assert "UTF-16" in notes[0]


def test_offsets_in_characters_stay_where_another_unit_makes_no_more_sense(file: Write) -> None:
    odd = {"text": "🚢 Lisbon", "label": [[2, 5, "LOC"]]}
    even = {"text": "🚢 Lisbon", "label": [[2, 8, "LOC"]]}
    for records in ([even, odd], [odd, even]):
        found, notes = told(file(*records))
        assert sum("B-LOC" in sentence.tags["ner"] for sentence in found) >= 1
        assert not any("offsets count" in note for note in notes)


def test_classes_are_named_by_the_plan_or_by_what_datasets_say_of_themselves(file: Write, tmp_path: Path) -> None:
    path = file({"tokens": ["Olga", "left"], "ner_tags": [1, 0]}, {"tokens": ["Rain"], "ner_tags": [0]})
    with pytest.raises(
        CorpusError, match=r":1: numbers under 'ner_tags' and nothing that names them, expected .*README"
    ):
        told(path, "ner_tags")
    assert told(path, "ner_tags", names=["O", "B-PER"])[0][0].tags["ner"] == ("B-PER", "O")
    names = {"names": ["O", "B-ORG"], "_type": "ClassLabel"}
    described = {"features": {"tokens": {"_type": "List"}, "ner_tags": {"feature": names, "_type": "List"}}}
    for name, content in (
        ("dataset_info.json", json.dumps(described)),
        ("dataset_infos.json", json.dumps({"default": described})),
        ("README.md", CARD),
    ):
        beside = tmp_path / name
        beside.write_text(content, encoding="utf-8")
        assert [s.tags["ner"] for s in told(path, "ner_tags")[0]] == [("B-ORG", "O"), ("O",)]
        beside.unlink()


CARD = """---
language: no
dataset_info:
  features:
  - name: tokens
    sequence: string
  - name: ner_tags
    sequence:
      class_label:
        names:
          '0': O
          '1': B-ORG
---
# A corpus
"""


def test_classes_without_a_name_and_two_lists_of_names_are_refused(file: Write, tmp_path: Path) -> None:
    path = file({"tokens": ["Olga", "left"], "ner_tags": [1, 2]})
    with pytest.raises(CorpusError, match=r":1: class 2 of 'ner_tags', expected 0 to 1 \(O, B-PER\)"):
        told(path, "ner_tags", names=["O", "B-PER"])
    lists = {key: {"ner_tags": [{"names": ["O", key]}]} for key in "ab"}
    (tmp_path / "dataset_infos.json").write_text(json.dumps(lists), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"dataset_infos.json: 2 lists of names for 'ner_tags', expected one"):
        told(path, "ner_tags")


def test_a_class_that_says_nothing_is_unknown(file: Write) -> None:
    (found,), notes = told(file({"tokens": ["a", "b"], "labels": [-1, 0]}), "labels", names=["O"])
    assert found.tags["ner"] == ("?", "O")
    assert notes == ["1: class -1 of 'labels' is no tag and is read as unknown (?)"]


def test_tags_may_stand_in_the_record_itself(file: Write) -> None:
    path = file({"tokens": ["Olga", "left"], "ner_tags": ["B-PER", "O"]})
    assert told(path, "ner_tags")[0][0].tags["ner"] == ("B-PER", "O")
    with pytest.raises(CorpusError, match="no tags 'ner_tag', expected them in the record; did you mean 'ner_tags'"):
        told(path, "ner_tag")
