"""Wrong usage exits 2, and what a command says helps to go on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ENVIRONMENT, run

EXAMPLE = Path(__file__).parents[2] / "examples" / "onnx_tag.py"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("train plan.toml -o out --set training.epochs", "--set training.epochs: expected KEY=VALUE, such as"),
        ("show plan.toml --set =3", "--set =3: expected KEY=VALUE"),
        ("curve plan.toml --task ner --set x", "--set x: expected KEY=VALUE"),
        ("data get conll2000", "no data directory: name one with --data or POLYTAG_DATA"),
        ("init --train train.conll --tag 2", "--tag 2: expected NAME=PLACE, such as ner=3 or pos=upos"),
        ("data convert test.conll a.conll --tag a=1 --tag a=2", "--tag a=2: 'a' is named twice"),
        ("tag none --from tokenised --tokeniser blanks", "tokenised text is in words already"),
    ],
)
def test_wrong_usage_exits_2(workplace, command, message):
    done = run(command)
    assert done.code == 2
    assert done.sentence.startswith(message)


def test_init_asks_nothing(workplace):
    done = run("init -o new.toml")
    assert (done.code, done.sentence) == (2, "missing option '--train'; see 'polytag init --help'")


def test_evaluate_without_a_split_names_the_ways_out(trained):
    done = run(["evaluate", trained, "--split", "dev", "--task", "pos"])
    assert done.sentence == (
        "the plan has no dev files for pos, expected some, another split (--split) or a file (--data-file)"
    )


def test_compare_says_which_model_lacks_a_task(trained, bilingual):
    done = run(["compare", trained, bilingual, "--task", "es-ner"])
    assert done.sentence == "model A has no task 'es-ner'; did you mean 'ner'?"
    done = run(["compare", bilingual, trained, "--task", "ner:nerr"])
    assert done.sentence == "model B has no task 'nerr'; did you mean 'ner'?"


@pytest.mark.parametrize(("best", "code"), [("ner:", 0), ("ner", 1), (":ner", 1)])
def test_compare_takes_the_best_weights_of_either(bilingual, trained, workplace, best, code):
    """Only the first model keeps weights for each task."""
    line = ["compare", bilingual, trained, "--task", "ner", "--data-file", "test.conll", "--best-for", best]
    assert run([*line, "--threads", "1"]).code == code


def test_show_tells_plain_tags_from_spans(trained, workplace):
    lines = {line.split()[0]: line for line in run(["show", trained]).out.splitlines()}
    assert " CRF, bioes tags; " in lines["tags.ner"]
    assert " CRF, plain tags; " in lines["tags.pos"]
    assert "CRF, bioes for spans; " in run("show plan.toml").out
    assert "CRF, plain tags; " in run(["show", "plan.toml", "--set", "tasks.pos.scheme=plain"]).out


def test_rates_end_where_the_numbers_do(workplace):
    done = run("curve --task ner --rates 0.1 .5 1. 1e-1 none.toml")
    assert "none.toml: the plan cannot be read" in done.sentence
    assert "1.5 is not above 0 and at most 1" in run("curve --task ner --rates 0.1 1.5 plan.toml").sentence


@pytest.mark.parametrize(
    ("arguments", "content", "message"),
    [
        ([], None, "0 arguments, expected one: "),
        (["a", "b"], None, "2 arguments, expected one: "),
        (["none.onnx"], None, "none.onnx: no such file, expected a graph that 'polytag export' wrote"),
        (["m.onnx"], b"text", "m.onnx: cannot be read as a graph, expected one that 'polytag export' wrote"),
    ],
)
def test_the_example_of_onnx_says_what_is_wrong(tmp_path, arguments, content, message):
    pytest.importorskip("onnxruntime", reason="the example runs a graph")
    if content is not None:
        (tmp_path / "m.onnx").write_bytes(content)
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), *arguments],
        cwd=tmp_path, input=b"", capture_output=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.decode().startswith(message)
    assert len(done.stderr.decode().splitlines()) == 1
