"""report.json: the scores, and all that is needed to make them again."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from polytag import load
from polytag.training import prepare, train_events
from tests.training import toy


@pytest.fixture(scope="module")
def model(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("report") / "model"
    plan = toy.plan(corpora, "ner", "pos", epochs=2, seed=7)
    for _ in train_events(plan, output=output, command="polytag train 'a plan.toml' -o model"):
        pass
    return output


@pytest.fixture(scope="module")
def report(model: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((model / "report.json").read_text(encoding="utf-8"))
    return found


def test_it_holds_the_scores_of_the_saved_weights(model: Path, report: dict[str, Any], corpora: Path) -> None:
    tagger, sentences = load(model), prepare(toy.plan(corpora, "ner", "pos")).sentences
    assert {task: sorted(splits) for task, splits in report["scores"].items()} == {
        "ner": ["dev", "test"],
        "pos": ["dev"],
    }
    for task, splits in report["scores"].items():
        for split, numbers in splits.items():
            assert numbers["score"] == tagger.evaluate(sentences[task][split], task).score
    assert report["scores"]["ner"]["dev"]["metric"] == "f1"
    assert report["scores"]["pos"]["dev"]["metric"] == "accuracy"


def test_it_holds_what_is_needed_to_make_them_again(report: dict[str, Any], corpora: Path) -> None:
    assert report["seed"] == 7
    assert report["recipe"] == "paper"
    assert report["command"] == "polytag train 'a plan.toml' -o model"
    assert report["epochs"] == 2
    assert report["best_epoch"] in (1, 2)
    assert report["data"] == prepare(toy.plan(corpora, "ner", "pos")).checksums
    assert report["versions"]["torch"] == version("torch")
    assert {"polytag", "numpy", "safetensors", "python"} <= set(report["versions"])
    assert {"processor", "cores", "threads", "system"} == set(report["machine"])
    assert report["machine"]["threads"] == 1
    assert any(note.startswith("ner: tag scheme IOB2") for note in report["notes"])


def test_the_directory_holds_the_model_and_nothing_else(model: Path) -> None:
    assert {str(path.relative_to(model)) for path in model.rglob("*") if path.is_file()} == {
        "plan.toml", "weights.safetensors", "metrics.jsonl", "report.json", "vocabulary/chars.all.json",
        "calibration.json", "curves.svg", "vocabulary/words.en.json", "vocabulary/tags.ner.json",
        "vocabulary/tags.pos.json",
    }  # fmt: skip
