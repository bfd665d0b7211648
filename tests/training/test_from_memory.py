"""Training on sentences that a program has: the same weights as from files, with a directory or without."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytag import Tagger, load, train
from polytag.corpus import read
from polytag.errors import CorpusError, ModelError, PlanError, PolytagError
from polytag.model import Model
from polytag.plan import Plan
from polytag.plan_file import load_plan
from polytag.training import Evaluation, Note, Step, Trained, prepare, train_events
from tests.training import toy

TASKS = {"ner": 2, "xx": 2}


def tables(*tasks: str, **training: Any) -> dict[str, Any]:
    """The toy plan without files."""
    found = toy.tables(*tasks, **training)
    for settings in found["tasks"].values():
        for key in ("train", "dev", "test", "columns"):
            settings.pop(key, None)
    return found


def corpora_of(directory: Path, *tasks: str, splits: tuple[str, ...] = ("train", "dev", "test")) -> dict[str, Any]:
    """The same sentences as in the files, as lists."""
    return {
        task: {
            split: [(list(s.words), list(s.tags[task])) for s in read(directory / name, tags={task: TASKS[task]})]
            for split in splits
            if (name := toy.TASKS[task].get(split))
        }
        for task in tasks
    }


def assert_same(model: Model, other: Model) -> None:
    assert model.arrays.keys() == other.arrays.keys()
    assert all(np.array_equal(model.arrays[name], other.arrays[name]) for name in model.arrays)
    assert model.temperatures == other.temperatures


def test_it_is_the_training_from_files(corpora: Path, tmp_path: Path) -> None:
    of_files = train(toy.plan(corpora, "ner", "xx", optimizer="adam"), output=tmp_path / "files")
    given = corpora_of(corpora, "ner", "xx")
    in_memory = train(tables("ner", "xx", optimizer="adam"), corpora=given)
    in_directory = train(tables("ner", "xx", optimizer="adam"), corpora=given, output=tmp_path / "memory")
    assert_same(of_files.model, in_memory.model)
    assert_same(of_files.model, in_directory.model)
    assert_same(of_files.model, load(tmp_path / "memory").model)
    reports = [json.loads((tmp_path / name / "report.json").read_text()) for name in ("files", "memory")]
    assert reports[0]["scores"] == reports[1]["scores"]
    assert set(reports[1]["data"]) == {
        f"<memory>.{name}" for name in ("ner.train", "ner.dev", "ner.test", "xx.train", "xx.dev")
    }
    assert in_memory.plan.tasks["ner"].train == ("<memory>",)


def test_nothing_is_written_without_a_directory(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    events = list(train_events(tables("ner"), corpora=corpora_of(corpora, "ner")))
    assert list(tmp_path.iterdir()) == []
    kinds = [type(event) for event in events if not isinstance(event, Note)]
    assert kinds == [*[Step] * 5, Evaluation] * 2 + [Trained]
    trained = events[-1]
    assert isinstance(trained, Trained)
    evaluations = [event for event in events if isinstance(event, Evaluation)]
    best = next(event for event in evaluations if event.epoch == trained.report["best_epoch"])
    assert trained.report["scores"]["ner"]["dev"]["score"] == best.dev["ner"]
    assert "test" in trained.report["scores"]["ner"]


def test_a_directory_too_ends_with_the_model(corpora: Path, tmp_path: Path) -> None:
    plan = toy.plan(corpora, "ner", epochs=1)
    for resume in (False, True):  # the second time there is nothing left to train
        *_, last = train_events(plan, output=tmp_path / "model", resume=resume)
        assert isinstance(last, Trained)
        assert_same(last.model, load(tmp_path / "model").model)
        assert last.report["scores"] == json.loads((tmp_path / "model" / "report.json").read_text())["scores"]


@pytest.mark.parametrize("name", ["model", "model.polytag"])
def test_a_tagger_is_saved_later(corpora: Path, tmp_path: Path, name: str) -> None:
    tagger = train(tables("ner"), corpora=corpora_of(corpora, "ner"))
    tagger.save(tmp_path / name)
    again = load(tmp_path / name)
    for sentence in toy.sentences(9, seed=2):
        assert again.tag(sentence.words, confidence=True) == tagger.tag(sentence.words, confidence=True)
    assert again.model.temperatures == tagger.model.temperatures != {}
    if name == "model":
        with pytest.raises(ModelError, match="is there already, expected a name for a new directory"):
            tagger.save(tmp_path / name)
        with pytest.raises(ModelError, match=r"plan\.toml: is there already"):
            tagger.save(tmp_path / name / "plan.toml")
        with pytest.raises(PolytagError, match="cannot be written"):
            tagger.save(tmp_path / name / "plan.toml" / "below")


def test_half_a_model_is_not_left_behind(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = train(tables("ner", epochs=1), corpora=corpora_of(corpora, "ner"))

    def fails(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("polytag.model.checkpoint.save_weights", fails)
    with pytest.raises(PolytagError, match="cannot be written: No space left on device"):
        tagger.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_files_and_memory_go_together(corpora: Path, tmp_path: Path) -> None:
    """What is given takes the place of the plan's files, and the others are read."""
    plan = toy.plan(corpora, "ner", epochs=1)
    given = corpora_of(corpora, "ner", splits=("train",))
    *_, last = train_events(plan, corpora=given)
    assert isinstance(last, Trained)
    assert_same(last.model, train(plan, output=tmp_path / "model").model)
    task = last.model.plan.tasks["ner"]
    assert (task.train, task.dev) == (("<memory>",), ("en.dev",))
    Tagger(last.model).save(tmp_path / "saved")
    with pytest.raises(PlanError, match=r"tasks\.ner\.train: no file has these sentences, which a program gave"):
        train(load(tmp_path / "saved").plan)


