"""Several processes train as one does: the same result, one voice, and no process waits for one that is gone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from polytag import load
from polytag.training import Step, train_events
from polytag.training.distributed import World
from tests.documentation import free_port
from tests.training import several_processes, toy
from tests.training.several_processes import RESUMED, VARIANTS, plan_of

ROOT = Path(__file__).parents[2]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}

needs_gloo = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()), reason="needs PyTorch with Gloo"
)


def in_two_processes(python: str, *arguments: str | Path) -> list[subprocess.CompletedProcess[str]]:
    """What torchrun starts, without it: loading it, and all else in each process anew, takes most of its time."""
    world = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "none"}
    world |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    started = [
        subprocess.Popen(
            [python, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=ENVIRONMENT | world | {"RANK": rank, "LOCAL_RANK": rank},
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    return [
        subprocess.CompletedProcess(process.args, process.wait(), *output)
        for process, output in [(process, process.communicate(timeout=300)) for process in started]
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, quick_python: str) -> Path:
    """The same plans trained by one process and by two, and one of them by one first and then by the other."""
    directory = tmp_path_factory.mktemp("distributed")
    corpora = directory / "corpora"
    corpora.mkdir()
    toy.write_all(corpora)
    plan = plan_of(corpora, RESUMED)
    losses = {}
    for variant in VARIANTS:
        events = train_events(plan_of(corpora, variant), output=directory / "alone" / variant)
        losses[variant] = [event.loss for event in events if isinstance(event, Step)]
    (directory / "losses.json").write_text(json.dumps(losses))
    several_processes.begin(train_events(plan, output=directory / "begun alone", save_seconds=0), steps=8)
    done = in_two_processes(quick_python, "-m", "tests.training.several_processes", directory)
    assert [each.returncode for each in done] == [0, 0], "\n".join(each.stderr for each in done)
    list(train_events(plan, output=directory / "begun together", resume=True))
    return directory


@pytest.fixture(scope="module")
def found(trained: Path) -> dict[str, Any]:
    """What the two processes have seen."""
    seen: dict[str, Any] = json.loads((trained / "found.json").read_text())
    return seen


def assert_same(one: Path, other: Path) -> None:
    """Equal weights to 1e-5, equal scores."""
    expected, weights = load_file(one / "weights.safetensors"), load_file(other / "weights.safetensors")
    assert expected.keys() == weights.keys()
    for name in expected:
        torch.testing.assert_close(weights[name], expected[name], atol=1e-5, rtol=0, msg=name)
    for line, again in zip(metrics(one), metrics(other), strict=True):
        assert line["dev"] == again["dev"]
        assert line["loss"] == pytest.approx(again["loss"], rel=1e-5)
    assert report(one)["scores"] == report(other)["scores"]


def metrics(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]


def report(directory: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((directory / "report.json").read_text())
    return content


@needs_gloo
@pytest.mark.parametrize("variant", VARIANTS)
def test_two_processes_train_as_one_does(trained: Path, found: dict[str, Any], variant: str) -> None:
    assert_same(trained / "alone" / variant, trained / "together" / variant)
    alone = json.loads((trained / "losses.json").read_text())[variant]
    assert found["losses"][variant] == pytest.approx(alone, rel=1e-5)
    assert report(trained / "together" / variant)["processes"] == 2
    assert report(trained / "alone" / variant)["processes"] == 1


@needs_gloo
@pytest.mark.parametrize("variant", VARIANTS)
def test_all_processes_hold_the_same_bits_after_each_step(found: dict[str, Any], variant: str) -> None:
    assert found["agree"][variant]


@needs_gloo
@pytest.mark.parametrize("begun", ["begun alone", "begun together"])
def test_another_number_of_processes_resumes_a_training(trained: Path, begun: str) -> None:
    assert_same(trained / "alone" / RESUMED, trained / begun)


@needs_gloo
def test_only_the_model_is_left(trained: Path) -> None:
    directories = trained / "alone" / RESUMED, trained / "together" / RESUMED
    alone, together = ({path.relative_to(d) for path in d.rglob("*")} for d in directories)
    assert alone == together


@needs_gloo
def test_each_process_draws_its_own_dropout(found: dict[str, Any]) -> None:
    assert len(set(found["random"])) == 2


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=9), st.integers(1, 5))
def test_weighted_means_of_the_portions_have_the_mean_of_the_batch(losses: list[float], size: int) -> None:
    parts = []
    for rank in range(size):
        sentences, weight = World(rank, size).portion(range(len(losses)))
        assert len(sentences) > 0
        parts.append(weight * sum(losses[i] for i in sentences) / len(sentences))
    assert sum(parts) / size == pytest.approx(sum(losses) / len(losses), abs=1e-9)


@given(st.lists(st.integers()), st.integers(1, 5))
def test_shares_are_all_there_is_and_differ_by_one_at_most(items: list[int], size: int) -> None:
    shares = [World(rank, size).share(items) for rank in range(size)]
    assert sorted(item for share in shares for item in share) == sorted(items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


PLAN = """
search = ["."]
chars.all = {{ dimension = 4, hidden = 4 }}
words.en = {{ hidden = 6 }}
[tasks.ner]
chars = "all"
words = "en"
train = "en.train"
dev = "{dev}"
columns = {{ tag = 2 }}
[training]
patience = 100000
"""


def write_plan(directory: Path, *, dev: str = "en.dev") -> Path:
    path = toy.write_all(directory) / "plan.toml"
    path.write_text(PLAN.format(dev=dev).replace('["."]', json.dumps([str(directory)])))
    return path


@needs_gloo
def test_a_mistake_is_told_once(tmp_path: Path, quick_python: str) -> None:
    train = ["-m", "polytag", "train", write_plan(tmp_path, dev="absent"), "-o", tmp_path / "model"]
    both = in_two_processes(quick_python, *train)
    assert all(done.returncode for done in both)
    (line,) = [line for done in both for line in done.stderr.splitlines() if line.startswith("polytag: ")]
    assert line.startswith(f"polytag: tasks.ner.dev: there is no 'absent'; looked for {tmp_path / 'absent'}; --data")
    assert not (tmp_path / "model").exists()
    assert not any(done.stdout for done in both)


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert path.exists()


def workers(process: subprocess.Popen[str]) -> Sequence[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@needs_gloo
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")
def test_a_killed_process_ends_all_and_the_training_resumes(tmp_path: Path, quick_python: str) -> None:
    plan, output = write_plan(tmp_path), tmp_path / "model"
    train = ["-m", "polytag", "train", str(plan), "-o", str(output), "--set"]
    with subprocess.Popen(
        [sys.executable, *TORCHRUN, quick_python, *train, "training.epochs=100000"],
        cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            wait_for(output / "metrics.jsonl", process)
            os.kill(workers(process)[-1], signal.SIGKILL)
            assert process.wait(timeout=60) != 0
        finally:
            process.terminate()
    reached = len(metrics(output)) + 2  # one more may be in the state alone
    both = in_two_processes(quick_python, *train, f"training.epochs={reached}", "--resume")
    assert [done.returncode for done in both] == [0, 0], both
    assert "".join(done.stderr for done in both).count("resumed after epoch") == 1
    assert "".join(done.stdout for done in both).count("kept epoch") == 1
    assert [line["epoch"] for line in metrics(output)] == list(range(1, reached + 1))
    load(output)
