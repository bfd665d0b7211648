"""``polytag tag --from text`` and ``polytag data convert`` as their users call them."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import run

TEXT = "Angela Merkel visited Lima. Amina\nDiallo left.\n\nWarsaw\n"


def test_raw_text_is_split_and_tagged(trained, workplace):
    done = run(["tag", trained, "--from", "text"], stdin=TEXT)
    words = [[row.split("\t")[0] for row in block.split("\n")] for block in done.out.strip().split("\n\n")]
    assert words == [["Angela", "Merkel", "visited", "Lima", "."], ["Amina", "Diallo", "left", "."], ["Warsaw"]]
    done = run(["tag", trained, "--from", "tokenised"], stdin=TEXT)
    assert done.out.startswith("Angela\t")
    assert "Lima.\t" in done.out


def test_text_becomes_records_with_offsets(trained, workplace):
    Path("in.txt").write_text(TEXT)
    command = ["tag", trained, "in.txt", "--from", "text", "--to", "jsonl"]
    done = run(command)
    records = [json.loads(line) for line in done.out.splitlines()]
    assert [record["start"] for record in records] == [0, 28, 48]
    assert [record["text"] for record in records][1:] == ["Amina\nDiallo left.", "Warsaw"]
    assert set(records[0]["tags"]) == {"ner", "pos"}
    assert run([*command, "--workers", "2"]) == done
    assert run(f"tag {trained} in.txt --to jsonl").out == done.out


def test_options_of_text_are_refused_elsewhere(trained, workplace):
    done = run(f"tag {trained} test.conll --to jsonl --from conll")
    assert (done.code, done.out) == (2, "")
    assert "is for plain text: say --from text" in done.err
    done = run(f"tag {trained} test.conll --to jsonl")
    assert (done.code, done.out) == (1, "")
    assert done.err == "polytag: test.conll: is no plain text, so its form stays; --to is for text, raw or tokenised\n"
    assert run(f"tag {trained} --from tokenised --tokeniser unicode").code == 2
    done = run(f"tag {trained} --from text --tokeniser spacy")
    assert (done.code, "--tokeniser spacy: expected 'unicode', 'blanks' or 'spacy:'" in done.err) == (2, True)


def test_what_cannot_be_split_is_one_sentence(trained, workplace, monkeypatch):
    monkeypatch.setattr("polytag.corpus.spacy_words.find_spec", lambda name: None)
    done = run(["tag", trained, "--from", "text", "--tokeniser", "spacy:qq", "-o", "out"], stdin=TEXT)
    assert (done.code, Path("out").exists()) == (1, False)
    assert "tokeniser 'spacy:qq' is spaCy's, which is not installed: pip install 'polytag[text]'" in done.sentence
    for way in (["text"], ["text", "--tokeniser", "blanks"], ["tokenised"]):
        assert run(["tag", trained, "--from", *way], stdin=TEXT).code == 0


def test_conversions(workplace):
    Path("in.txt").write_text(TEXT)
    assert run("data convert in.txt out.conllu --from text").err == "3 sentences\n"
    assert run("data convert in.txt out.conll --from tokenised").err == "3 sentences\n"
    done = run("data convert test.conll out.jsonl --to jsonl-spans --tag ner=2 --tag pos=1 --from-scheme pos=plain")
    assert (done.code, done.err) == (0, "12 sentences\n")
    first = json.loads(Path("out.jsonl").read_text().splitlines()[0])
    assert {span["label"] for span in first["spans"]} == {"PER", "LOC"}
    assert set(first["tags"]) == {"pos"}
    assert run("data convert out.jsonl back.conll --tag pos=pos --tag ner=spans").code == 0
    assert Path("back.conll").read_text() == Path("test.conll").read_text().replace("\t", " ")
    assert run("data convert test.conll out.bio --tag ner=2 --scheme plain").code == 0
    assert run("data convert out.bio out.iob --tag ner=1 --from-scheme plain --scheme bilou").code == 0
    assert "U-LOC" in Path("out.iob").read_text()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("--to jsonl-spans --tag pos=1", 1, "test.conll:1: tag 'PROPN' marks no span"),
        (
            "--to text --tag pos=1",
            1,
            "test.conll:1: text has no place for tags of 'pos', expected a target in one of conll, tsv, conllu, jsonl",
        ),
        ("--tag ner=2 --scheme iob3", 1, "unknown tag scheme 'iob3'"),
        ("--tag ner=2 --scheme pos=iob2", 1, "test.conll: a scheme for 'pos', which has no tags"),
        ("--tag ner=2 --from-scheme bioes", 1, "test.conll:"),
        ("--tag ner=2 --scheme ner=", 2, "--scheme ner=: expected one for all layers, or NAME=VALUE"),
        ("--tokeniser en", 2, "--tokeniser en: expected 'unicode', 'blanks' or 'spacy:'"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(workplace, options, code, message):
    done = run(f"data convert test.conll out.conll {options}")
    assert (done.code, Path("out.conll").exists()) == (code, False)
    assert done.sentence.startswith(message)


DOORS = [
    "data check train.conll",
    "data convert train.conll out.jsonl --tag ner=2",
    "train plan.toml --output out --set training.epochs=1",
    "evaluate {model} --task ner --data-file train.conll",
    "tag {model} train.conll",
    "tag {model} --from conll",
    "suggest {model} train.conll --to jsonl",
]


@pytest.mark.parametrize("door", DOORS)
def test_text_that_is_no_utf8_is_read_as_latin1_and_told(door, trained, workplace):
    text = Path("train.conll").read_bytes() + "José\tPROPN\tB-PER\n\n".encode("latin-1")
    Path("train.conll").write_bytes(text)
    done = run(door.format(model=trained), stdin=text)
    line = len(text.splitlines()) - 1
    assert done.code == 0
    assert f":{line}: byte 0xe9 is not UTF-8, so the file is read as latin-1: 'José" in done.err + done.out
