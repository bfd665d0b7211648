"""Real trainings, tiny ones: a curve is drawn, added to, and refused where it cannot be."""

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from polytag.curves import Curve, curve
from polytag.curves.runs import Arm, Question, training
from polytag.errors import PlanError, PolytagError
from tests.cli.conftest import run as run_command
from tests.training import toy

PLAN = """
[chars.all]
dimension = 4
hidden = 4
layers = 1
[words.en]
dimension = 5
hidden = 6
layers = 1
[words.xx]
dimension = 5
hidden = 6
layers = 1
[tasks.ner]
chars = "all"
words = "en"
train = "en.train"
dev = "en.dev"
test = "en.test"
columns = { tag = 2 }
[tasks.xx]
chars = "all"
words = "xx"
train = "xx.train"
columns = { tag = 2 }
[training]
threads = 1
batch_sentences = 4
epochs = 1
"""


pytestmark = pytest.mark.usefixtures("quick_start")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a plan and its files."""
    folder = toy.write_all(tmp_path_factory.mktemp("curve"))
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def measured(place: Path) -> tuple[Curve, list[str]]:
    said: list[str] = []
    found = curve(place / "plan.toml", task="ner", rates=[1.0, 0.5], partners=["xx"], seeds=1, output=place / "out",
                  say=said.append)  # fmt: skip
    return found, said


def test_every_training_is_in_the_table(place: Path, measured: tuple[Curve, list[str]]) -> None:
    found, said = measured
    assert [(str(r.run), r.sentences) for r in found.results] == [
        ("alone, rate 0.5, seed 1", 8), ("with, rate 0.5, seed 1", 8),
        ("alone, rate 1, seed 1", 17), ("with, rate 1, seed 1", 17),
    ]  # fmt: skip
    assert len(said) == 8
    with (place / "out" / "curve.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["score"]) for row in rows] == pytest.approx([r.score for r in found.results], abs=1e-4)
    assert {row["split"] for row in rows} == {"dev"}
    page = found.page.read_text(encoding="utf-8")
    assert found.answer in page
    assert found.forecast in page
    assert found.forecast.startswith("What more annotation would bring cannot be told from 2 amounts of it")
    assert found.table in page
    assert found.table.count("\n") == 3
    ET.fromstring(found.plot.read_text(encoding="utf-8"))


def test_what_is_trained_is_skipped_and_seeds_can_be_added(place: Path, measured: tuple[Curve, list[str]]) -> None:
    said: list[str] = []
    again = curve(place / "plan.toml", task="ner", rates=[0.5], partners=["xx"], seeds=2, output=place / "out",
                  jobs=2, say=said.append)  # fmt: skip
    assert said[0] == "2 of 4 trainings are done already"
    assert [r.score for r in again.results][:2] == [r.score for r in measured[0].results][:2]
    assert {r.run.seed for r in again.results} == {1, 2}


def test_another_plan_is_refused(place: Path, measured: tuple[Curve, list[str]]) -> None:
    with pytest.raises(
        PlanError, match=r"plan\.toml: training\.epochs was 1 for the trainings here, now it is 2; name ano"
    ):
        curve(place / "plan.toml", task="ner", rates=[0.5], partners=["xx"], seeds=1, output=place / "out",
              settings=["training.epochs=2"])  # fmt: skip


def test_both_ways_to_train_get_the_same_sentences_and_keep_the_best_epoch_for_the_task(place: Path) -> None:
    question = Question(place / "plan.toml", "ner", ["xx"], [0.5], [1], "dev", place / "none")
    plan = question.check()
    one, other = (training(Arm(arm, 0.5, 3), question, plan) for arm in question.arms)
    expected = ["tasks.ner.rate=0.5", "tasks.ner.rate_seed=15", "training.select=ner", "training.seed=3"]
    assert one.settings == other.settings == expected
    assert (one.tasks, other.tasks) == (["ner"], ["ner", "xx"])
    with_refit = plan.model_copy(update={"training": plan.training.model_copy(update={"refit": True})})
    assert "training.refit=false" in training(Arm("alone", 0.5, 3), question, with_refit).settings


def test_a_training_that_fails_is_told_in_one_sentence(place: Path) -> None:
    with pytest.raises(PolytagError, match=r"alone, rate 1, seed 1: the training failed: .*there is no 'absent'"):
        curve(place / "plan.toml", task="ner", rates=[1.0], seeds=1, output=place / "failed",
              settings=["words.en.vectors=absent"])  # fmt: skip


def test_three_rates_foretell_what_more_annotation_brings(place: Path, measured: tuple[Curve, list[str]]) -> None:
    found = curve(place / "plan.toml", task="ner", rates=[0.5, 0.75, 1.0], partners=["xx"], seeds=1, more=[100, 5],
                  output=place / "out")  # fmt: skip
    assert found.forecast.startswith("100 more sentences (117 instead of 17): about ")
    assert "; 5 more sentences (22 instead of 17): about " in found.forecast
    assert found.forecast in found.page.read_text(encoding="utf-8")
    said = json.loads((place / "out" / "forecast.json").read_text(encoding="utf-8"))
    assert (said["task"], said["split"], said["metric"], said["text"]) == ("ner", "dev", "f1", found.forecast)
    assert [(one["sentences"], one["more"], one["low"]) for one in said["forecasts"]] == [
        (17, 100, None),
        (17, 5, None),
    ]
    assert f"about {said['forecasts'][0]['gain']:+.1f} F1" in found.forecast


WRONG = {
    "plan.toml --task ner --rates 0.5 1 --more 50": (1, "found 2 rates, expected at least 3 to say what more"),
    "plan.toml --task ner --more 0": (2, "0 is not in the range"),
    "plan.toml --task nerr": (1, "there is no task 'nerr' in the plan; did you mean 'ner'?"),
    "plan.toml --task ner --partner yy": (1, "there is no task 'yy' in the plan"),
    "plan.toml --task ner --partner ner": (1, "'ner' cannot be its own partner"),
    "plan.toml --task xx": (1, "tasks.xx has no dev files to score on"),
    "absent.toml --task ner": (1, "the plan cannot be read"),
    "plan.toml --task ner --rates 2": (2, "2 is not above 0 and at most 1"),
    "plan.toml --task ner --rates much": (2, "'much' is no share"),
    "plan.toml": (2, "missing option '--task'"),
}


@pytest.mark.parametrize(("command", "expected"), WRONG.items(), ids=WRONG.keys())
def test_what_is_wrong_is_told_before_any_training(
    place: Path, monkeypatch: pytest.MonkeyPatch, command: str, expected: tuple[int, str]
) -> None:
    monkeypatch.chdir(place)
    done = run_command(f"curve {command}")
    assert done.code == expected[0]
    assert expected[1] in done.sentence
    assert not (place / "curve-ner").exists()


def test_the_command_takes_several_rates_after_one_option(
    place: Path, measured: tuple[Curve, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    done = run_command("curve plan.toml --task ner --rates 0.5 1 --partner xx --seeds 1 -o out")
    assert done.code == 0, done.err
    assert done.out.startswith(measured[0].table)
    assert f"{measured[0].answer}\n{measured[0].forecast}\n" in done.out
    assert "4 of 4 trainings are done already" in done.err
