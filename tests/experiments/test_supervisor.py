"""Real trainings, tiny ones: what is done is skipped, what is killed is resumed, a budget ends all cleanly."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.queued import runs, shortfalls, stages_of
from experiments.results import read_results
from experiments.supervisor import Summary, supervise
from experiments.training import Place, Run, directory, is_recorded, is_trained, training
from polytag.model.checkpoint import WEIGHTS
from polytag.runs import processes
from tests.experiments.conftest import plan_text

OURS = Run("toy/ours", 1)


quickly = pytest.mark.usefixtures("quick_start")


def run_row(place: Place, row: str, *, again: bool = False, seconds: float | None = None) -> tuple[Summary, list[str]]:
    said: list[str] = []
    stages = stages_of("toy", place.catalogue, rows=[row])
    return supervise(place, stages, jobs=2, seconds=seconds, again=again, say=said.append), said


@quickly
def test_a_row_is_trained_recorded_and_then_skipped(place: Place) -> None:
    done, said = run_row(place, "train-dev")
    assert done.done == [OURS, Run("toy/train-dev", 1)]
    assert sum("epoch 1 of at most" in line for line in said) == 2
    assert any("min left" in line for line in said)
    ours, train_dev = read_results(place.catalogue.root / "toy")
    assert ours.dev is not None
    assert train_dev.dev is None
    assert train_dev.selected_epoch == ours.selected_epoch  # the development split of the one chooses for the other
    assert (train_dev.epochs, ours.epochs) == (3, 2)
    assert ours.vectors == "none"
    assert ours.commit
    again, said = run_row(place, "train-dev")
    assert (again, said) == (Summary(), [])
    assert len(read_results(place.catalogue.root / "toy")) == 2

    assert shortfalls(place.catalogue)["toy/ours"] > 1  # of 99, the harder of the two rows that quote the run
    assert Run("toy/ours", 1, "margin-0") in runs(place.catalogue.stages, place)


def test_a_killed_training_is_resumed_with_the_code_it_began_with(
    place: Place, monkeypatch: pytest.MonkeyPatch, quick_python: str
) -> None:
    place.runs.mkdir()
    (place.catalogue.root / "toy" / "ours.toml").write_text(plan_text(epochs=400))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", quick_python)
        process = training(OURS, place).start(threads=1)
    metrics = directory(OURS, place) / "metrics.jsonl"
    deadline = time.monotonic() + 60
    while not metrics.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    processes.close(process)
    reached = len(metrics.read_text().splitlines())
    (place.catalogue.root / "toy" / "ours.toml").write_text(plan_text(epochs=reached + 2))
    done, said = run_row(place, "ours")
    assert done.done == [OURS], said
    assert said[:2] == ["1 left in the queue", f"{OURS}: resumed after epoch {reached}"]
    assert len(list((place.runs / "code").iterdir())) == 1
    result = read_results(place.catalogue.root / "toy")[0]
    assert reached <= result.epochs <= reached + 2


@quickly
def test_a_budget_stops_what_runs_and_the_next_call_goes_on(place: Place) -> None:
    (place.catalogue.root / "toy" / "ours.toml").write_text(plan_text(epochs=100_000))
    done, said = run_row(place, "ours", seconds=2)
    assert done.stopped == [OURS], said
    assert said[-1].endswith("stopped, to be resumed")
    assert not is_trained(OURS, place)
    assert not is_recorded(OURS, place)
    nothing, said = run_row(place, "ours", seconds=0)
    assert (nothing, said) == (Summary(), [])


@quickly
def test_what_was_trained_but_not_recorded_is_recorded_and_anew_is_trained_when_told_to(place: Place) -> None:
    run_row(place, "ours")
    (place.catalogue.root / "toy" / "results.csv").unlink()
    before = (directory(OURS, place) / WEIGHTS).stat().st_mtime_ns
    done, said = run_row(place, "train-dev")
    assert done.done == [OURS, Run("toy/train-dev", 1)]  # which waits for what is recorded
    assert f"{OURS}: started" not in said
    assert (directory(OURS, place) / WEIGHTS).stat().st_mtime_ns == before

    anew, said = run_row(place, "ours", again=True)
    assert anew.done == [OURS]
    assert said[1] == f"{OURS}: started"
    first, _, second = read_results(place.catalogue.root / "toy")
    assert replace(first, minutes=second.minutes, finished=second.finished) == second


@quickly
def test_a_failure_is_told_and_the_rest_goes_on(place: Place) -> None:
    assert place.data is not None
    (place.data / "en.dev").unlink()
    done, said = run_row(place, "with-vectors")
    assert done.failed == [Run("toy/with-vectors", 1)]
    assert any("failed" in line and "en.dev" in line for line in said)


def test_variants_and_other_vectors_are_runs_of_their_own(place: Place, tmp_path: Path) -> None:
    plain, wide = Run("toy/with-vectors", 1), Run("toy/with-vectors", 1, "wide")
    swapped = replace(place, vectors={"senna": tmp_path})
    found = {directory(run, where) for run in (plain, wide) for where in (place, swapped)}
    assert len(found) == 4
