"""A tag of words in no span that is not O: read as O, written back, and told where nobody said so."""

from pathlib import Path

import pytest

from polytag.corpus import Sentence, check, convert, read
from polytag.corpus.schemes import read_outside, spans, write_outside
from polytag.corpus.sentence import Alternative, Span
from polytag.errors import CorpusError

FOUND = Sentence(
    ("Ann", "saw", "it"),
    {"ner": ("B-PER", "O", "O"), "pos": ("N", "V", "O")},
    alternatives={"ner": (Alternative(("B-PER", "O", "O"), 0.75), Alternative(("O", "O", "O"), 0.25))},
)


def test_what_is_written_reads_back_and_keeps_its_spans() -> None:
    written = write_outside(FOUND, {"ner": "0"})
    assert written.tags == {"ner": ("B-PER", "0", "0"), "pos": ("N", "V", "O")}
    assert [one.tags for one in written.alternatives["ner"]] == [("B-PER", "0", "0"), ("0", "0", "0")]
    assert written.spans("ner") == [Span("PER", 0, 1)]
    assert read_outside(written, {"ner": "0"}).tags == FOUND.tags


def test_nothing_changes_where_outside_is_o_or_the_task_has_no_tags() -> None:
    for outside in ({}, {"ner": "O"}, {"chunk": "0"}):
        assert read_outside(FOUND, outside) is FOUND
        assert write_outside(FOUND, outside) is FOUND


def test_converting_reads_it_and_writes_o(tmp_path: Path) -> None:
    source, target = tmp_path / "in.conll", tmp_path / "out.jsonl"
    source.write_text("Ann\tB-PER\t0\nsaw\t0\tV\n")
    for outside in ("0", {"ner": "0"}):
        convert(source, target, tags={"ner": 1, "pos": 2}, outside=outside, source_scheme={"pos": "plain"})
        (found,) = read(target, tags={"ner": "ner", "pos": "pos"})
        assert found.tags == {"ner": ("B-PER", "O"), "pos": ("O" if outside == "0" else "0", "V")}
    with pytest.raises(CorpusError, match="an outside tag for 'nerr', which has no tags; did you mean 'ner'"):
        convert(source, target, tags={"ner": 1}, outside={"nerr": "0"})
    with pytest.raises(CorpusError, match=r"in\.conll:2: tag '0' marks no span, .*; if it means O, set outside = '0'"):
        convert(source, target, tags={"ner": 1}, scheme="bioes")


def test_only_what_looks_like_an_outside_tag_is_taken_for_one() -> None:
    with pytest.raises(CorpusError, match=r"before a type$"):
        spans(["B-x", "NN"])


def test_checking_a_file_says_what_training_would(tmp_path: Path) -> None:
    path = tmp_path / "in.conll"
    path.write_text("Ann\tX\tB-PER\nLee\tX\tI-PER\nsaw\tY\t0\nit\tY\t0\n")
    told = check(path)
    assert [column.scheme for column in told.columns] == ["plain", "plain"]
    assert [problem for _, problem in told.problems] == [
        "column 2: 2 tags such as B-PER and I-PER look like spans (IOB2) beside '0', which 2 words have where O is "
        "expected; if it means O, set outside = '0'"
    ]
    read = check(path, outside="0")
    assert [column.scheme for column in read.columns] == ["plain", "iob2"]
    assert (read.problems, read.columns[1].tags["O"]) == ([], 2)
