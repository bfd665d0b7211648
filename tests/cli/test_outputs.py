"""What cannot be written is said before anything is read, and what is written reads back by its names."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import contents, run

FILES = {
    "tag {model} none.conll -o {output}": "out.conll",
    "suggest {model} none.conll --task ner -o {output}": "out.jsonl",
    "data convert none.conll {output}": "out.conll",
    "init --train none.conll -o {output}": "out.toml",
    "evaluate {model} --task ner --data-file none.conll --html {output}": "out.html",
    "compare {model} {model} --task ner --data-file none.conll --html {output}": "out.html",
    "export none --onnx {output}": "out.onnx",
}


def denied(place: Path, monkeypatch) -> None:
    """A directory that may not be written into, also for root."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != place.resolve() and access(path, mode))


@pytest.mark.parametrize("command", FILES)
def test_outputs_are_checked_before_inputs(workplace, trained, monkeypatch, command):
    name = FILES[command]
    Path("closed").mkdir()
    denied(Path("closed"), monkeypatch)
    for folder, reason in {"none": "No such file or directory", "closed": "Permission denied"}.items():
        done = run(command.format(model=trained, output=f"{folder}/{name}"))
        assert (done.code, done.sentence) == (1, f"{folder}/{name}: cannot be written: {reason}")


@pytest.mark.parametrize("command", ["train none.toml -o {output}", "curve none.toml --task ner -o {output}"])
def test_directories_are_checked_before_inputs(workplace, monkeypatch, command):
    Path("closed").mkdir()
    denied(Path("closed"), monkeypatch)
    done = run(command.format(output="closed/a/b"))
    assert (done.code, done.sentence) == (1, "closed/a/b: cannot be written: Permission denied")


@pytest.mark.parametrize("name", ["ner", "lemma", "en-ner", "a.b", "deprel"])
def test_a_layer_of_conllu_reads_back_by_its_name(workplace, name):
    assert run(f"data convert test.conll out.conllu --tag {name}=2 --tag upos=1").code == 0
    assert f"\t{name}=B-PER\n" in Path("out.conllu").read_text()
    assert run(f"data convert out.conllu back.conll --tag upos=upos --tag {name}={name}").code == 0
    assert Path("back.conll").read_text() == Path("test.conll").read_text().replace("\t", " ")


def test_a_tagged_task_of_conllu_reads_back_by_its_name(workplace, trained):
    assert run("data convert test.conll in.conllu --tag upos=1").code == 0
    assert run(f"tag {trained} in.conllu --task ner -o out.conllu").code == 0
    for name in ("ner", "misc.ner"):
        assert run(f"data convert out.conllu {name}.conll --tag ner={name}").code == 0
    assert Path("ner.conll").read_text() == Path("misc.ner.conll").read_text()
    plan = run("init --train out.conllu --tag ner=ner -o out.toml")
    assert (plan.code, 'tag = "ner"' in Path("out.toml").read_text()) == (0, True)


def test_an_unknown_name_is_told_with_those_there_are(workplace):
    assert run("data convert test.conll in.conllu --tag ner=2").code == 0
    done = run("data convert in.conllu out.conll --tag ner=nre")
    assert (done.code, done.sentence) == (
        1,
        "in.conllu:1: no tags 'nre', expected one of form, lemma, upos, xpos, feats, head, deprel, deps, misc, ner, or "
        "misc.KEY or feats.KEY for one that some words have; did you mean 'ner'?",
    )
    assert not Path("out.conll").exists()


@pytest.mark.parametrize(
    ("target", "begins"),
    [("a.txt", "the suffix .txt does not tell"), ("a", "no suffix tells"), ("a.train.gz", "the suffix .train does")],
)
def test_a_target_must_tell_its_format(workplace, target, begins):
    done = run(f"data convert test.conll {target}")
    assert (done.code, Path(target).exists()) == (1, False)
    assert done.sentence.startswith(f"{target}: {begins} how to write it" if begins[-1] != "s" else target)
    assert "or the format by --to (conll, tsv, conllu, jsonl, jsonl-spans, text)" in done.sentence
    assert run(f"data convert test.conll {target} --to text").code == 0
    for name in ("a.conll", "a.iob2.gz", "a.bio", "a.tsv", "a.conllu", "a.json"):
        assert run(f"data convert test.conll {name} --tag ner=2").code == 0


@pytest.mark.parametrize(
    "command", ["tag {model} test.conll -o test.conll", "suggest {model} text.txt --task ner -n 1 -o ./text.txt"]
)
def test_what_is_read_is_not_written_over(trained, workplace, command):
    Path("text.txt").write_text("Angela Merkel visited Lima yesterday .\n" * 3)
    before = contents(workplace)
    done = run(command.format(model=trained))
    assert (done.code, done.sentence.endswith("is to be read and to be written, expected two files")) == (1, True)
    assert contents(workplace) == before


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_what_is_read_again_is_a_file(workplace, trained, kind):
    os.mkfifo("pipe")
    place = os.devnull if kind == "device" else "pipe"
    done = run(["export", trained, "--onnx", place])
    expected = f"{place}: is a device or a pipe, expected a file: what is written is read again"
    assert (done.code, done.sentence) == (1, expected)
