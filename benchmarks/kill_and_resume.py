"""Kill a training at random moments, resume it until it is done, and hold the result against a training never killed.

Each run is killed with SIGKILL as often as it takes chances: after a random time, after a random step, or in the middle
of writing a file (just before a random opening, renaming or removal of one). What must agree, byte for byte: all
weights; number for number: metrics and report, the seconds aside; and no other file may be left. POSIX only.

    python benchmarks/kill_and_resume.py --runs 10
"""

import argparse
import hashlib
import json
import math
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import torch._dynamo  # noqa: F401  # loaded by an optimizer's first step: once here, not once in each process

from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.training import Step, train_events

VARIANTS: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": "adam", "final_learning_rate": 0.001, "clip": 2.0, "best_per_task": True},
    "adagrad": {"optimizer": "adagrad", "learning_rate": 0.05, "accumulators": "task", "track_test": True},
}
NAMES, PLAIN = ("Anna", "Lima", "Bob Smith", "New York"), ("sees", "the", "goes", "and", "in")
STEPS, FILE_OPERATIONS = 36, 60  # roughly, of a whole training
FILE_EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod")


@dataclass(frozen=True)
class Kill:
    """One SIGKILL: after a share of the time, of the steps or of the file operations of a whole training."""

    how: str
    when: float  # 0 to 1


@dataclass
class Run:
    """What became of one training that was killed again and again."""

    kills: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="trainings to kill and resume, per variant (10)")
    parser.add_argument("--kills", type=int, default=2, help="most kills of one training (2)")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=24)
    parser.add_argument("--save-seconds", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{'optimizer':<10} {'run':>3}  {'killed':<60} outcome")
    runs = [run for variant in VARIANTS for run in _variant(variant, options)]
    bad, kills = sum(bool(run.differences) for run in runs), sum(len(run.kills) for run in runs)
    print(f"{len(runs)} trainings, {kills} kills: {len(runs) - bad} ended as the one never killed, {bad} did not")
    return 1 if bad else 0


def _variant(variant: str, options: argparse.Namespace) -> list[Run]:
    choose = random.Random(f"{options.seed} {variant}")
    runs = []
    with tempfile.TemporaryDirectory() as place:
        plan = _plan(Path(place), options, VARIANTS[variant])
        whole = Path(place) / "whole"
        began = time.monotonic()
        _attempt(plan, whole, options)
        seconds = time.monotonic() - began
        for number in range(options.runs):
            run = _kill_and_resume(plan, Path(place) / f"run-{number}", options, choose, seconds)
            run.differences = _differences(whole, Path(place) / f"run-{number}")
            outcome = "identical" if not run.differences else "DIFFERS: " + "; ".join(run.differences)
            print(f"{variant:<10} {number + 1:>3}  {', then '.join(run.kills) or 'never':<60} {outcome}", flush=True)
            runs.append(run)
    return runs


def _kill_and_resume(
    plan: Plan, output: Path, options: argparse.Namespace, choose: random.Random, seconds: float
) -> Run:
    run = Run()
    for _ in range(options.kills):
        kill = Kill(choose.choice(("by time", "by step", "in a file")), choose.uniform(0, 0.8))
        if not _attempt(plan, output, options, kill, seconds):
            run.kills.append(f"{kill.how} at {kill.when:.2f}")
    _attempt(plan, output, options)
    return run


def _attempt(
    plan: Plan, output: Path, options: argparse.Namespace, kill: Kill | None = None, seconds: float = 0.0
) -> bool:
    """Train or resume in a process of its own; False if it was killed."""
    sys.stdout.flush()
    child = os.fork()  # this process has never run an operation of torch, so that a fork of it is sound
    if not child:
        _train(plan, output, options, kill)
    timer = threading.Timer(kill.when * seconds if kill else 0.0, os.kill, (child, signal.SIGKILL))
    if kill and kill.how == "by time":
        timer.start()
    _, status = os.waitpid(child, 0)
    timer.cancel()
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if status:
        raise SystemExit("a training ended with an error")
    return True


def _train(plan: Plan, output: Path, options: argparse.Namespace, kill: Kill | None) -> NoReturn:
    status = 1
    try:
        on_step = _Countdown(kill.when * STEPS if kill and kill.how == "by step" else math.inf)
        if kill and kill.how == "in a file":
            _die_in_files(output, _Countdown(kill.when * FILE_OPERATIONS))
        for event in train_events(plan, output=output, resume=True, save_seconds=options.save_seconds):
            if isinstance(event, Step):
                on_step()
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)


@dataclass
class _Countdown:
    """Kills this process when it has been called so many times."""

    left: float

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _die_in_files(output: Path, countdown: _Countdown) -> None:
    """Count whenever a file of the output is about to be opened, renamed, removed or given its permissions."""

    def on_event(event: str, arguments: Sequence[object]) -> None:
        if event in FILE_EVENTS and any(str(output) in str(argument) for argument in arguments):
            countdown()

    sys.addaudithook(on_event)


def _differences(whole: Path, other: Path) -> list[str]:
    expected, found = _content(whole), _content(other)
    return [name for name in sorted({*expected, *found}) if expected.get(name) != found.get(name)]


def _content(directory: Path) -> dict[str, object]:
    """Each file of a model directory, less the seconds."""
    readers: dict[str, Callable[[bytes], object]] = {
        "metrics.jsonl": lambda data: [_timeless(json.loads(line)) for line in data.splitlines()],
        "report.json": lambda data: _timeless(json.loads(data)),
    }
    return {
        str(path.relative_to(directory)): readers.get(path.name, lambda data: hashlib.sha256(data).hexdigest())(
            path.read_bytes()
        )
        for path in directory.rglob("*")
        if path.is_file()
    }


def _timeless(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if not key.endswith("seconds")}


def _plan(place: Path, options: argparse.Namespace, training: dict[str, Any]) -> Plan:
    """Two tasks that share characters and words, with dropout."""
    for number, split in enumerate(("train", "dev", "test")):
        _write(place / split, options.sentences // (number + 1), seed=number)
    part = {"hidden": 8, "layers": 1, "dropout": 0.3}
    files = {"train": "train", "dev": "dev", "test": "test", "chars": "all", "words": "all"}
    return make_plan({
        "search": [str(place)],
        "chars": {"all": part},
        "words": {"all": part},
        "tasks": {"ner": {**files, "columns": {"tag": 1}}, "pos": {**files, "columns": {"tag": 2}, "rate": 0.5}},
        "training": {"threads": 1, "batch_sentences": 4, "epochs": options.epochs, "patience": 99, **training},
    })  # fmt: skip


def _write(path: Path, sentences: int, *, seed: int) -> None:
    choose = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(max(2, sentences)):
            for _ in range(choose.randint(1, 5)):
                name = choose.random() < 0.4
                for i, word in enumerate(choose.choice(NAMES if name else PLAIN).split()):
                    file.write(f"{word} {('I-X' if i else 'B-X') if name else 'O'} {'NAME' if name else 'WORD'}\n")
            file.write("\n")


if __name__ == "__main__":
    raise SystemExit(main())
