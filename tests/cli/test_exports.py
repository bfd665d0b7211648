"""What tools export, through the command line: `data check` says what is read and what is not, in one code path."""

import json
from pathlib import Path
from typing import Any

import pytest

from polytag.errors import CorpusError
from polytag.plan import Plan
from polytag.splits import split_sentences
from tests.cli.conftest import run

LIMA = {"text": "Lima won", "spans": [{"start": 0, "end": 4, "label": "LOC"}]}


def lines(*records: Any) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        (
            "prodigy.jsonl",
            lines({**LIMA, "answer": "accept"}, {**LIMA, "answer": "reject"}, {**LIMA, "answer": "reject"}),
            0,
            ["1 sentence, 2 tokens", ':2: a record with the answer "reject" is left out (and 1 more like this)'],
        ),
        (
            "doccano.jsonl",
            lines({"text": "Lima won", "label": [[0, 4, "LOC"]]}, {"text": "Rain"}),
            1,
            ["B-LOC 1", ":2: no spans, expected one of the keys spans, label, labels, entities"],
        ),
        (
            "hf.jsonl",
            lines({"tokens": ["Lima", "won"], "ner_tags": ["B-LOC", "O"]}),
            0,
            ["column ner_tags: IOB2: 1 span", "B-LOC 1, O 1"],
        ),
        (
            "numbers.jsonl",
            lines({"tokens": ["Lima", "won"], "ner_tags": [1, 0]}),
            1,
            [":1: numbers under 'ner_tags' and nothing that names them, expected columns.names in the plan"],
        ),
        (
            "utf16.jsonl",
            lines({"text": "🚢 in Lisbon", "label": [[6, 12, "LOC"]]}, LIMA),
            0,
            ["B-LOC 2", ":1: offsets count UTF-16 units and are read so: span [6, 12, 'LOC'] is 'Lisbon'"],
        ),
        (
            "studio.json",
            '[{"id": 9, "data": {"text": "Rain"}, "annotations": []},\n{"id": 10, "data": {}, "annotations": 1}]\n',
            1,
            ["label-studio", ":1: task 9: has no annotation and is left out", ":2: task 10: annotations are 1"],
        ),
    ],
)  # fmt: skip
def test_check_says_what_reading_finds(tmp_path: Path, name: str, content: str, code: int, said: list[str]) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    result = run(["data", "check", tmp_path / name])
    assert result.code == code
    for text in said:
        assert text in result.out


def test_convert_reads_an_export_and_tells_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "a.ann").write_text("T1\tLOC 0 4\tLima\nT2\tX 0 8\tLima won\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("Lima won\n", encoding="utf-8")
    result = run(["data", "convert", tmp_path / "a.ann", tmp_path / "out.conll", "--tag", "ner=spans"])
    assert (result.code, (tmp_path / "out.conll").read_text()) == (0, "Lima B-X\nwon I-X\n\n")
    assert "span [0, 4, 'LOC'] overlaps [0, 8, 'X'], the longest, and is left out" in result.err


def test_a_plan_says_how_overlaps_are_read_and_what_numbers_mean(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines({"text": "Lima won", "label": [[0, 4, "LOC"], [0, 8, "X"]]}))
    (tmp_path / "b.jsonl").write_text(lines({"tokens": ["Lima", "won"], "ner_tags": [1, 0]}))

    def tags(**task: Any) -> tuple[str, ...]:
        tables = {"words": {"en": {}}, "tasks": {"ner": {"words": "en", **task}}, "search": [str(tmp_path)]}
        return next(split_sentences(Plan.model_validate(tables), "ner", "train")).tags["ner"]

    assert tags(train="a.jsonl", columns={"tag": "spans"}) == ("B-X", "I-X")
    assert tags(train="a.jsonl", columns={"tag": "spans.LOC"}) == ("B-LOC", "O")
    with pytest.raises(CorpusError, match="overlap, expected them apart"):
        tags(train="a.jsonl", columns={"tag": "spans"}, overlaps="refuse")
    assert tags(train="b.jsonl", columns={"tag": "ner_tags", "names": ["O", "B-LOC"]}) == ("B-LOC", "O")
