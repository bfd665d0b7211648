"""Label Studio's two exports, as people get them: several annotators, cancelled work, other controls, no text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus import read
from polytag.corpus.check import check
from polytag.corpus.documents import format_of
from polytag.corpus.notes import Notes
from polytag.corpus.offsets import is_scored
from polytag.errors import CorpusError

Write = Callable[..., Path]
TEXT = "Olga Berg flew to Lima. It rained."


def region(start: int, end: int, *labels: str, control: str = "label", **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": list(labels), **more}
    return {"id": "aX3", "from_name": control, "to_name": "text", "type": "labels", "value": value}


OLGA, LIMA = region(0, 9, "PER"), region(18, 22, "LOC")
PER, LOC, UNDECIDED = "B-PER I-PER O O O O", "O O O O B-LOC O", "? ? O O ? O"


def task(*results: dict[str, Any], number: int = 7, **more: Any) -> dict[str, Any]:
    annotation = {"id": 1, "was_cancelled": False, "ground_truth": False, "result": list(results)}
    return {"id": number, "data": {"text": TEXT}, "annotations": [annotation], "predictions": [], **more}


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(*tasks: Any) -> Path:
        path = tmp_path / "export.json"
        path.write_text(json.dumps(tasks, indent=1), encoding="utf-8")
        return path

    return write


def told(path: Path, key: str | int = "spans", **options: Any) -> tuple[list[str], list[str]]:
    """The tags of the sentences of a file, and what is said of it, without its name."""
    notes = Notes()
    found = [" ".join(s.tags["ner"]) for s in read(path, tags={"ner": key}, notes=notes, **options)]
    return found, [str(note).removeprefix(f"{path}:").partition(": ")[2] for note in notes]


def minimal(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 7, "text": TEXT, "label": [one["value"] for one in results], "annotator": 1, **more}


@pytest.mark.parametrize("export", [task, minimal])
def test_both_exports_are_recognised_and_read_the_same(file: Write, export: Callable[..., Any]) -> None:
    path = file(export(OLGA, LIMA))
    assert format_of(path) == "label-studio"
    assert "".join(told(path)[0]).startswith("B-PER I-PER O O B-LOC")
    assert told(path) == told(path, -1)
    found = list(read(path, tags={"ner": "spans"}))
    assert [TEXT[start:end] for s in found for start, end in s.offsets] == [word for s in found for word in s.words]
    assert {line for s in found for line in s.lines} == {2}
    report = check(path)
    assert [column.name for column in report.columns] == ["spans"]
    assert (report.sentences, report.tokens, report.problems) == (len(found), sum(map(len, found)), [])


def test_what_is_no_stretch_of_text_says_nothing(file: Write) -> None:
    choice = {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": ["glad"]}}
    relation = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}
    assert told(file(task(OLGA, choice, relation))) == told(file(task(OLGA)))


def test_annotations_that_are_cancelled_missing_or_several_are_told(file: Write) -> None:
    cancelled = {"was_cancelled": True, "result": [LIMA]}
    two = [{"result": [OLGA]}, {"result": [LIMA]}]
    found, notes = told(
        file(
            task(OLGA, number=1),
            task(number=2, annotations=[cancelled]),
            task(number=3, annotations=[], predictions=[{"result": [LIMA]}]),
            task(number=4, annotations=two),
            task(number=5, annotations=[two[0], {**two[1], "ground_truth": True}]),
            task(number=6, annotations=[two[0], two[0]]),
        )
    )
    assert [tags for tags in found if len(tags.split()) == 6] == [PER, UNDECIDED, LOC, PER]
    assert notes == [
        "task 2: an annotation that was cancelled is left out",
        "task 2: has no annotation and is left out (and 1 more like this)",
        "task 5: 1 annotations beside the ground truth are left out",
        "task 4: 2 annotations mark 3 of its words differently, which have the tag of more than half of them, else ?",
    ]


def test_most_of_several_annotators_decide(file: Write) -> None:
    marks = [{"result": [OLGA]}, {"result": [OLGA, LIMA]}, {"result": [region(0, 4, "PER"), LIMA]}]
    found, notes = told(file(task(annotations=marks)))
    assert found[0] == "B-PER I-PER O O B-LOC O"
    assert notes[0].startswith("task 7: 3 annotations mark 2 of its words differently")
    sentences = list(read(file(task(annotations=marks[1:])), tags={"ner": "spans"}))
    assert [is_scored(sentence, "ner") for sentence in sentences] == [False, True]


def test_annotations_of_a_task_of_the_small_export_stand_apart_and_are_one_text(file: Write) -> None:
    nobody = {"id": 9, "text": "Snow fell", "annotator": None, "annotation_id": None}
    same = minimal(OLGA, id=10, annotation_id=3)
    found, notes = told(
        file(nobody, minimal(OLGA, annotation_id=1), minimal(LIMA, annotation_id=2), {"id": 8, "text": "Rain"}, same)
    )
    assert [tags for tags in found if len(tags.split()) == 6] == [UNDECIDED, PER]
    assert notes == [
        "task 9: has no annotation and is left out (and 1 more like this)",
        "task 7: 2 annotations mark 3 of its words differently, which have the tag of more than half of them, else ?",
    ]


def test_controls_are_layers_and_several_labels_several_spans(file: Write) -> None:
    path = file(task(region(0, 9, "PER", control="who"), region(0, 4, "FIRST", control="what")))
    (first, *_) = read(path, tags={"who": "spans.who", "what": "spans.what"})
    assert (first.tags["who"][:2], first.tags["what"][:2]) == (("B-PER", "I-PER"), ("B-FIRST", "O"))
    found, notes = told(file(task(region(0, 9, "PER", "VIP"))))
    assert found[0].startswith("B-PER I-PER")
    assert notes[0].startswith("task 7: span [0, 9, 'VIP'] overlaps [0, 9, 'PER'], the longest, and is left out")


def test_a_span_over_the_end_of_a_sentence_is_missed_once(file: Write) -> None:
    path = file(task(region(18, 26, "X"), region(10, 14, "Y")))
    notes = Notes()
    first, second = read(path, tags={"ner": "spans"}, notes=notes)
    assert first.tags["ner"] == ("O", "O", "B-Y", "O", "?", "?")
    assert second.tags["ner"] == ("?", "O", "O")
    assert [sum(map(len, s.misfits.values())) for s in (first, second)] == [1, 0]
    assert all(is_scored(s, "ner") for s in (first, second))
    (note,) = notes
    assert note.text.startswith("task 7: span [18, 26, 'X'], 'Lima. It', goes over the end of a sentence")


def test_the_text_is_what_regions_name_or_the_only_one(file: Write) -> None:
    for data in ({"body": TEXT}, {"title": "Rain", "text": TEXT}):
        assert told(file(task(OLGA, data=data)))[0] == told(file(task(OLGA)))[0]
    named = {**OLGA, "to_name": "body"}
    assert told(file(task(named, data={"title": "Rain", "body": TEXT})))[0] == told(file(task(OLGA)))[0]


def test_offsets_of_javascript_are_recognised(file: Write) -> None:
    text = "🚢 Lima"
    value = {"start": 3, "end": 7, "text": "Lima", "labels": ["LOC"]}
    found, notes = told(file({"id": 1, "text": text, "label": [value]}))
    assert found[0].endswith("B-LOC")
    assert notes == ["task 1: offsets count UTF-16 units and are read so: span [3, 7, 'LOC'] is 'Lima'"]


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([task(OLGA, data={"title": "a", "body": "b"})], r"task 7: no text among its data \(title, body\)"),
        ([task(data={"image": "/data/upload/1/x.png"})], r"task 7: no text among its data \(image\)"),
        ([task(data={"url": "https://x.org/a"})], r"task 7: no text among its data \(url\)"),
        ([task(data={})], r"task 7: no text among its data \(none\)"),
        ([task(region(0, 4, "PER", text="Olgas"))], "is 'Olga', expected its own text 'Olgas'"),
        ([task(region(30, 99, "PER"))], "not within the text"),
        ([task({**OLGA, "value": {"start": "/p[1]", "end": "/p[1]", "labels": ["PER"]}})], "task 7: a region from '/p"),
        ([task(annotations=7)], "task 7: annotations are 7"),
        ([task(annotations=[{"result": [1]}])], r"task 7: results are \[1\]"),
        ([task(region(0, 4, 5))], r"task 7: labels are \[5\]"),
        ([task(OLGA), 3], "found 3, expected a task"),
    ],
)
def test_what_is_wrong_is_told_with_the_task_or_the_values(file: Write, tasks: list[Any], message: str) -> None:
    path = file(*tasks)
    with pytest.raises(CorpusError, match=message) as caught:
        told(path, format="label-studio")
    assert caught.value.line > 1
    with pytest.raises(CorpusError, match=r"tags of 'ner' are 'pos', expected spans, or spans\.LAYER"):
        told(path, "pos", format="label-studio")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[\n{}\n{}]", 2, "found '{}]' after a value of the list, expected ',' or ']'"),
        ('[\n{"id": 1,\n', 2, "no JSON"),
        ("[\n{}\n", 2, "found the end after a value"),
        ("[]\n1", 1, "found '1' after the list"),
        ("\n\n" + "[" * 100_000, 3, "no JSON"),
        ("[" + "1" * 5000 + "]", 1, "no JSON"),
    ],
)
def test_what_is_no_json_is_told_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    notes = Notes(collects=True)
    assert not list(read(path, tags={"ner": "spans"}, format="label-studio", notes=notes))
    assert message in notes.refused[-1].message or message in notes.refused[0].message
    assert line in {error.line for error in notes.refused}
