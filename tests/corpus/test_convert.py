"""Conversion: what is written reads back, and a target is whole or as it was."""

import errno
import gzip
import json
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.corpus import Sentence, Span, convert, read
from polytag.corpus.formats import WRITERS
from polytag.corpus.schemes import convert_tags, write
from polytag.errors import CorpusError, PlanError, PolytagError
from polytag.tag_schemes import SCHEMES

# Words start with a letter: a byte order mark at the start of a file, -DOCSTART- and _ mean something of their own.
WORD = st.from_regex(r"[a-zé\u4e00][^\s\x00-\x1f\ud800-\udfff]{0,5}", fullmatch=True)
TAG = st.from_regex(r"(O|[BI]-[A-Z|\\=]{1,4})", fullmatch=True)
ROWS = st.lists(st.lists(st.tuples(WORD, TAG, TAG), min_size=1, max_size=5), min_size=1, max_size=4)
PLACES = {
    "conll": {"upos": 1, "ner": 2},
    "tsv": {"upos": 1, "ner": 2},
    "conllu": {"upos": "upos", "ner": "misc.ner"},
    "jsonl": {"upos": "upos", "ner": "ner"},
    "jsonl-spans": {"upos": "spans.upos", "ner": "spans.ner"},
    "text": {},
}
READ_AS = {
    "tsv": "conll",
    "jsonl-spans": "jsonl",
    "text": "tokenised",
}  # the other formats are read under the name they are written


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("Angela N I-PER\nMerkel N I-PER\n\nLima N I-LOC\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("format", WRITERS)
@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_what_is_written_reads_back(format, rows):
    before = [Sentence(w, {"upos": p, "ner": n}) for w, p, n in (zip(*row, strict=True) for row in rows)]
    before = [replace(s, tags={task: s.tags[task] for task in PLACES[format]}) for s in before]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "corpus")
        path.write_text("".join(map(WRITERS[format], before)), encoding="utf-8", newline="")
        after = list(read(path, format=READ_AS.get(format, format), tags=PLACES[format]))
    assert [s.words for s in after] == [s.words for s in before]
    if format == "jsonl-spans":
        before = [Sentence((), {task: convert_tags(tags, "iob2") for task, tags in s.tags.items()}) for s in before]
    assert [s.tags for s in after] == [s.tags for s in before]


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_through_each_format_and_back(source, tmp_path, format, suffix):
    target = tmp_path / f"out{suffix}"
    tags = {} if format == "text" else {"ner": 2, "upos": 1}
    assert (
        convert(source, target, target_format=format, tags=tags, source_scheme={"upos": "plain"} if tags else {}) == 2
    )
    special = {
        "conll": {"upos": 2, "ner": 1},
        "tsv": {"upos": 2, "ner": 1},
        "jsonl-spans": {"upos": "upos", "ner": "spans"},
    }
    places = special.get(format, PLACES[format])
    scheme = {"ner": "iob1"} if tags else {}
    back = tmp_path / "back.conll"
    assert convert(target, back, format=READ_AS.get(format, format), tags=places, scheme=scheme) == 2
    expected = source.read_text() + "\n"
    assert back.read_text() == (expected if tags else re.sub(" .*", "", expected))


def test_schemes_are_changed_for_the_tasks_named(source, tmp_path):
    target = tmp_path / "out.conll"
    convert(source, target, tags={"pos": 1, "ner": 2}, scheme={"ner": "bioes"})
    assert target.read_text() == "Angela N B-PER\nMerkel N E-PER\n\nLima N S-LOC\n\n"
    convert(source, target, tags={"ner": 2}, scheme="iob2")
    assert [s.tags["ner"] for s in read(target, tags={"ner": 1})] == [("B-PER", "I-PER"), ("B-LOC",)]


SPANS = st.lists(
    st.tuples(st.sampled_from(["PER", "LOC", "a-b", "_"]), st.integers(0, 2), st.integers(1, 3)), max_size=4
)


