"""A training that was stopped anywhere and resumed ends exactly as one that was not."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polytag.errors import ModelError, PolytagWarning
from polytag.plan import Plan
from polytag.training import Evaluation, Note, Step, Trained, train, train_events
from polytag.training.resume import state_file
from tests.training import toy

ROOT = Path(__file__).parents[2]
VARIANTS: dict[str, dict[str, Any]] = {
    "adagrad": {"optimizer": "adagrad", "accumulators": "task", "learning_rate": 0.05},
    "adam": {
        "optimizer": "adam", "final_learning_rate": 1e-4, "clip": 1.0, "average": 0.5, "best_per_task": True,
        "track_test": True,
    },
}  # fmt: skip


def plan_of(corpora: Path, variant: str, **training: Any) -> Plan:
    tables = toy.tables("ner", "xx", search=corpora, features=True, **VARIANTS[variant], **training)
    for part in tables["chars"].values():
        part["dropout"] = 0.3
    for part in tables["words"].values():
        part |= {"dropout": 0.3, "unknown": 0.5}
    tables["tags"]["xx"]["output"] = "softmax"
    if variant == "adam":
        tables["words"]["en"] |= {"vectors": str(toy.write_vectors(corpora)), "clusters": "auto"}
    return toy.make_plan(tables)


def content(directory: Path) -> dict[str, object]:
    """Every file of a model directory, byte for byte, less the seconds in it."""
    found: dict[str, object] = {}
    for path in directory.rglob("*"):
        if path.is_file():
            found[str(path.relative_to(directory))] = path.read_bytes()
    found["metrics.jsonl"] = [timeless(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    found["report.json"] = timeless((directory / "report.json").read_text())
    found["README.md"] = [line for line in (directory / "README.md").read_text().splitlines() if line[:2] != "* "]
    return found


def timeless(text: str) -> dict[str, Any]:
    return {key: value for key, value in json.loads(text).items() if not key.endswith("seconds")}


@pytest.fixture(scope="module", params=VARIANTS)
def whole(request: pytest.FixtureRequest, corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """A training that nothing stopped."""
    plan = plan_of(corpora, request.param)
    output = tmp_path_factory.mktemp(request.param) / "model"
    train(plan, output=output)
    return plan, output


def run(plan: Plan, output: Path, *, events: int = 10**9, save_seconds: float = 0.0) -> list[object]:
    """Train or resume, and stop after so many steps and evaluations."""
    seen: list[object] = []
    stream = train_events(plan, output=output, resume=True, save_seconds=save_seconds)
    for event in stream:
        seen.append(event)
        events -= isinstance(event, Step | Evaluation)
        if not events:
            stream.close()  # type: ignore[attr-defined]
            break
    return seen


@pytest.mark.parametrize("stop", [4, 10, 11, 20])  # epochs end with the 11th and the 22nd event
def test_stopped_after_any_step_it_ends_the_same(whole: tuple[Plan, Path], tmp_path: Path, stop: int) -> None:
    plan, expected = whole
    run(plan, tmp_path / "model", events=stop)
    assert not (tmp_path / "model" / ".lock").exists()
    seen = run(plan, tmp_path / "model")
    assert any(isinstance(event, Note) and event.text.startswith("resumed") for event in seen)
    assert len([event for event in seen if isinstance(event, Step | Evaluation)]) == 22 - stop
    assert content(tmp_path / "model") == content(expected)


def test_stopped_after_every_single_step_it_ends_the_same(whole: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, expected = whole
    while not (tmp_path / "model" / "report.json").exists():
        run(plan, tmp_path / "model", events=1)
    assert content(tmp_path / "model") == content(expected)


def test_states_within_an_epoch_are_not_needed(whole: tuple[Plan, Path], tmp_path: Path) -> None:
    """With the ordinary 60 seconds between states a short training falls back to the end of an epoch."""
    plan, expected = whole
    run(plan, tmp_path / "model", events=15, save_seconds=60.0)
    assert len(run(plan, tmp_path / "model")) > 11  # the second epoch again, from its beginning
    assert content(tmp_path / "model") == content(expected)


def test_a_kill_before_any_rename_leaves_a_directory_that_resumes(
    whole: tuple[Plan, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep what a kill would have left just before each file of a training took its place, and resume from there."""
    plan, expected = whole
    replace, output, kept = Path.replace, tmp_path / "model", []

    def keep(self: Path, target: str) -> Path:
        kept.append(shutil.copytree(output, tmp_path / f"killed-{len(kept)}"))
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", keep)
        run(plan, output, save_seconds=60.0)
    assert len(kept) > 12  # vocabularies, plan, states, weights, metrics, report
    for killed in kept[len(kept) % 2 :: 2]:
        assert list(killed.rglob(".*.partial"))
        run(plan, killed, save_seconds=60.0)
        assert content(killed) == content(expected), killed.name


