"""Conversion: what is written reads back, and a target is whole or as it was."""

import errno
import gzip
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus import Sentence, convert, read
from polytag.corpus.convert import WRITERS
from polytag.errors import CorpusError, PlanError, PolytagError

# Words start with a letter: a byte order mark at the start of a file, -DOCSTART- and _ mean something of their own.
WORD = st.from_regex(r"[a-zé\u4e00][^\s\x00-\x1f\ud800-\udfff]{0,5}", fullmatch=True)
TAG = st.from_regex(r"(O|[BI]-[A-Z|\\=]{1,4})", fullmatch=True)
ROWS = st.lists(st.lists(st.tuples(WORD, TAG, TAG), min_size=1, max_size=5), min_size=1, max_size=4)
PLACES = {
    "conll": {"upos": 1, "ner": 2},
    "conllu": {"upos": "upos", "ner": "misc.ner"},
    "jsonl": {"upos": "upos", "ner": "ner"},
}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("Angela N I-PER\nMerkel N I-PER\n\nLima N I-LOC\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("format", WRITERS)
@given(ROWS)
def test_what_is_written_reads_back(format, rows):
    before = [Sentence(w, {"upos": p, "ner": n}) for w, p, n in (zip(*row, strict=True) for row in rows)]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "corpus")
        path.write_text("".join(map(WRITERS[format], before)), encoding="utf-8", newline="")
        after = list(read(path, format=format, tags=PLACES[format]))
    assert [(s.words, s.tags) for s in after] == [(s.words, s.tags) for s in before]


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_through_each_format_and_back(source, tmp_path, format, suffix):
    target = tmp_path / f"out.{format}{suffix}"
    assert convert(source, target, tags={"ner": 2, "upos": 1}) == 2
    places = {"upos": 2, "ner": 1} if format == "conll" else PLACES[format]
    assert convert(target, tmp_path / "back.txt", tags=places) == 2
    assert (tmp_path / "back.txt").read_text() == source.read_text() + "\n"


def test_schemes_are_changed_for_the_tasks_named(source, tmp_path):
    target = tmp_path / "out.txt"
    convert(source, target, tags={"pos": 1, "ner": 2}, scheme={"ner": "bioes"})
    assert target.read_text() == "Angela N B-PER\nMerkel N E-PER\n\nLima N S-LOC\n\n"
    convert(source, target, tags={"ner": 2}, scheme="iob2")
    assert [s.tags["ner"] for s in read(target, tags={"ner": 1})] == [("B-PER", "I-PER"), ("B-LOC",)]


def test_a_file_can_be_converted_in_place(source):
    convert(source, source, tags={"ner": 2})
    assert source.read_text() == "Angela I-PER\nMerkel I-PER\n\nLima I-LOC\n\n"


def test_tags_that_are_none_of_a_scheme_are_told_with_their_place(source, tmp_path):
    with pytest.raises(CorpusError, match=r"in\.txt:1: tag 'N'"):
        convert(source, tmp_path / "out.txt", tags={"pos": 1}, scheme="iob2")
    with pytest.raises(PlanError):
        convert(source, tmp_path / "out.txt", tags={"ner": 2}, scheme="iob3")
    with pytest.raises(CorpusError, match="a scheme for 'nerr'"):
        convert(source, tmp_path / "out.txt", tags={"ner": 2}, scheme={"nerr": "iob2"})
    assert os.listdir(tmp_path) == ["in.txt"]  # noqa: PTH208


def test_words_that_a_format_cannot_hold_are_refused(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"words": ["10 000"]}\n')
    with pytest.raises(CorpusError, match=r"in\.jsonl:1: '10 000' is empty or holds"):
        convert(source, tmp_path / "out.txt")
    assert convert(source, tmp_path / "out.conllu") == 1


def test_an_error_midway_leaves_the_target_as_it_was(source, tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("before")
    source.write_text("a O\n\nb\n")
    with pytest.raises(CorpusError, match=":3: 1 column"):
        convert(source, target, tags={"ner": 1})
    assert target.read_text() == "before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.txt", "out.txt"]


@pytest.mark.parametrize("call", ["fsync", "mkstemp", "replace"])
def test_a_failing_disk_names_the_target_and_leaves_nothing(source, tmp_path, monkeypatch, call):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "out.txt"
    monkeypatch.setattr({"fsync": os, "mkstemp": tempfile, "replace": Path}[call], call, full)
    with pytest.raises(PolytagError, match=r"out\.txt: cannot be written: No space left on device"):
        convert(source, target)
    assert [file.name for file in tmp_path.iterdir()] == ["in.txt"]


def test_targets_that_cannot_be(source, tmp_path):
    with pytest.raises(PolytagError, match="cannot be written: Is a directory"):
        convert(source, tmp_path)
    with pytest.raises(PolytagError, match="cannot be written: No such file"):
        convert(source, tmp_path / "none" / "out.txt")
    with pytest.raises(CorpusError, match="no corpus is written as treebank"):
        convert(source, tmp_path / "out.mrg")


def test_gzip_targets_are_the_same_each_time(source, tmp_path):
    for name in ("a.gz", "b.gz"):
        convert(source, tmp_path / name)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()).startswith(b"Angela\n")