def laid_out(entries, *, apart: bool) -> tuple[list[Span], int]:
    """Spans with gaps between them; ``apart``: none right after another of its type."""
    found, at, last = [], 0, ""
    for kind, gap, length in entries:
        at += max(gap, 1 if apart and kind == last else 0)
        found.append(Span(kind, at, at + length))
        at, last = at + length, kind
    return found, at + 1


def converted(tags, directory, **options) -> tuple[str, ...]:
    source, target = Path(directory, "in"), Path(directory, "out.conll")
    source.write_text("".join(f"w {tag}\n" for tag in tags))
    convert(source, target, tags={"t": 1}, **options)
    return next(read(target, tags={"t": 1})).tags["t"]


@pytest.mark.parametrize("before", SCHEMES)
@pytest.mark.parametrize("after", SCHEMES)
@given(entries=SPANS)
@settings(max_examples=4, deadline=None)  # for each of 100 pairs
def test_spans_are_the_same_in_every_scheme(before, after, entries):
    spans, length = laid_out(entries, apart=not (SCHEMES[before].separates and SCHEMES[after].separates))

    def written(scheme):
        if scheme != "plain":
            return write(spans, length, scheme=scheme)
        return tuple(next((s.type for s in spans if s.start <= at < s.end), "O") for at in range(length))

    with tempfile.TemporaryDirectory() as directory:
        assert converted(written(before), directory, scheme=after, source_scheme=before) == written(after)
        if before != "plain":
            assert converted(written(before), directory, scheme=after) == written(after)


@pytest.mark.parametrize(
    ("tags", "before", "after", "message"),
    [
        ("B-PER B-PER", "auto", "plain", "in:2: a span of 't' begins right after another of type PER, which plain"),
        ("B-PER B-PER", "auto", "io", "in:2: a span of 't' begins right after another of type PER, which IO cannot"),
        ("B-PER E-PER", "iob2", "bioes", "in:2: tag of 't' E-PER: IOB2 has only O and B-TYPE or I-TYPE"),
        ("N V", "auto", "plain", "in:1: tag 'N' marks no span"),
        ("PER ?", "plain", "iob2", "in:2: label '\\?' of 't' is unknown"),
    ],
)
def test_what_a_scheme_cannot_hold_has_its_place(tmp_path, tags, before, after, message):
    with pytest.raises(CorpusError, match=message):
        converted(tags.split(), tmp_path, scheme=after, source_scheme=before)
    assert not (tmp_path / "out").exists()


def test_docstart_lines_come_along_where_they_can(tmp_path):
    source, target = tmp_path / "in.txt", tmp_path / "out.conll"
    source.write_text("-DOCSTART- -X- O\n\nLima N B-LOC\n\n-DOCSTART- -X- O\n\nYes N O\n\n")
    assert convert(source, target, tags={"pos": 1, "ner": 2}) == 2
    assert target.read_text() == source.read_text()
    assert convert(source, tmp_path / "out.jsonl", tags={"ner": 2}) == 2
    assert "DOCSTART" not in (tmp_path / "out.jsonl").read_text()


def test_character_spans_keep_their_text(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"text": "In  New York, yes.", "label": [[4, 12, "LOC"]]}\n')
    convert(source, target, target_format="jsonl-spans", tags={"ner": "spans"})
    record = json.loads(target.read_text())
    assert record["text"] == "In  New York, yes."
    assert record["words"] == ["In", "New", "York", ",", "yes", "."]
    assert record["spans"] == [{"start": 4, "end": 12, "label": "LOC", "task": "ner"}]


def test_raw_text_is_split_on_the_way(tmp_path):
    source, target = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_text("Mr. Smith didn't\ngo. Yes.\n")
    assert convert(source, target, format="text", target_format="text") == 2
    assert target.read_text() == "Mr. Smith did n't go .\nYes .\n"
    assert convert(source, target, format="tokenised", target_format="text") == 2
    assert target.read_text() == "Mr. Smith didn't\ngo. Yes.\n"
    assert convert(source, target, format="text", target_format="jsonl-spans") == 2
    assert json.loads(target.read_text().splitlines()[1])["start"] == 21


