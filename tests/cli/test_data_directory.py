"""Commands that take corpora find them as given, or else in the data directory."""

import shutil
from pathlib import Path

import pytest

from polytag.corpus.lookup import find_file
from polytag.errors import CorpusError
from polytag.plan_file import load_plan
from tests.cli.conftest import run


@pytest.fixture
def elsewhere(workplace, tmp_path_factory) -> Path:
    """A data directory with the corpora in news/; the working directory has none of them."""
    data = tmp_path_factory.mktemp("data")
    (data / "news").mkdir()
    for path in workplace.glob("*.conll"):
        shutil.move(path, data / "news" / path.name)
    (workplace / "plan.toml").unlink()
    return data


@pytest.mark.parametrize(
    "command",
    [
        "data check news/test.conll",
        "data convert news/test.conll out.jsonl --tag ner=2",
        "tag {model} news/test.conll",
        "suggest {model} news/test.conll --task ner -n 2",
        "evaluate {model} --task ner --data-file news/test.conll",
        "compare {model} {model} --task ner --data-file news/test.conll --limit 0",
        "init --train news/train.conll --dev news/dev.conll --test news/test.conll",
    ],
)
def test_files_are_found_below_it(elsewhere, trained, monkeypatch, command):
    command = command.format(model=trained)
    done = run(f"{command} --data {elsewhere}")
    assert done.code == 0, done.err
    Path("plan.toml").unlink(missing_ok=True)
    monkeypatch.setenv("POLYTAG_DATA", str(elsewhere))
    assert run(command).code == 0
    Path("plan.toml").unlink(missing_ok=True)
    done = run(command.replace("news/t", "news/x"))
    assert done.code == 1
    assert f"no such file, nor is there one in {elsewhere}" in done.sentence


def test_calibrate_finds_its_file_there(elsewhere, model):
    done = run(f"calibrate {model} --task ner --data-file news/dev.conll --data {elsewhere}")
    assert done.code == 0, done.err


def test_what_is_there_as_given_wins(elsewhere, workplace):
    Path("news").mkdir()
    Path("news/test.conll").write_text("Lima O\n")
    done = run(f"data check news/test.conll --data {elsewhere}")
    assert done.out.startswith("news/test.conll: conll, ascii\n  1 sentence, 1 token")


def test_a_plan_names_what_is_below_it_as_it_was_given(elsewhere):
    done = run(f"init --train news/train.conll --tag ner=2 --tag pos=1 -o plan.toml --data {elsewhere}")
    assert f"train plan.toml -o model --data {elsewhere}" in done.out
    plan = load_plan("plan.toml", data=elsewhere)
    assert {name: (task.train, task.columns.tag) for name, task in plan.tasks.items()} == {
        "ner": (("news/train.conll",), 2), "pos": (("news/train.conll",), 1),
    }  # fmt: skip
    assert plan.find("news/train.conll", "train") == elsewhere / "news/train.conll"


def test_a_file_that_a_plan_would_find_instead_is_named_in_full(elsewhere, workplace):
    Path("plans/news").mkdir(parents=True)
    Path("plans/news/train.conll").write_text("other O\n")
    assert run(f"init --train news/train.conll -o plans/a.toml --data {elsewhere}").code == 0
    task = load_plan("plans/a.toml", data=elsewhere).tasks["ner"]
    assert task.train == (str(elsewhere / "news/train.conll"),)


def test_sections_of_a_treebank_are_kept(tmp_path):
    (tmp_path / "wsj").mkdir()
    assert find_file("wsj#sections=0-18", tmp_path) == tmp_path / "wsj#sections=0-18"
    assert find_file("none", None) == Path("none")
    assert find_file("/none/x", tmp_path) == Path("/none/x")
    with pytest.raises(CorpusError, match="wsk#sections=0: no such file, nor is there one in"):
        find_file("wsk#sections=0", tmp_path)