@pytest.mark.slow  # tests.fuzz.kills kills trainings too
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL and fork")
def test_killed_with_sigkill_it_ends_the_same() -> None:
    """The script with ten kills is benchmarks/kill_and_resume.py; this is its quick version."""
    script = ROOT / "benchmarks" / "kill_and_resume.py"
    options = ["--runs", "1", "--epochs", "2", "--sentences", "12", "--seed", "3", "--save-seconds", "0.01"]
    done = subprocess.run(
        [sys.executable, str(script), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 trainings, " in done.stdout
    assert " 0 kills" not in done.stdout


def stopped(plan: Plan, output: Path) -> Path:
    run(plan, output, events=3)
    assert state_file(output).exists()
    return output


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "margin": ({"margin": 1.0}, "plan.training.margin was 5.0 when the training began, now it is 1.0"),
    "seed": ({"seed": 2}, "plan.training.seed was 1 when the training began, now it is 2"),
    "clip": ({"clip": 9.0}, "plan.training.clip was 'none' when the training began, now it is 9.0"),
    "optimizer": ({"optimizer": "adam"}, "training.optimizer was 'adagrad' when the training began, now it is 'adam'"),
    "batches": ({"batch_sentences": 5}, "plan.training.batch_sentences was 4 when the training began, now it is 5"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_another_plan_is_refused(corpora: Path, tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    output = stopped(toy.plan(corpora, "ner", "xx"), tmp_path / "model")
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    with pytest.raises(ModelError) as error:
        run(toy.plan(corpora, "ner", "xx", **change), output)
    assert str(error.value).endswith(expected)
    assert ": cannot resume: plan.training." in str(error.value)
    assert "\n" not in str(error.value)
    assert before == {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}


def test_another_order_of_tasks_is_refused(corpora: Path, tmp_path: Path) -> None:
    output = stopped(toy.plan(corpora, "ner", "xx"), tmp_path / "model")
    with pytest.raises(ModelError, match=r"cannot resume: order\.\w+ was \['\w+', '\w+'\] when"):
        run(toy.plan(corpora, "xx", "ner"), output)


def test_a_task_more_or_less_is_refused(corpora: Path, tmp_path: Path) -> None:
    output = stopped(toy.plan(corpora, "ner", "xx"), tmp_path / "model")
    with pytest.raises(ModelError, match="cannot resume: "):
        run(toy.plan(corpora, "ner"), output)


def test_other_data_are_refused(tmp_path: Path) -> None:
    toy.write_all(tmp_path)
    plan = toy.plan(tmp_path, "ner")
    output = stopped(plan, tmp_path / "model")
    toy.write(tmp_path / "en.dev", 9, seed=99)
    with pytest.raises(ModelError, match=r"cannot resume: data\.en\.dev was '\w{32}' when .* now it is '\w{32}'"):
        run(plan, output)


def test_files_may_move_and_the_model_remembers_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    plan = toy.plan(toy.write_all(tmp_path / "old"), "ner", epochs=2, best_per_task=True)
    train(plan, output=tmp_path / "whole")
    run(plan, tmp_path / "model", events=7)  # in the second epoch: the weights of the first are on disk
    (tmp_path / "old").rename(tmp_path / "new")
    moved = plan.model_copy(update={"search": (str(tmp_path / "new"),)})
    run(moved, tmp_path / "model")
    tagger = train_result(tmp_path / "model")
    assert tagger.plan.search == moved.search
    for name in ("metrics.jsonl", "report.json"):
        assert content(tmp_path / "model")[name] == content(tmp_path / "whole")[name]


def train_result(output: Path) -> Any:
    from polytag import load

    load(output, best_for="ner")
    return load(output)


def test_without_decay_a_training_may_go_on_longer_than_planned(corpora: Path, tmp_path: Path) -> None:
    short, long = (toy.plan(corpora, "ner", epochs=n, patience=n, optimizer="adam") for n in (2, 4))
    train(long, output=tmp_path / "long")
    run(short, tmp_path / "model", events=7)
    run(long, tmp_path / "model")
    assert content(tmp_path / "model") == content(tmp_path / "long")  # plan.toml too


def test_with_decay_the_number_of_epochs_is_part_of_the_training(corpora: Path, tmp_path: Path) -> None:
    output = stopped(toy.plan(corpora, "ner", final_learning_rate=1e-3), tmp_path / "model")
    with pytest.raises(ModelError, match=r"plan\.training\.epochs was 2 when the training began, now it is 3"):
        run(toy.plan(corpora, "ner", final_learning_rate=1e-3, epochs=3), output)


def test_a_finished_training_is_left_alone(whole: tuple[Plan, Path]) -> None:
    plan, output = whole
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    note, last = run(plan, output)
    assert isinstance(note, Note)
    assert isinstance(last, Trained)
    assert note.text == f"{output}: the training is complete; nothing to resume"
    assert before == {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}


def test_what_a_kill_after_the_report_leaves_is_removed(whole: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, output = whole[0], shutil.copytree(whole[1], tmp_path / "model")
    state_file(output).parent.mkdir()
    state_file(output).touch()
    (output / ".lock").touch()
    assert content(output) != content(whole[1])
    list(train_events(plan, output=output, resume=True))
    assert content(output) == content(whole[1])


def test_what_is_asked_anew_of_a_finished_training_is_told(whole: tuple[Plan, Path]) -> None:
    plan, output = whole
    more = plan.training.model_copy(update={"epochs": 7})
    told = "nothing to resume: training.epochs was 2 in it and stays, though now it is 7; name another"
    with pytest.warns(PolytagWarning, match=told):
        (last,) = run(plan.model_copy(update={"training": more}), output)
    assert isinstance(last, Trained)


def test_resuming_what_is_absent_or_empty_begins(corpora: Path, tmp_path: Path) -> None:
    plan = toy.plan(corpora, "ner", epochs=1)
    (tmp_path / "empty").mkdir()
    for name in ("absent", "empty"):
        events = run(plan, tmp_path / name)
        assert isinstance(events[-2], Evaluation)
    assert content(tmp_path / "absent") == content(tmp_path / "empty")


@pytest.mark.parametrize("events", [3, 10**9], ids=["unfinished", "finished"])
def test_without_resume_nothing_is_overwritten(corpora: Path, tmp_path: Path, events: int) -> None:
    plan = toy.plan(corpora, "ner")
    run(plan, tmp_path / "model", events=events)
    with pytest.raises(ModelError, match="holds a training already; continue it with --resume or name another"):
        next(iter(train_events(plan, output=tmp_path / "model")))


def test_weights_without_a_state_are_not_trained_over(whole: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, finished = whole
    shutil.copytree(finished, tmp_path / "model")
    (tmp_path / "model" / "report.json").unlink()
    with pytest.raises(ModelError, match="holds weights, but no state to resume their training from"):
        run(plan, tmp_path / "model")


def test_two_processes_do_not_train_into_one_directory(corpora: Path, tmp_path: Path) -> None:
    plan = toy.plan(corpora, "ner")
    first = train_events(plan, output=tmp_path / "model")
    until_first_step(first)
    with pytest.raises(ModelError, match="another process is training into this directory"):
        run(plan, tmp_path / "model")
    list(first)


def test_what_another_process_has_finished_meanwhile_is_left_alone(corpora: Path, tmp_path: Path) -> None:
    plan = toy.plan(corpora, "ner", epochs=1)
    late = train_events(plan, output=tmp_path / "model", resume=True)
    next(late)  # has read its data, but not begun
    train(plan, output=tmp_path / "model")
    before = (tmp_path / "model" / "weights.safetensors").stat().st_mtime_ns
    assert all(isinstance(event, Note | Trained) for event in late)
    assert (tmp_path / "model" / "weights.safetensors").stat().st_mtime_ns == before


def until_first_step(events: Iterator[object]) -> None:
    while not isinstance(next(events), Step):
        pass


def test_a_damaged_state_is_refused(corpora: Path, tmp_path: Path) -> None:
    plan = toy.plan(corpora, "ner")
    state = state_file(stopped(plan, tmp_path / "model"))
    data = bytearray(state.read_bytes())
    data[-5] ^= 1
    state.write_bytes(data)
    with pytest.raises(ModelError, match="the file is damaged: its checksum does not match"):
        run(plan, tmp_path / "model")


def test_the_output_must_be_a_directory(corpora: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for resume in (False, True):
        with pytest.raises(ModelError, match="the output must be a directory, found a file"):
            next(iter(train_events(toy.plan(corpora, "ner"), output=tmp_path / "file", resume=resume)))


def test_a_mistake_in_the_plan_leaves_no_directory_behind(corpora: Path, tmp_path: Path) -> None:
    tables = toy.tables("ner", search=corpora)
    tables["tasks"]["ner"]["dev"] = "absent"
    with pytest.raises(Exception, match=r"tasks\.ner\.dev: there is no 'absent'"):
        train(toy.make_plan(tables), output=tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_plan_without_characters_resumes(corpora: Path, tmp_path: Path) -> None:
    tables = toy.tables("ner", search=corpora, epochs=2)
    del tables["chars"], tables["tasks"]["ner"]["chars"]
    plan, again = toy.make_plan(tables), tmp_path / "again"
    events = train_events(plan, output=again, save_seconds=0)
    next(event for event in events if isinstance(event, Evaluation))
    events.close()  # type: ignore[attr-defined]
    whole, resumed = (train(plan, output=at, resume=at == again).model for at in (tmp_path / "whole", again))
    assert all(resumed.arrays[name].tobytes() == array.tobytes() for name, array in whole.arrays.items())