def test_text_has_no_place_for_tags(source, tmp_path):
    with pytest.raises(CorpusError, match="text has no place for tags of 'ner'"):
        convert(source, tmp_path / "out", target_format="text", tags={"ner": 2})


@pytest.mark.parametrize("name", ["in.txt", "link.txt"])
def test_a_file_is_not_converted_onto_itself(source, tmp_path, name):
    before = source.read_text()
    (tmp_path / "link.txt").symlink_to(source)
    with pytest.raises(CorpusError, match=r"in\.txt: is the file to convert and its target, expected two files"):
        convert(source, tmp_path / name, tags={"ner": 2})
    assert source.read_text() == before


def test_a_directory_is_no_source(tmp_path):
    (tmp_path / "d").mkdir()
    with pytest.raises(CorpusError, match=r"d: is a directory, expected a file"):
        convert(tmp_path / "d", tmp_path / "out.conll")


def test_tags_that_are_none_of_a_scheme_are_told_with_their_place(source, tmp_path):
    with pytest.raises(CorpusError, match=r"in\.txt:1: tag 'N'"):
        convert(source, tmp_path / "out.conll", tags={"pos": 1}, scheme="iob2")
    with pytest.raises(PlanError):
        convert(source, tmp_path / "out.conll", tags={"ner": 2}, scheme="iob3")
    with pytest.raises(CorpusError, match="a scheme for 'nerr'"):
        convert(source, tmp_path / "out.conll", tags={"ner": 2}, scheme={"nerr": "iob2"})
    assert os.listdir(tmp_path) == ["in.txt"]  # noqa: PTH208


def test_words_that_a_format_cannot_hold_are_refused(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"words": ["10 000"], "tags": {"ner": ["B-New York"]}}\n')
    for tags, able in {(): "conllu, jsonl, jsonl-spans", ("ner",): "tsv, conllu, jsonl, jsonl-spans"}.items():
        expected = rf"in\.jsonl:1: '10 000' is empty or holds what .* lines, expected a target in one of {able}$"
        with pytest.raises(CorpusError, match=expected):
            convert(source, tmp_path / "out.conll", tags={task: task for task in tags})
    for name in ("tsv", "conllu", "jsonl", "jsonl-spans"):
        assert convert(source, tmp_path / "out", target_format=name, tags={"ner": "ner"}) == 1


def test_an_error_midway_leaves_the_target_as_it_was(source, tmp_path):
    target = tmp_path / "out.conll"
    target.write_text("before")
    source.write_text("a O\n\nb\n")
    with pytest.raises(CorpusError, match=":3: 1 column"):
        convert(source, target, tags={"ner": 1})
    assert target.read_text() == "before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.txt", "out.conll"]


@pytest.mark.parametrize("call", ["fsync", "open", "replace"])
def test_a_failing_disk_names_the_target_and_leaves_nothing(source, tmp_path, monkeypatch, call):
    reading = Path.open

    def full(*arguments, **options):
        if call == "open" and "xb" not in arguments:
            return reading(*arguments, **options)
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "out.conll"
    monkeypatch.setattr({"fsync": os, "open": Path, "replace": Path}[call], call, full)
    with pytest.raises(PolytagError, match=r"out\.conll: cannot be written: No space left on device"):
        convert(source, target)
    assert [file.name for file in tmp_path.iterdir()] == ["in.txt"]


def test_targets_that_cannot_be(source, tmp_path):
    with pytest.raises(PolytagError, match="cannot be written: Is a directory"):
        convert(source, tmp_path, target_format="conll")
    with pytest.raises(PolytagError, match="cannot be written: No such file"):
        convert(source, tmp_path / "none" / "out.conll")
    with pytest.raises(CorpusError, match="no corpus is written as treebank"):
        convert(source, tmp_path / "out.mrg")


def test_gzip_targets_are_the_same_each_time(source, tmp_path):
    for name in ("a.conll.gz", "b.conll.gz"):
        convert(source, tmp_path / name)
    assert (tmp_path / "a.conll.gz").read_bytes() == (tmp_path / "b.conll.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.conll.gz").read_bytes()).startswith(b"Angela\n")