def test_held_out_sentences_and_rates(corpora: Path, tmp_path: Path) -> None:
    from_files, from_memory = toy.tables("ner", search=corpora, epochs=1), tables("ner", epochs=1)
    del from_files["tasks"]["ner"]["dev"]
    for settings in (from_files, from_memory):
        settings["tasks"]["ner"] |= {"holdout": 0.25, "rate": 0.5}
    given = corpora_of(corpora, "ner", splits=("train",))
    assert_same(train(from_memory, corpora=given).model, train(from_files, output=tmp_path / "model").model)
    with pytest.raises(PlanError, match="give dev files or holdout, not both"):
        train(from_memory, corpora=corpora_of(corpora, "ner"))


def test_a_killed_training_continues_on_the_same_sentences_alone(corpora: Path, tmp_path: Path) -> None:
    plan, given, output = tables("ner"), corpora_of(corpora, "ner"), tmp_path / "model"
    stream = train_events(plan, corpora=given, output=output, save_seconds=0)
    assert sum(1 for event, _ in zip(stream, range(8), strict=False) if isinstance(event, Step)) > 1
    stream.close()  # type: ignore[attr-defined]
    other = {"ner": {**given["ner"], "train": given["ner"]["train"][::-1]}}
    with pytest.raises(ModelError, match=r"cannot resume: data\.<memory>\.ner\.train was "):
        train(plan, corpora=other, output=output, resume=True)
    assert_same(train(plan, corpora=given, output=output, resume=True).model, train(plan, corpora=given).model)


