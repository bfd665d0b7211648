"""Refit: when dev has chosen the epoch, train and dev together, as a plan that names both as training files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytag.corpus import read
from polytag.errors import ModelError, PlanError, PolytagError
from polytag.files import atomic_write
from polytag.model import load_model
from polytag.model.model import Model
from polytag.plan import Plan
from polytag.tagger.calibration import calibrate
from polytag.training import Evaluation, Note, Step, Trained, train, train_events
from polytag.training.resume import first_pass
from tests.training import toy
from tests.training.test_resume import content, run

SETTINGS = {
    "optimizer": "adam", "final_learning_rate": 1e-4, "average": 0.5, "learning_rate": 0.02, "epochs": 4, "seed": 1,
}  # fmt: skip


def tables(corpora: Path, **training: Any) -> dict[str, Any]:
    made = toy.tables("ner", "xx", search=corpora, features=True, **{**SETTINGS, **training})
    made["words"]["en"] |= {"dropout": 0.3, "unknown": 0.5}
    return made


@pytest.fixture(scope="module")
def refitted(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    plan = toy.make_plan(tables(corpora, refit=True))
    output = tmp_path_factory.mktemp("refit") / "model"
    train(plan, output=output)
    return plan, output


def report_of(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "report.json").read_text())
    return found


def assert_same(one: Model, other: Model) -> None:
    assert one.vocabularies == other.vocabularies
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)


def test_it_is_the_model_of_a_plan_that_trains_on_dev_files(corpora: Path, refitted: tuple[Plan, Path]) -> None:
    """Bit for bit, vocabularies included, of as many epochs as dev has chosen without the refit."""
    chosen = train_report(tables(corpora))
    epochs = chosen["best_epoch"]
    assert 1 < epochs < 4
    together = tables(corpora, epochs=epochs)
    for task in together["tasks"].values():
        task["train"] = [task["train"], task.pop("dev")]
    model = load_model(refitted[1])
    assert_same(model, train(together).model)
    assert not np.array_equal(
        next(iter(model.arrays.values())), next(iter(train(tables(corpora)).model.arrays.values()))
    )
    assert model.plan.training.refit
    assert model.plan.tasks["ner"].dev == ("en.dev",)


def train_report(plan: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The report of a training in memory."""
    (last,) = [event for event in train_events(plan, **options) if isinstance(event, Trained)]
    return dict(last.report)


def test_dev_scores_and_temperatures_are_those_of_the_first_pass(corpora: Path, refitted: tuple[Plan, Path]) -> None:
    first, report = train_report(tables(corpora)), report_of(refitted[1])
    for task in ("ner", "xx"):
        assert report["scores"][task]["dev"] == first["scores"][task]["dev"]
    assert report["first_pass"] == {"scores": first["scores"]}
    assert (report["best_epoch"], report["epochs"]) == (first["best_epoch"], first["epochs"])
    assert report["calibration"] == first["calibration"]
    fitted = {task: found["temperature"] for task, found in first["calibration"].items()}
    assert load_model(refitted[1]).temperatures == fitted
    assert {"ner", "xx"} == set(fitted)
    lines = [json.loads(line) for line in (refitted[1] / "metrics.jsonl").read_text().splitlines()]
    told = [(line["epoch"], line["epochs"], line.get("refit", False)) for line in lines]
    epochs = first["best_epoch"]
    assert told == [(n, 4, False) for n in range(1, 5)] + [(n, epochs, True) for n in range(1, epochs + 1)]
    assert all(bool(line["dev"]) != line.get("refit", False) for line in lines)


def test_test_scores_are_those_of_the_refitted_model(refitted: tuple[Plan, Path]) -> None:
    from polytag import evaluate
    from polytag.scoring import as_dict

    counts = evaluate(refitted[1])["ner"]
    assert report_of(refitted[1])["scores"]["ner"]["test"] == as_dict(counts)


def test_in_memory_it_is_the_same(refitted: tuple[Plan, Path]) -> None:
    plan, output = refitted
    events = list(train_events(plan))
    (trained,) = [event for event in events if isinstance(event, Trained)]
    assert_same(trained.model, load_model(output))
    assert trained.model.temperatures == load_model(output).temperatures
    assert trained.report["scores"] == report_of(output)["scores"]
    notes = [event.text for event in events if isinstance(event, Note)]
    (said,) = [note for note in notes if note.startswith("refit: ")]
    assert f", {trained.report['best_epoch']} epochs, as dev has chosen" in said
    epochs = [event.epoch for event in events if isinstance(event, Evaluation)]
    assert epochs == [1, 2, 3, 4, *range(1, trained.report["best_epoch"] + 1)]


def test_what_was_held_out_stands_where_it_stood(corpora: Path) -> None:
    held = toy.tables("pos", search=corpora, **SETTINGS)
    del held["tasks"]["pos"]["dev"]
    whole = {**held, "training": dict(held["training"])}
    held = {**held, "tasks": {"pos": {**held["tasks"]["pos"], "holdout": 0.3}}}
    held["training"] = {**held["training"], "refit": True}
    (last,) = [event for event in train_events(held) if isinstance(event, Trained)]
    whole["training"]["epochs"] = last.report["best_epoch"]
    assert_same(last.model, train(whole).model)


def test_sentences_of_a_program_are_put_together_too(corpora: Path) -> None:
    """Training sentences of files, development sentences of a program."""
    made, dev = toy.tables("ner", search=corpora, **SETTINGS), list(read(corpora / "en.dev", tags={"ner": 2}))
    del made["tasks"]["ner"]["dev"]
    from_files = train(toy.tables("ner", search=corpora, **SETTINGS, refit=True)).model
    made["training"]["refit"] = True
    assert_same(train(made, corpora={"ner": {"dev": dev}}).model, from_files)


