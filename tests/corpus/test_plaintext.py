"""Plain text: raw or a sentence per line in; a word per line, or a record with offsets, out."""

import io
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.corpus import blocks, read
from polytag.corpus.formats import text
from polytag.corpus.sentence import Alternative, Span
from polytag.errors import CorpusError, PlanError, PolytagError

BOTH = pytest.mark.parametrize("format", ["text", "lines", "tokenised"])
CHARACTERS = st.text(st.sampled_from("ab.? \t\n\r\u2028\xa0é"), max_size=30)
RAW = "Angela Merkel didn't\nvisit Lima. She\tleft.\r\n\r\nÉté. \n"


def rendered(content: str, tags=None, *, format="tokenised", **options) -> str:
    found = blocks(io.StringIO(content), format=format, **options)
    return "".join(b.render({t: [v] * len(b.sentence or ()) for t, v in (tags or {}).items()}) for b in found)


@BOTH
@pytest.mark.parametrize("records", [False, True])
@settings(deadline=None)
@given(content=CHARACTERS)
def test_rendering_nothing_gives_the_text_back(format, records, content):
    assert rendered(content, format=format, records=records) == content


@BOTH
@settings(deadline=None)
@given(content=CHARACTERS)
def test_words_stand_where_their_offsets_and_lines_say(format, content):
    lines = re.sub("\r+\n", "\n", content).replace("\r", "\n").split("\n")
    for block in blocks(io.StringIO(content), format=format):
        for word, (start, end), line in zip(*_parts(block.sentence), strict=True):
            assert content[start:end] == word
            assert word in lines[line - 1]


def _parts(sentence):
    return (sentence.words, sentence.offsets, sentence.lines) if sentence else ((), (), ())


@BOTH
@settings(deadline=None)
@given(content=CHARACTERS)
def test_records_hold_the_same_words_with_offsets_in_their_own_text(format, content):
    written = rendered(content, {"ner": "B-X"}, format=format, records=True)
    words = [b.sentence.words for b in blocks(io.StringIO(content), format=format) if b.sentence]
    records = [json.loads(line) for line in written.split("\n") if line]
    assert [tuple(record["words"]) for record in records] == words
    for record in records:
        text, start = record["text"], record["start"]
        assert content[start : start + len(text)] == text
        assert [text[a:b] for a, b in record["offsets"]] == record["words"]
        assert set(record) == {"text", "start", "words", "offsets", "tags"}


def test_raw_text_is_cut_into_sentences_and_words():
    found = [b.sentence.words for b in blocks(io.StringIO(RAW), format="text") if b.sentence]
    assert [" ".join(words) for words in found] == ["Angela Merkel did n't visit Lima .", "She left .", "Été ."]
    assert rendered("Yes.\r\nNo.", {"n": "O"}, format="text") == "Yes\tO\r\n.\tO\r\n\r\nNo\tO\r\n.\tO\r\n\r\n"


def test_a_record_is_read_back_with_its_tags(tmp_path):
    blocks_ = blocks(io.StringIO(RAW), format="text", records=True)
    tags = {"ner": ("B-PER", "I-PER", "O", "O", "O", "S-LOC", "O"), "pos": ("X",) * 7}
    path = tmp_path / "out.jsonl"
    first = next(blocks_)
    path.write_text(first.answered(replace(first.sentence, tags=tags), span_tasks=["ner"]), encoding="utf-8")
    record = json.loads(path.read_text())
    assert record["predicted_spans"]["ner"] == [
        {"type": "PER", "start": 0, "end": 2, "characters": [0, 13]},
        {"type": "LOC", "start": 5, "end": 6, "characters": [27, 31]},
    ]
    (found,) = read(path, tags={"ner": "ner", "pos": "pos"})
    assert found.tags == tags


def test_characters_count_in_the_record_s_own_text():
    _, block = [b for b in blocks(io.StringIO("Yes\n\nIn  Lima\n"), format="text", records=True) if b.sentence]
    answer = replace(
        block.sentence,
        tags={"ner": ("O", "B-LOC")},
        predicted_spans={"ner": (Span("LOC", 1, 2, 0.5),)},
        alternatives={"ner": (Alternative(("O", "O"), 1 / 3),)},
    )
    record = json.loads(block.answered(answer, span_tasks=["ner"]))
    assert record["start"] == 5
    assert record["offsets"] == [[0, 2], [4, 8]]
    assert record["predicted_spans"]["ner"] == [
        {"type": "LOC", "start": 1, "end": 2, "characters": [4, 8], "probability": 0.5}
    ]
    assert record["alternatives"] == {"ner": [{"tags": ["O", "O"], "probability": 0.333333}]}
    with pytest.raises(ValueError, match="1 tags, expected one for each of 2"):
        block.render({"ner": ["O"]})


def test_one_word_per_line_and_a_blank_line_between_sentences():
    assert rendered("Lima  rocks\n\nYes", {"n": "O", "p": "X"}) == "Lima\tO\tX\nrocks\tO\tX\n\nYes\tO\tX\n\n"


def test_a_text_without_blank_lines_is_held_in_parts(monkeypatch):
    monkeypatch.setattr(text, "LONGEST_PARAGRAPH", 30)
    read_ = []

    def lines():
        for number in range(1_000):
            read_.append(number)
            yield f"Line {number} goes\n".encode()

    stream = io.BytesIO(b"".join(lines()))
    found = [b.sentence.words for b in blocks(stream, format="text") if b.sentence]
    assert max(map(len, found)) < 12
    assert sum(map(len, found)) == 3_000


@BOTH
def test_sentences_come_with_their_line_and_without_tags(tmp_path, format):
    path = tmp_path / "in.txt"
    path.write_text("\na b\n")
    (found,) = read(path, format=format)
    assert (found.words, list(found.lines), found.offsets) == (("a", "b"), [2, 2], ((1, 2), (3, 4)))
    with pytest.raises(CorpusError, match="plain text has no tags for 'ner'"):
        read(path, format=format, tags={"ner": 1})


def test_what_cannot_be_split_is_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "in.txt"
    path.write_text("a b\n")
    with pytest.raises(PlanError, match="found tokeniser 'spacy', expected"):
        read(path, format="text", tokeniser="spacy")
    monkeypatch.setattr("polytag.corpus.spacy_words.find_spec", lambda name: None)
    with pytest.raises(PolytagError, match=r"polytag\[text\]"):
        blocks(path, format="text", tokeniser="spacy:ga")
    assert len(list(read(path, format="tokenised"))) == 1