def test_faults_are_told_before_anything_is_written(corpora: Path, tmp_path: Path) -> None:
    given = corpora_of(corpora, "ner")
    for split, tag in (("train", "X-PER"), ("dev", "X-PER"), ("dev", "?")):
        words, tags = given["ner"][split][3]
        bad = [*given["ner"][split]]
        bad[3] = (words, [tag, *tags[1:]])
        with pytest.raises(CorpusError, match=rf"^corpora\['ner'\]\['{split}'\]\[3\]: .*{re.escape(tag)}"):
            train(tables("ner"), corpora={"ner": {**given["ner"], split: bad}}, output=tmp_path / "model")
    assert not (tmp_path / "model").exists()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "task": ({"corpora": {"nre": {"train": []}}}, r"corpora: there is no task 'nre' in the plan; did you mean 'ner'"),
    "no corpus": ({"corpora": {}}, r"plan: 'tasks\.ner\.train' is missing"),
    "dev alone": ({"corpora": {"ner": {"dev": []}}}, r"plan: 'tasks\.ner\.train' is missing"),
    "resume": ({"resume": True, "corpora": {"ner": {"train": []}}}, "resume continues the training that a directory"),
    "weights of tasks": (
        {"settings": ["training.best_per_task=true"], "corpora": {"ner": {"train": []}}},
        r"training\.best_per_task keeps weights for each task in files, expected an output",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_calls(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(PolytagError, match=message):
        train(tables("ner"), **arguments)


def test_a_checked_plan_is_not_changed_any_more(corpora: Path) -> None:
    with pytest.raises(PlanError, match="data, seed and settings belong to a plan that is read"):
        train(toy.plan(corpora, "ner"), seed=3)


def test_numbers_of_a_plan_may_be_numpy_s(corpora: Path) -> None:
    plan = tables("ner", epochs=np.int64(1), learning_rate=np.float32(0.25), track_test=np.bool_(False))
    plan["words"]["en"]["hidden"] = np.arange(5, 7)[1]
    checked = train(plan, corpora=corpora_of(corpora, "ner", splits=("train",))).plan
    assert (checked.training.epochs, checked.training.learning_rate, checked.words["en"].hidden) == (1, 0.25, 6)
    assert type(checked.words["en"].hidden) is int


def test_how_dev_is_known_is_measured_without_what_other_tasks_learnt_of_it(tmp_path: Path) -> None:
    """The second task trains on the sentences that the first holds out."""
    rows = [(["Ann", "met", name], ["O", "O", "B-X"]) for name in ("Bo", "Cy", "Di", "Ed", "Flo")]
    words = {"words": {"all": {"dimension": 3, "hidden": 3, "layers": 1}}, "training": {"epochs": 1, "threads": 1}}
    plan = words | {"chars": {"l": {"hidden": 3, "layers": 1}}}
    task = {"chars": "l", "words": "all"}
    given = {"a": {"train": rows[:3], "dev": rows[3:]}, "b": {"train": rows}}
    tagger = train(plan | {"tasks": {"a": task, "b": task}}, corpora=given, output=tmp_path / "model")
    for model in (tagger.model, load(tmp_path / "model").model):
        assert (model.texts["a"].words, model.texts["a"].unknown_words) == (6, 2)
        assert "b" not in model.texts


def test_sentences_from_memory_are_in_one_scheme_which_a_declared_one_has_to_fit() -> None:
    rows = [(["Ann", "Lee", "met", name], ["B-X", "I-X", "O", "B-X"]) for name in ("Bo", "Cy", "Di")]
    plan = tables("ner")
    plan["tasks"]["ner"]["scheme"] = "bioes"
    with pytest.raises(PlanError, match=r"tasks\.ner\.scheme: 'bioes' does not fit the training files: found IOB2"):
        prepare(plan_of(plan), {"ner": {"train": rows}})
    plan["tasks"]["ner"]["scheme"] = "auto"
    told = prepare(plan_of(plan), {"ner": {"train": rows * 50 + [(["Ed"], ["I-X"])]}}).notes
    assert not [note for note in told if "rewritten" in note]
    assert [note for note in told if "ill-formed" in note or "conlleval" in note]


def plan_of(found: dict[str, Any]) -> Plan:
    return load_plan(found, memory={"ner": ["train"]})