@pytest.mark.parametrize("stop", [11, 44, 45, 60])  # the first pass has 44 events
def test_killed_in_either_pass_it_ends_the_same(refitted: tuple[Plan, Path], tmp_path: Path, stop: int) -> None:
    plan, expected = refitted
    output = tmp_path / "model"
    run(plan, output, events=stop)
    assert not (output / "weights.safetensors").exists() or stop > 44
    with pytest.raises(ModelError, match="holds a training already; continue it with --resume"):
        train(plan, output=output)
    seen = run(plan, output)
    assert sum(isinstance(event, Note) and event.text.startswith("refit: ") for event in seen) == 1
    assert content(output) == content(expected)


def test_no_event_is_seen_twice(refitted: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, output = refitted[0], tmp_path / "model"
    counted = [event for event in run(plan, output, events=50) if isinstance(event, Step | Evaluation)]
    assert len(counted) == 50
    later = [event for event in run(plan, output) if isinstance(event, Step | Evaluation)]
    both = [event for event in train_events(plan) if isinstance(event, Step | Evaluation)]
    assert len(later) == len(both) - 50


def test_a_refit_resumes_as_it_began(corpora: Path, tmp_path: Path) -> None:
    with_it, without = toy.make_plan(tables(corpora, refit=True)), toy.make_plan(tables(corpora))
    run(with_it, tmp_path / "a", events=3)
    with pytest.raises(ModelError, match=r"cannot resume: training\.refit was true when it began, now it is false"):
        run(without, tmp_path / "a")
    run(without, tmp_path / "b", events=3)
    with pytest.raises(ModelError, match=r"cannot resume: training\.refit was false when it began, now it is true"):
        run(with_it, tmp_path / "b")
    other = toy.make_plan(tables(corpora, refit=True, learning_rate=0.03))
    with pytest.raises(ModelError, match=r"cannot resume: plan\.training\.learning_rate was 0\.02 when"):
        run(other, tmp_path / "a")
    run(with_it, tmp_path / "a", events=41)  # to the end of the first pass
    run(with_it, tmp_path / "a", events=1)
    with pytest.raises(ModelError, match=r"plan\.training\.learning_rate was 0\.02 in its first pass, now it is 0\.03"):
        run(other, tmp_path / "a")


def test_a_first_pass_that_is_over_does_not_go_on(corpora: Path, tmp_path: Path) -> None:
    """Without decay an unfinished training may be given more epochs; dev has chosen from those of the first pass."""
    made = {"refit": True, "final_learning_rate": "none", "average": "none"}
    plan = toy.make_plan(tables(corpora, **made, epochs=1))
    run(plan, tmp_path / "model", events=12)  # one into the second pass
    with pytest.raises(ModelError, match=r"plan\.training\.epochs was 1 in its first pass, now it is 3"):
        run(toy.make_plan(tables(corpora, **made, epochs=3)), tmp_path / "model")
    seen = run(plan, tmp_path / "model")
    (said,) = [event.text for event in seen if isinstance(event, Note) and event.text.startswith("refit: ")]
    assert ", 1 epoch, as dev has chosen" in said


def test_a_mistake_leaves_nothing(corpora: Path, tmp_path: Path) -> None:
    made = tables(corpora, refit=True)
    made["tasks"]["ner"]["train"] = "nowhere"
    with pytest.raises(PlanError, match="there is no 'nowhere'"):
        train(made, output=tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


SENSELESS = {
    "no dev": ({"dev": "none"}, {}, "training.refit trains on dev sentences too, expected dev files or a holdout"),
    "weights of tasks": ({}, {"best_per_task": True}, "expected no training.best_per_task beside it"),
    "a labeling rate": ({"rate": 0.5}, {}, "tasks.ner.rate is 0.5, expected 1 where training.refit trains on all dev"),
}  # fmt: skip


@pytest.mark.parametrize(("task", "training", "message"), SENSELESS.values(), ids=SENSELESS)
def test_what_makes_no_sense_is_refused(
    corpora: Path, task: dict[str, Any], training: dict[str, Any], message: str
) -> None:
    made = toy.tables("ner", search=corpora, refit=True, **training)
    made["tasks"]["ner"] |= task
    with pytest.raises(PlanError, match=message):
        toy.make_plan(made)


def test_tasks_that_are_left_need_dev_sentences(corpora: Path) -> None:
    made = tables(corpora, refit=True)
    del made["tasks"]["xx"]["dev"]
    plan = toy.make_plan(made)
    with pytest.raises(PlanError, match="expected dev files or a holdout"):
        next(train_events(plan.only(["xx"])))


def test_dev_files_are_no_ground_to_calibrate_on(refitted: tuple[Plan, Path], corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match=r"was refit on its dev files too \(training\.refit\), expected a file"):
        calibrate(refitted[1])
    for file in ("en.dev", "en.train"):
        with pytest.raises(PolytagError, match=rf"{file}: the model was trained on it, expected a file that nobody"):
            calibrate(refitted[1], tasks=["ner"], data_file=corpora / file)
    copy = tmp_path / "copy"
    for path in refitted[1].rglob("*"):
        if path.is_file():
            (copy / path.relative_to(refitted[1])).parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(copy / path.relative_to(refitted[1]), "wb") as file:
                file.write(path.read_bytes())
    assert calibrate(copy, tasks=["ner"], data_file=corpora / "en.test")["ner"].temperature > 0


def test_the_first_pass_leaves_nothing_behind(refitted: tuple[Plan, Path]) -> None:
    assert not first_pass(refitted[1]).exists()
    assert not (refitted[1] / "resume").exists()
    assert not (refitted[1] / ".lock").exists()
