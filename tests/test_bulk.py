"""Pieces: joined they are the text, tagged apart they are the text tagged, and many processes say what one says."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.bulk import Assignment, cut, pieces, tagging
from polytag.bulk.processes import Render
from polytag.bulk.worker import Worker
from polytag.corpus.documents import blocks
from polytag.corpus.formats import FORMATS
from polytag.corpus.text import BLANKS, Lines
from polytag.errors import CorpusError, ModelError, PolytagError
from polytag.model import save_model
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger
from tests import tiny

SIZE = 200  # bytes of a piece
SENTENCES = [sentence.words for sentence in tiny.texts(40, seed=5)]
TEXTS = {
    "conll": "-DOCSTART- O\n\n" + "".join("".join(f"{word} X\r\n" for word in words) + "\n" for words in SENTENCES),
    "conllu": "".join(
        "# text\n" + "".join(f"{n}\t{word}" + "\t_" * 8 + "\n" for n, word in enumerate(words, 1)) + "\n"
        for words in SENTENCES
    ),
    "text": "".join(" ".join(words) + "\n" * (n % 3) for n, words in enumerate(SENTENCES)) + "\n\n",
    "tokenised": "".join(" ".join(words) + "\n" for words in SENTENCES) + "\n\n",
    "jsonl": "".join(json.dumps({"text": " ".join(words)}) + "\n" for words in SENTENCES),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bulk") / "model"
    tagger = tiny.tagger({"ner": "iob2", "upos": "plain"})
    save_model(tagger.model, directory)
    return directory


@pytest.fixture(scope="module")
def two(model: Path) -> Iterator[Render]:
    """Two worker processes for all tests here: starting them is what takes time."""
    with tagging(Assignment(model=str(model), request=Request(confidence=True)), workers=2) as rendered:
        yield rendered


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {name: replace(row, cut=replace(row.cut, size=SIZE)) for name, row in FORMATS.items() if row.cut}
    monkeypatch.setattr(pieces, "FORMATS", rows)


@pytest.mark.parametrize("format_", TEXTS)
def test_a_text_is_cut_between_sentences(format_):
    found = list(cut(io.StringIO(TEXTS[format_]), format=format_))
    assert len(found) > 3
    assert "".join(piece.text for piece in found) == TEXTS[format_]
    for before, after in pairwise(found):
        assert after.line == before.line + len(list(before.lines()))
        if FORMATS[format_].cut.after_blank_lines_only:
            assert not list(before.lines())[-1].text.strip(BLANKS)


def test_a_text_without_blank_lines_is_cut_where_its_length_says(monkeypatch, tmp_path):
    row = FORMATS["text"]
    monkeypatch.setattr(pieces, "FORMATS", {"text": replace(row, cut=replace(row.cut, size=SIZE, most=2 * SIZE))})
    file = tmp_path / "file"
    file.write_text("Ann saw Lima . She\n" * 100)
    found = list(cut(file, format="text"))
    assert found == list(cut(io.BytesIO(file.read_bytes()), format="text", name=str(file)))
    assert len(found) == 5
    assert max(len(piece.text) for piece in found) < 2 * SIZE + 20


def test_records_say_where_in_the_whole_text_they_stand(model, two):
    text = "Ann saw Lima. She left.\n\nÉté,\nmayor!\n\n" * 60
    assignment = Assignment(model=str(model), request=Request(confidence=True), records=True)
    with tagging(assignment) as one:
        records = [json.loads(line) for line in b"".join(one(cut(io.StringIO(text), format="text"))).splitlines()]
    assert len(list(cut(io.StringIO(text), format="text"))) > 3
    assert len(records) == 180
    for record in records:
        start = record["start"]
        assert text[start : start + len(record["text"])] == record["text"]
        assert [record["text"][a:b] for a, b in record["offsets"]] == record["words"]
        assert set(record["tags"]) == set(record["confidence"]) == {"ner", "upos"}
        assert set(record["predicted_spans"]) == {"ner"}
        for span in record["predicted_spans"]["ner"]:
            (first, _), (_, last) = record["offsets"][span["start"]], record["offsets"][span["end"] - 1]
            assert span["characters"] == [first, last]


SCRAPS = ["a", " ", "\t", "\n", "\n", "\r", "\r\n", "\ufeff", "\u2028", "\x85", "é", "\x0c", "bc d", "e\n\n", "x" * 99]


@given(st.lists(st.sampled_from(SCRAPS), max_size=60), st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]))
def test_a_file_and_a_stream_are_cut_alike_and_lose_nothing(tmp_path_factory, scraps, encoding):
    text = "".join(scraps).encode(encoding, "replace")
    file = tmp_path_factory.mktemp("cut") / "file"
    file.write_bytes(text)
    for format_ in TEXTS:
        try:
            lines = [line for line in Lines(file) if line.text + line.end]  # a byte order mark alone is a line
        except CorpusError:
            continue
        found = list(cut(file, format=format_))
        assert found == list(cut(io.BytesIO(text), format=format_, name=str(file)))
        assert [line for piece in found for line in piece.lines()] == lines
        for piece in found[:-1]:
            first = piece.text.rstrip("\n").rpartition("\n")[0]
            assert len(piece.text.encode()) >= SIZE > len(first.encode()) - 400


def test_a_plain_file_is_read_once_and_fast(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text(TEXTS["conll"])
    expected = list(cut(file))
    monkeypatch.setattr(pieces, "Lines", None)
    assert list(cut(file)) == expected


@pytest.mark.parametrize(
    "bad", [b"\0", b"\xff\x85", b"\xe9", b"x" * 10_000_001], ids=["NUL", "bytes", "latin-1", "long"]
)
def test_what_is_wrong_with_a_file_has_its_line(bad, tmp_path):
    file = tmp_path / "file"
    file.write_bytes("é\n\n".encode() * 300 + bad + b"\n")
    with pytest.raises(CorpusError, match=":601: "):
        list(cut(file))


@pytest.mark.parametrize("format_", TEXTS)
def test_pieces_tagged_apart_are_the_text_tagged(format_, model, two):
    text = TEXTS[format_]
    whole = "".join(Tagger.load(model).tag_blocks(blocks(io.StringIO(text), format=format_)))
    with tagging(Assignment(model=str(model))) as one:
        assert b"".join(one(cut(io.StringIO(text), format=format_))).decode() == whole
    with tagging(Assignment(model=str(model), request=Request(confidence=True))) as one:
        expected = b"".join(one(cut(io.StringIO(text), format=format_)))
    assert b"".join(two(cut(io.StringIO(text), format=format_))) == expected


def test_all_before_an_error_is_given_before_it_is_raised(two):
    good = TEXTS["conllu"]
    for bad in ("1\tLima\n\n", "\0\n"):  # one that a worker finds, and one that the reader finds far ahead of them
        given_ = []
        with pytest.raises(CorpusError, match=f"<stdin>:{good.count(chr(10)) + 1}: "):
            given_.extend(two(cut(io.BytesIO((good + bad + good * 9).encode()), format="conllu")))
        assert "".join(given_piece.decode() for given_piece in given_).count("\n") > 0.8 * good.count("\n")


def test_reading_is_never_far_ahead(two):
    read = []

    def endless() -> Iterator[pieces.Piece]:
        while True:
            read.append(1)
            yield pieces.Piece("x", "tokenised", 1, "Lima .\n")

    rendered = two(endless())
    for n in range(20):
        next(rendered)
        assert len(read) <= n + 8


def test_what_is_wrong_with_the_request_is_told_at_once(model, tmp_path):
    with pytest.raises(PolytagError, match="the model has no task 'nerr'; did you mean 'ner'"):
        Worker(Assignment(model=str(model), request=Request(["nerr"])))
    with pytest.raises(ModelError, match="no such model"), tagging(Assignment(model=str(tmp_path / "none")), workers=2):
        raise AssertionError("it was entered")


@pytest.mark.parametrize("format_", ["treebank", "nothing"])
def test_what_cannot_be_tagged_cannot_be_cut(format_):
    with pytest.raises(CorpusError):
        next(cut(io.StringIO("Lima\n"), format=format_))
