"""Spans that do not fit the words: words are cut without a look at them; they are told, carried and written again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus import check, convert, read
from polytag.corpus.notes import Notes
from polytag.corpus.offsets import as_scored, is_scored, missed, tagged
from polytag.corpus.schemes import spans
from polytag.corpus.sentence import CharSpan, Span
from polytag.corpus.tokenising import Tokeniser

TEXT = "In 3rdRome and Rome."
LABELS = [[6, 10, "LOC"], [15, 19, "LOC"]]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in.jsonl"
    records = {"text": TEXT, "label": LABELS}, {"text": "Yes.", "label": []}
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_words_are_the_same_with_annotation_and_without(file, tmp_path):
    bare = tmp_path / "bare.jsonl"
    bare.write_text(json.dumps({"text": TEXT}) + "\n")
    (found, *_), (same,) = read(file, tags={"ner": "spans"}), read(bare)
    assert found.words == same.words == ("In", "3rdRome", "and", "Rome", ".")
    assert found.offsets == same.offsets


def test_what_does_not_fit_is_unknown_carried_and_told(file):
    notes = Notes()
    first, second = read(file, tags={"ner": "spans"}, notes=notes)
    assert first.tags == {"ner": ("O", "?", "O", "B-LOC", "O")}
    assert first.misfits == {"ner": (CharSpan(6, 10, "LOC"),)}
    assert second.misfits == {}
    (note,) = notes
    assert str(note).startswith(f"{file}:1: span [6, 10, 'LOC'], 'Rome', does not fit the words, '3rdRome'; they")


def test_what_does_not_fit_counts_as_missed(file):
    first, second = read(file, tags={"ner": "spans"})
    assert as_scored(first, "ner").tags["ner"] == ("O", "O", "O", "B-LOC", "O")
    assert missed(first, "ner") == [Span("LOC", 1, 2)]
    assert (as_scored(second, "ner"), missed(second, "ner")) == (second, [])
    assert is_scored(first, "ner")


def test_it_is_written_again_where_there_is_a_place_for_it(file, tmp_path):
    back = tmp_path / "back.jsonl"
    convert(file, back, target_format="jsonl-spans", tags={"ner": "spans"})
    for one, other in zip(read(file, tags={"ner": "spans"}), read(back, tags={"ner": "spans"}), strict=True):
        assert (one.words, one.tags, one.misfits) == (other.words, other.tags, other.misfits)
    columns = tmp_path / "out.conll"
    convert(file, columns, tags={"ner": "spans"}, scheme="bioes")
    tags = [line.split()[-1] for line in columns.read_text().splitlines() if line]
    assert tags == ["O", "?", "O", "S-LOC", "O", "O", "O"]


@given(st.data())
def test_spans_that_fit_are_tags_and_the_others_unknown(data):
    text = data.draw(st.text(st.sampled_from("ab.-\n \u00a0é"), max_size=30))
    bounds = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    chosen = [CharSpan(start, end, "T") for start, end in zip(bounds[::2], bounds[1::2], strict=False)]
    words = Tokeniser().words(text)
    tags, misfits = tagged(words, chosen)
    fitting = [span for span in chosen if span not in misfits]
    known = spans(["O" if tag == "?" else tag for tag in tags])
    covered = [text[words[s.start][0] : words[s.end - 1][1]] for s in known]
    assert covered == [text[span.start : span.end].strip() for span in fitting]
    for (start, end), tag in zip(words, tags, strict=True):
        assert (tag == "?") == any(span.start < end and start < span.end for span in misfits)


def test_a_span_of_blanks_holds_no_word():
    assert tagged([(0, 1), (3, 4)], [CharSpan(1, 2, "X")]) == (("O", "O"), (CharSpan(1, 2, "X"),))


def test_check_lists_their_lines(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text((json.dumps({"text": TEXT, "label": LABELS}) + "\n\n") * 25)
    report = check(path)
    (note,) = report.notes
    (column,) = report.columns
    assert (column.name, column.scheme, column.tags["?"]) == ("spans", "iob2", 25)
    assert note.count == 25
    assert note.listed() == f"{note}: lines {', '.join(str(line) for line in range(3, 41, 2))}, ..."
    assert check(path, tokeniser="blanks").notes[0].count == 50
