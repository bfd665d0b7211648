"""Trainings of a live model: a child process for each, which begins from the last version, and the versions it made.

DIR/annotations.json             what was annotated, as Label Studio exports it
DIR/versions/0001/model          a model; the newest is served
DIR/versions/0001/annotations.json, training.log    what it was trained on, and what training said
DIR/training.log                 what the last training said that failed
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from polytag.errors import PolytagError
from polytag.plan_file import load_plan
from polytag.server.live.annotations import FORMAT, TAG, write

ANNOTATIONS, LOG, MODEL, VERSIONS = "annotations.json", "training.log", "model", "versions"
_BEGUN = ".training-"  # a training that has not come to its end
_NICE = 10  # a tenth of the time of a server that has as much to do, and all that it leaves


class TrainingError(PolytagError):
    """A training that came to nothing, in the last sentence that it said."""


class Versions:
    """The models that trainings made, in a directory of this process."""

    def __init__(self, home: Path) -> None:
        """What trainings left that did not come to their end goes."""
        self.home = home
        for left in home.glob(f"{_BEGUN}*"):
            shutil.rmtree(left, ignore_errors=True)

    @property
    def newest(self) -> int:
        """The number of the newest version; 0 where there is none."""
        numbers = (path.name for path in (self.home / VERSIONS).glob("*") if (path / MODEL).is_dir())
        return max((int(name) for name in numbers if name.isdecimal()), default=0)

    def path(self, number: int, name: str = MODEL) -> Path:
        """Where a version, or what belongs to it, stands."""
        return self.home / VERSIONS / f"{number:04}" / name

    async def train(self, plan: "Plan", begin: Path, lines: Mapping[str, str]) -> int:
        """Make the next version, which begins from another model.

        Args:
            plan: what to train.
            begin: the other model.
            lines: the annotations by task.

        Raises:
            TrainingError: training failed; nothing is left of it but what it said.
        """
        place = Path(mkdtemp(prefix=_BEGUN, dir=self.home))
        try:
            write(place / ANNOTATIONS, lines)
            with (place / LOG).open("wb") as log:
                await _done(plan.command(place, begin), log)
            number = self.newest + 1
            self.path(number).parent.parent.mkdir(exist_ok=True)
            place.rename(self.path(number).parent)
        except TrainingError as error:
            said = (place / LOG).read_text(encoding="utf-8", errors="replace").strip()
            (place / LOG).replace(self.home / LOG)
            raise TrainingError(said.rpartition("\n")[2] or str(error)) from None
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return number


class Plan:
    """The plan of the trainings, and the task of it that people annotate."""

    def __init__(self, path: Path, task: str) -> None:
        """Check the plan.

        Raises:
            PlanError: it cannot be used.
            PolytagError: it has no such task.
        """
        self.path, self.task = path, task
        checked = load_plan(path)
        if task not in checked.tasks:
            raise PolytagError(f"{path}: there is no task '{task}' in the plan, expected the one that is annotated")
        self._files = [file.model_dump(mode="json", exclude_none=True) for file in checked.tasks[task].files("train")]

    def command(self, place: Path, begin: Path) -> list[str]:
        """What trains it into a directory on its files and the annotations that stand there."""
        own = {"file": str((place / ANNOTATIONS).resolve()), "format": FORMAT, "columns": {"tag": TAG}}
        settings = {f"tasks.{self.task}.train": [*self._files, own], "initialisation.from": str(begin.resolve())}
        changes = [part for key, value in settings.items() for part in ("--set", f"{key}={_toml(value)}")]
        return [sys.executable, "-m", "polytag", "train", str(self.path), "--output", str(place / MODEL), *changes]


async def _done(command: list[str], log: Any) -> None:
    """Run a command behind all others until it ends, or until this task does.

    Raises:
        TrainingError: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
    try:
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)  # before it has threads, which take it over
        if status := await process.wait():
            raise TrainingError(f"training ended with status {status}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _toml(value: Any) -> str:
    """A value as TOML has it on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{json.dumps(key)} = {_toml(of)}' for key, of in value.items())}}}"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list | tuple) else json.dumps(value)
