"""The report on a corpus: counts, schemes, and problems with their lines."""

import json

import pytest

from polytag.corpus import check, schemes
from polytag.corpus.check import columns_of
from polytag.errors import CorpusError


@pytest.fixture
def file(tmp_path):
    def write(content: str, name: str = "corpus.txt", encoding: str = "utf-8"):
        path = tmp_path / name
        path.write_text(content, encoding=encoding, newline="")
        return path

    return write


def test_counts_and_schemes(file):
    report = check(file("-DOCSTART- -X- O\n\nEU NNP I-ORG\nrejects VBZ O\n\nJosé NNP I-PER\nLima NNP B-PER\n" * 3))
    assert (report.sentences, report.tokens, report.documents) == (6, 15, 3)
    assert [(c.name, c.scheme) for c in report.columns] == [("1", "plain"), ("2", "iob1")]
    assert report.columns[1].tags == {"I-ORG": 3, "O": 3, "I-PER": 3, "B-PER": 3}
    assert report.encoding == "utf-8"
    assert report.longest_word == ("rejects", 4)
    assert report.longest_sentence == (2, 3)
    assert report.problems == []


def test_problems_have_lines_and_are_bounded(file):
    report = check(file("a O\n" + "b\n" * 30 + "c\u200b O\n"))
    assert report.problem_count == 30
    assert len(report.problems) == 20
    assert report.problems[0] == (2, "1 column, expected at least 2 (tag of '1' in column 1)")


def test_characters_that_nobody_sees_are_told(file):
    path = file("a O\n\nc\u200b O\n")
    assert list(map(str, check(path).notes)) == [rf"{path}:3: word 'c\u200b' holds the unseen character U+200B"]


def test_ill_formed_tags_have_lines(file):
    report = check(file("a B-X\nb I-X\n\n" * 200 + "c O\nd I-X\n"))
    assert report.columns[0].scheme == "iob2"
    assert report.problems == [(602, f"column 1: I-X after O: in IOB2 a span starts with B-X; {schemes.REPAIRED}")]


def test_tags_that_fit_no_scheme_are_a_problem(file):
    report = check(file("a B-X\nb X-X\n\n" * 20))
    assert (report.columns[0].scheme, report.columns[0].note) == (None, "in no tag scheme")
    assert report.problem_count == 1
    assert "X-X" in report.problems[0][1]


def test_columns_are_told_from_the_first_sentences(file):
    assert columns_of(file("-DOCSTART- -X- O\n\nEU NNP I-ORG\n")) == ["1", "2"]
    assert columns_of(file("EU NNP I-ORG\n"), word=1) == ["0", "2"]
    assert columns_of(file("EU\n")) == []
    assert columns_of(file("EU rejects\n"), format="tokenised") == []
    assert columns_of(file("1\tLima\t_\tPROPN\t_\t_\t0\troot\t_\t_\n", "a.conllu")) == ["upos", "deprel"]


def test_an_undecodable_line_ends_the_reading_and_is_told(file):
    path = file("a O\n\nb O\n")
    path.write_bytes(path.read_bytes() + b"\nit\x92s O\n")
    report = check(path)
    assert report.sentences == 2
    assert report.problems[0][0] == 5


def test_other_formats(file, tmp_path):
    row = "1\tLima\t_\tPROPN\t_\t_\t0\troot\t_\t_\n\n"
    report = check(file(row + row.replace("1\t", "2\t", 1) + row, "a.conllu"))
    assert [c.name for c in report.columns] == ["upos", "deprel"]
    assert (report.sentences, report.problems) == (2, [(3, "id '2', expected 1")])
    records = [{"words": ["a"], "tags": {"ner": ["B-X"]}}, {"text": "b", "label": [[0, 1, "X"]]}, {"text": 1}, {}]
    report = check(file("\n".join(map(json.dumps, records)), "a.jsonl"))
    assert [(c.name, c.scheme) for c in report.columns] == [("ner", "iob2"), ("spans", "iob2")]
    assert [line for line, _ in report.problems] == [3, 4, 2, 1]  # and each lacks the other's tags
    (tmp_path / "trees").mkdir()
    file("(NN a)", "trees/wsj_0001.mrg")
    file("(NN a", "trees/wsj_0002.mrg")
    report = check(tmp_path / "trees")
    assert (report.format, report.tokens, report.problem_count) == ("treebank", 1, 1)
    assert report.problems[0][1].startswith("wsj_0002.mrg: ")


def test_empty_and_absent_files(file, tmp_path):
    assert check(file("\n\n")).problems == [(0, "no sentence in it, expected at least one")]
    with pytest.raises(CorpusError, match="no such file"):
        check(tmp_path / "none")
    assert check(file("a O\n"), word=5).problem_count == 1


def test_a_file_that_marks_some_types_is_checked_as_training_does(file):
    path = file("EU NNP B-ORG\nin O O\nLima NNP B-LOC\n\nAnn NNP B-PER\n")
    assert check(path).problems == []
    assert check(path, marks=["ORG", "LOC", "PER"]).problems == []
    report = check(path, marks=["PER", "ORG", "MISC"])
    assert report.problems == [(3, "column 2: found B-LOC in a file that marks PER, ORG, MISC alone")]
    assert report.columns[1].note.endswith("; no span of MISC")
    report = check(path, marks=["GPE"])
    assert report.problems == [(0, "no column has a span of GPE, expected some")]
