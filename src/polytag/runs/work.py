"""Train what is not trained yet, several processes at a time; what a kill has left is resumed."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polytag.errors import ModelError, PlanError, PolytagError
from polytag.model.checksums import checksums
from polytag.model.report_file import REPORT, read_report
from polytag.plan import Plan
from polytag.plan_file import load_plan
from polytag.runs import processes

POLL_SECONDS = 0.2

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Run:
    """One training: a plan, what is laid over it, and the model directory that it makes."""

    name: str
    plan: Path
    directory: Path
    settings: Sequence[str] = ()
    tasks: Sequence[str] = ()
    data: Path | None = None
    device: str = "cpu"
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def log(self) -> Path:
        """What the training says."""
        return self.directory.with_name(f"{self.directory.name}.log")

    @property
    def is_done(self) -> bool:
        """Whether the training is complete."""
        return (self.directory / REPORT).exists()

    def epochs(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl so far."""
        path = self.directory / "metrics.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def start(self, *, threads: int | None) -> "subprocess.Popen[bytes]":
        """Start or resume it in a process of its own, which ends with this one; ctrl-C reaches this one alone."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "polytag.runs.child", "train", str(self.plan)]
        command += ["--output", str(self.directory), "--resume", "--device", self.device]
        command += [part for task in self.tasks for part in ("--task", task)]
        command += ["--data", str(self.data)] if self.data else []
        command += [part for setting in self.settings for part in ("--set", setting)]
        few = {"OMP_NUM_THREADS": str(threads)} if threads else {}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **few, **self.environment},
                start_new_session=True,
            )


def without_refit(plan: Plan) -> list[str]:
    """What is laid over a plan whose development scores alone count: training on dev too would come to nothing."""
    return ["training.refit=false"] if plan.training.refit else []


def left(runs: Collection[Run], say: Say) -> list[Run]:
    """Those that are not trained yet; says how many are.

    Raises:
        ModelError: one is trained, of a file that has changed.
    """
    waiting = [run for run in runs if not run.is_done]
    if done := [run for run in runs if run.is_done]:
        _check_files(done)
        say(f"{len(done)} of {len(runs)} trainings are done already")
    return waiting


def _check_files(done: Sequence[Run]) -> None:
    plan = load_plan(done[0].plan, data=done[0].data, settings=done[0].settings)
    try:
        now = checksums(plan.only(done[0].tasks), {})
    except PlanError:  # a file is not there: a training that needs it says so
        return
    for run in done:
        for path, before in read_report(run.directory)["data"].items():
            if now.get(path, before) != before:
                raise ModelError(f"{path}: has changed since {run.directory} was trained; name another directory")


@dataclass
class _Active:
    process: "subprocess.Popen[bytes]"
    epochs: int = 0  # that were looked at
    is_stopped: bool = False


def train_all(
    runs: Iterable[Run | None],
    *,
    jobs: int,
    seconds: float | None = None,
    say: Say,
    ended: Callable[[Run, str], None],
    goes_on: Callable[[Run, Mapping[str, Any]], bool] | None = None,
) -> None:
    """Train runs, each asked for when there is room for it.

    Args:
        runs: what to train, in order; None: nothing may start before another has ended.
        jobs: how many at a time; several have one thread each.
        seconds: stop after so many; whatever is under way then is resumed by the next call.
        say: gets a line for each start.
        ended: gets each run that has come to its end, and how it failed: empty where it did not.
        goes_on: sees each epoch's line of metrics.jsonl, and says whether the run shall go on.
    """
    waiting, active = iter(runs), dict[Run, _Active]()
    deadline = math.inf if seconds is None else time.monotonic() + seconds
    with processes.terminated_as_interrupted():
        try:
            while time.monotonic() < deadline and _fill(active, waiting, jobs=jobs, say=say):
                _look(active, ended, goes_on)
                time.sleep(POLL_SECONDS)
        finally:
            processes.stop([each.process for each in active.values()])


def _fill(active: dict[Run, _Active], waiting: Iterator[Run | None], *, jobs: int, say: Say) -> bool:
    """Start what there is room for; returns whether anything is under way."""
    while len(active) < jobs and (run := next(waiting, None)):
        epochs = len(run.epochs())
        say(f"{run}: resumed after epoch {epochs}" if run.directory.exists() else f"{run}: started")
        active[run] = _Active(run.start(threads=1 if jobs > 1 else None))
    return bool(active)


def _look(
    active: dict[Run, _Active],
    ended: Callable[[Run, str], None],
    goes_on: Callable[[Run, Mapping[str, Any]], bool] | None,
) -> None:
    for run, each in list(active.items()):
        code = each.process.poll()
        if goes_on and not each.is_stopped:
            for line in run.epochs()[each.epochs :]:
                each.epochs += 1
                each.is_stopped = each.is_stopped or not goes_on(run, line)
            if each.is_stopped and code is None:
                processes.stop([each.process])
                code = each.process.returncode
        if code is not None:
            processes.close(each.process)
            del active[run]
            is_failed = not each.is_stopped and (code or not run.is_done)
            ended(run, processes.last_line(run.log) if is_failed else "")


def fail(run: Run, reason: str) -> None:
    """What most do with a training that failed.

    Raises:
        PolytagError: it did; says why.
    """
    if reason:
        raise PolytagError(f"{run}: the training failed: {reason}")
