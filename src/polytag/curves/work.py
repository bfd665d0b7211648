"""Train what is not trained yet, several processes at a time; what a kill has left is resumed."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from polytag.curves.runs import Question, Run, directory, is_done, log, read_result, start
from polytag.errors import ModelError, PlanError, PolytagError
from polytag.files import atomic_write, locked
from polytag.plan import Plan
from polytag.plan_file import first_difference

FILE = "curve.json"  # what the trainings of a directory have in common
POLL_SECONDS = 0.2
GRACE_SECONDS = 20.0  # between SIGTERM and SIGKILL

Say = Callable[[str], None]


def train_all(question: Question, *, jobs: int, say: Say) -> None:
    """Train all runs of a question, ``jobs`` at a time; ``say`` gets a line for each start and end.

    Raises:
        PolytagError: the plan cannot be used, the directory holds another curve, or a training fails.
    """
    plan = question.check()
    with locked(question.output, doing="drawing a curve into", kind=ModelError):
        _remember(question, plan)
        todo = [run for run in question.runs() if not is_done(run, question)]
        done = len(question.runs()) - len(todo)
        if done:
            say(f"{done} of {len(question.runs())} trainings are done already")
        active: dict[Run, subprocess.Popen[bytes]] = {}
        with _terminated_as_interrupted():
            try:
                _work(question, plan, todo, active, jobs=jobs, say=say)
            finally:
                _stop(active)


def _work(
    question: Question, plan: Plan, todo: list[Run], active: dict[Run, "subprocess.Popen[bytes]"], *, jobs: int,
    say: Say,
) -> None:  # fmt: skip
    while todo or active:
        while todo and len(active) < jobs:
            run = todo.pop(0)
            resumed = "resumed" if directory(run, question).exists() else "started"
            say(f"{run}: {resumed}; {len(todo)} trainings wait")
            active[run] = start(run, question, plan, threads=1 if jobs > 1 else None)
        for run, process in list(active.items()):
            if process.poll() is not None:
                del active[run]
                _finish(run, process.returncode, question, say)
        time.sleep(POLL_SECONDS if active else 0)


def _finish(run: Run, code: int, question: Question, say: Say) -> None:
    if code or not is_done(run, question):
        raise PolytagError(f"{run}: the training failed: {_last_line(log(run, question))}")
    result = read_result(run, question)
    say(f"{run}: {question.task} {question.split} {result.metric} {result.score:.2f}, epoch {result.epoch}")


def _stop(active: Mapping[Run, "subprocess.Popen[bytes]"]) -> None:
    """End what is under way; the next call resumes it."""
    for process in active.values():
        process.terminate()
    for process in active.values():
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _remember(question: Question, plan: Plan) -> None:
    """Write down what the trainings of the directory have in common, or see to it that it is still the same.

    Rates and seeds may be added, so they are not part of it.
    """
    tables = plan.to_dict()
    tables.pop("search")
    settings = tables["tasks"][question.task]
    for key in ("rate", "rate_seed"):
        settings.pop(key)
    tables["training"].pop("seed")
    now = {"task": question.task, "partners": list(question.partners), "plan": tables}
    path = question.output / FILE
    if path.exists():
        _check_same(path, _read(path), now)
        return
    with atomic_write(path) as file:
        json.dump(now, file, indent=2, ensure_ascii=False, allow_nan=False)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ModelError(f"{path}: the file is damaged, expected what an earlier call wrote") from None


def _check_same(path: Path, saved: Any, now: Any) -> None:
    if found := first_difference(saved, now):
        key, was, is_ = found
        raise PlanError(f"{path}: {key} was {was!r} for the trainings here, now it is {is_!r}; name another directory")


def _last_line(path: Path) -> str:
    lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("polytag: ") if lines else f"see {path}"


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends the trainings too, instead of leaving them behind."""
    if threading.current_thread() is not threading.main_thread():  # where signals cannot be handled
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
