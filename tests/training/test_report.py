"""report.json: the scores, and all that is needed to make them again."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from polytag import load
from polytag.model import load_model
from polytag.reports.card import card, write_card
from polytag.training import prepare, train_events
from tests.training import toy

LOOKS_AT_CURVES = True


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
        "calibration.json", "curves.svg", "README.md", "vocabulary/words.en.json", "vocabulary/tags.ner.json",
        "vocabulary/tags.pos.json",
    }  # fmt: skip


def test_it_says_what_was_trained_on(report: dict[str, Any], corpora: Path) -> None:
    sentences = prepare(toy.plan(corpora, "ner", "pos")).sentences["ner"]["train"]
    told = report["corpora"]["ner"]["train"]
    assert told["sentences"] == len(sentences)
    assert told["words"] == sum(map(len, sentences))
    assert told["spans"] == sum(len(sentence.spans("ner")) for sentence in sentences)
    assert sum(of["count"] for of in report["labels"]["ner"].values()) == told["spans"]
    assert sum(of["count"] for of in report["labels"]["pos"].values()) == report["corpora"]["pos"]["train"]["words"]
    assert "spans" not in report["corpora"]["pos"]["train"]
    bearers = {span.text for sentence in sentences for span in sentence.spans("ner") if span.type == "PER"}
    examples = report["labels"]["ner"]["PER"]["examples"]
    assert 1 <= len(examples) <= 3
    assert set(examples) <= bearers


def test_scores_lie_in_their_intervals(report: dict[str, Any]) -> None:
    for task, splits in report["scores"].items():
        for split, numbers in splits.items():
            low, high = report["intervals"][task][split]
            assert 0 <= low <= numbers["score"] <= high <= 100
            assert high - low < 100


def test_the_card_tells_it_to_people(model: Path, report: dict[str, Any]) -> None:
    text = (model / "README.md").read_text(encoding="utf-8")
    score = report["scores"]["ner"]["test"]["score"]
    low, high = report["intervals"]["ner"]["test"]
    assert f"| ner | test | f1 | {score:.2f} | {low:.2f} to {high:.2f} |" in text
    count = report["labels"]["ner"]["LOC"]["count"]
    assert f"| ner | LOC | {count:,} | {', '.join(report['labels']['ner']['LOC']['examples'])} |" in text
    assert text.endswith(f"{(model / 'plan.toml').read_text(encoding='utf-8').strip()}\n```\n")
    assert str(model) not in text
    assert re.search(r"\* Trained for \d+ epochs in \d+ s on cpu \(.+, \d+ threads?\), recipe paper\.\n", text)
    timed = {**report, "scores": {"ner": {"dev": {**report["scores"]["ner"]["dev"], "tokens": 5_432}}}}
    told = card(load_model(model), {**timed, "scoring_seconds": 2.0}, plan="")
    assert "Then tagged dev and test files at about 2,700 words/s, on the same machine." in told
    assert text == card(load_model(model), report, plan=(model / "plan.toml").read_text(encoding="utf-8"))


def test_what_the_corpus_holds_is_no_markdown(model: Path, report: dict[str, Any]) -> None:
    odd = {**report, "labels": {"ner": {"a|b": {"count": 1, "examples": ["<script>", "*x*\n|"]}}}}
    text = card(load_model(model), odd, plan="")
    assert "<script>" not in text
    assert "| ner | a&#124;b | 1 | &#60;script&#62;, &#42;x&#42; &#124; |" in text


def test_a_readme_of_somebody_s_own_stays(model: Path, report: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("", encoding="utf-8")
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    write_card(tmp_path, load_model(model), report)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine"
    (tmp_path / "README.md").unlink()
    for _ in range(2):
        write_card(tmp_path, load_model(model), report)
        assert "library_name: polytag" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_licences_are_those_of_what_was_fetched(tmp_path: Path) -> None:
    from polytag.training.trained_on import _licence

    record = 'version = 1\n[datasets.toy]\nlicence = "CC BY 4.0"\nlicence_url = "https://x"\ntargets = {"toy/a" = "0"}'
    (tmp_path / "downloads.lock.toml").write_text(record, encoding="utf-8")
    assert _licence(tmp_path / "toy" / "a") == "toy: CC BY 4.0 (https://x)"
    assert _licence(tmp_path / "toy" / "a" / "part") == "toy: CC BY 4.0 (https://x)"
    assert _licence(tmp_path / "toy" / "ab") == ""
