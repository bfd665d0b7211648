"""The table of formats: which reader a path gets, and which paths and settings are refused at once."""

import gzip
import io
import os

import pytest

from polytag import corpus
from polytag.corpus import FORMATS, blocks, format_of, read
from polytag.errors import CorpusError
from tests.licensed import TOKENS, licensed


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.conllu", "conllu"),
        ("a.conllu.gz", "conllu"),
        ("wsj_0001.mrg", "treebank"),
        ("a.jsonl", "jsonl"),
        ("a.json", "jsonl"),
        ("eng.train", "conll"),
        ("a.txt", "conll"),
        ("trees#sections=0-18", "treebank"),
    ],
)
def test_the_suffix_chooses_the_format(name, format):
    assert format_of(name) == format


def test_paths_and_formats_that_cannot_be_are_told_at_once(tmp_path):
    with pytest.raises(CorpusError, match="no such file"):
        read(tmp_path / "none.txt")
    with pytest.raises(CorpusError, match="no such file"):
        blocks(tmp_path / "none.txt", format="conll")
    with pytest.raises(CorpusError, match="a directory, expected a file in format conll"):
        read(tmp_path)
    with pytest.raises(CorpusError, match="unknown format 'conl'; did you mean 'conll'"):
        read(tmp_path / "none.txt", format="conl")
    with pytest.raises(CorpusError, match="treebank is read but not tagged"):
        blocks(io.BytesIO(), format="treebank")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_a_file_without_sentences_is_an_error_to_read_and_none_to_tag(tmp_path, format, content):
    path = tmp_path / "empty"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"no sentence|no text empty\.txt beside it|no Parquet or Arrow|no UIMA CAS"):
        list(read(path, format=format))
    if FORMATS[format].blocks:
        assert all(block.sentence is None for block in blocks(path, format=format))


def test_gzip_goes_by_the_suffix_before_it(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"words": ["a"]}\n'))
    assert [s.words for s in read(path)] == [("a",)]


def test_reading_streams(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a O\n\n" * 30_000 + b"b\n")
    sentences = read(path, tags={"n": 1})
    assert next(sentences).words == ("a",)  # the missing column at the end has not been seen yet
    with pytest.raises(CorpusError, match=":60001: 1 column"):
        list(sentences)


def test_errors_of_a_stream_name_it():
    with pytest.raises(CorpusError, match="<stdin>:2: a NUL byte"):
        list(blocks(io.BytesIO(b"a\n\0\n"), format="conll"))


def test_the_latest_block_does_not_wait_for_the_next_bytes():
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as stream, os.fdopen(write_end, "wb", buffering=0) as sink:
        sink.write(b"Lima\nrocks\n\nYes\n")
        assert next(iter(blocks(stream, format="conll"))).sentence.words == ("Lima", "rocks")


def test_public_names_are_there():
    assert {"read", "blocks", "convert", "check", "Sentence", "wsj_sections", "Block"} <= set(vars(corpus))


@pytest.mark.data
@pytest.mark.parametrize("name", TOKENS)
def test_real_corpora_have_the_papers_number_of_tokens(name):
    path = licensed(name)
    assert sum(map(len, read(path, tags={"tag": -1}, docstart=True))) == TOKENS[name]
    with path.open("rb") as stream:
        rendered = "".join(block.render({}) for block in blocks(stream, format="conll"))
    assert rendered.encode() == path.read_bytes()
