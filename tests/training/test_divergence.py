"""A training whose numbers run away stops with one sentence and keeps what was good; no such model is read or used."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from polytag.errors import ModelError, PolytagError
from polytag.model import Model, load_model, save_model
from polytag.plan import Plan
from polytag.tagger.tagging import Tagger
from polytag.training import Step, train_events
from polytag.training.resume import state_file
from polytag.training.torch_network import load_tensors
from tests import tiny
from tests.cli.conftest import fill, run
from tests.model.models import make_model
from tests.training import toy
from tests.training.test_loop import trainer_of


def all_events(plan: Plan, output: Path) -> list[object]:
    return list(train_events(plan, output=output))


@pytest.mark.parametrize("task", ["ner", "pos"])
def test_the_sentence_names_step_task_and_rate(corpora: Path, tmp_path: Path, task: str) -> None:
    trainer = trainer_of(corpora, tmp_path, task, epochs=9, learning_rate=1e30)
    with pytest.raises(PolytagError, match=rf"at step \d, with a learning rate of 1e\+30: the loss of '{task}' is nan"):
        list(trainer.events())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number_is_never_saved(corpora: Path, tmp_path: Path, value: float) -> None:
    plan = toy.plan(corpora, "ner", learning_rate=1e-3)
    events = train_events(plan, output=tmp_path / "m", save_seconds=0)
    step = next(event for event in events if isinstance(event, Step))
    events.close()
    trainer = trainer_of(corpora, tmp_path / "m", "ner")
    with torch.no_grad():
        trainer.network.get_parameter("tags.ner.projection")[0, 0] = value
    with pytest.raises(PolytagError, match=r"at step 0, .*: a value of tags.ner.projection is not finite"):
        trainer.check_weights()
    assert step.step == 1
    kept, _ = load_tensors(state_file(tmp_path / "m"), expected="polytag-resume")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept.values())


def test_the_last_good_state_stays(corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match="the training diverged at step"):
        all_events(toy.plan(corpora, "ner", "pos", epochs=9, learning_rate=1e30), tmp_path / "m")
    kept, _ = load_tensors(state_file(tmp_path / "m"), expected="polytag-resume")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept.values())
    assert not list((tmp_path / "m").rglob("*.partial"))
    assert not (tmp_path / "m" / "report.json").exists()


def test_scores_that_overflow_end_the_epoch_also_without_development_data(corpora: Path, tmp_path: Path) -> None:
    trainer = trainer_of(corpora, tmp_path, "ner")
    trainer.prepared.sentences["ner"]["dev"] = []
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in trainer.network.named_parameters():
            weight.normal_(0, 1e38 if name.endswith("projection") else 9, generator=draw)
    with pytest.raises(PolytagError, match=r"at step \d+, with .*: tags\.ner: scores are not finite"):
        trainer._finish_epoch()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("packed", [None, "float32", "float16", "int8"])
def test_a_model_with_a_weight_that_is_no_number_is_refused(tmp_path: Path, value: float, packed: str | None) -> None:
    model = make_model()
    name = "tags.ner.projection"
    bad = model.arrays[name].copy()
    bad[0, 0] = value
    broken = Model(model.plan, model.vocabularies, {**model.arrays, name: bad})
    save_model(broken, tmp_path / "m")
    with pytest.raises(ModelError, match=f"{name} holds values that are not finite"):
        load_model(tmp_path / "m")
    if packed:
        from polytag.model.packed import save_packed

        save_packed(tmp_path / "p", broken, precision=packed)
        with pytest.raises(ModelError, match=f"{name} holds values that are not finite"):
            load_model(tmp_path / "p")


def test_a_tagger_whose_scores_overflow_says_so_at_every_door() -> None:
    made = tiny.model({"ner": "iob2"})
    huge = made.arrays["tags.ner.projection"] * np.float32(1e38)
    tagger = Tagger(Model(made.plan, made.vocabularies, {**made.arrays, "tags.ner.projection": huge}))
    for options in ({}, {"confidence": True}, {"nbest": 3}):
        with pytest.raises(ModelError, match=r"tags\.ner: scores are not finite"):
            tagger.tag(["Ann", "saw", "Lima"], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("temperature", ["1" + "0" * 400, "1e999", "NaN", "-1", "0", '"2"', "null"])
def test_temperatures_that_are_none(tmp_path: Path, temperature: str) -> None:
    save_model(tiny.model({"ner": "iob2"}, temperatures={"ner": 2.5}), tmp_path)
    path = tmp_path / "calibration.json"
    path.write_text(path.read_text(encoding="utf-8").replace("2.5", temperature), encoding="utf-8")
    with pytest.raises(ModelError, match=r"calibration\.json: damaged, expected a checksum and temperatures above 0"):
        load_model(tmp_path)


def test_the_command_ends_with_a_sentence(tmp_path: Path) -> None:
    fill(tmp_path)
    values = ("learning_rate=1e30", "epochs=9", "batch_sentences=100")  # the first epoch ends well
    settings = [text for value in values for text in ("--set", f"training.{value}")]
    done = run(["train", tmp_path / "plan.toml", "-o", tmp_path / "out", "-q", *settings])
    assert done.code == 1
    assert "at step" in done.sentence
    assert "lower training.learning_rate" in done.sentence
    for line in (tmp_path / "out" / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
