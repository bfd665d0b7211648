"""The trainings behind a curve: which there are, where they lie, how each is started and read."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polytag.errors import ModelError, PlanError, nearest
from polytag.plan import Plan
from polytag.plan_file import load_plan
from polytag.splits import has_split

ALONE, JOINT = "alone", "with"
ARMS = (ALONE, JOINT)
RATE_SEED = 12  # the sentences of seed 1 are those that the plan's default draws


@dataclass(frozen=True)
class Question:
    """What a curve asks: how well a task is learnt from shares of its labels, alone and with partners.

    `polytag.curves.curve` says what each field means; rates ascend, and seeds are also of which sentences are drawn.
    """

    plan: Path
    task: str
    partners: Sequence[str]
    rates: Sequence[float]
    seeds: Sequence[int]
    split: str
    output: Path
    settings: Sequence[str] = ()
    data: Path | None = None

    @property
    def arms(self) -> Sequence[str]:
        """The ways to train that are compared."""
        return ARMS if self.partners else ARMS[:1]

    def runs(self) -> list["Run"]:
        """All trainings, cheap ones first."""
        return [Run(arm, rate, seed) for rate in self.rates for seed in self.seeds for arm in self.arms]

    def tasks(self, arm: str) -> list[str]:
        """The tasks that are trained in one network."""
        return [self.task, *(self.partners if arm == JOINT else ())]

    def check(self) -> Plan:
        """The plan, after everything that can be wrong before any training is looked at.

        Raises:
            PlanError: the plan cannot be used, or a task, a rate, a seed or the split does not fit.
        """
        plan = load_plan(self.plan, data=self.data, settings=self.settings)
        for name in (self.task, *self.partners):
            if name not in plan.tasks:
                raise PlanError(f"{self.plan}: there is no task '{name}' in the plan{nearest(name, plan.tasks)}")
        if self.task in self.partners:
            raise PlanError(f"'{self.task}' cannot be its own partner")
        if not self.rates or not self.seeds:
            raise PlanError(f"{len(self.rates)} rates and {len(self.seeds)} seeds, expected at least 1 of each")
        for rate in self.rates:
            if not 0 < rate <= 1:
                raise PlanError(f"a labeling rate of {rate} was asked for, expected one above 0 and at most 1")
        if not has_split(plan.tasks[self.task], self.split):
            raise PlanError(
                f"{self.plan}: tasks.{self.task} has no {self.split} files to score on; expected them, or another split"
            )
        return plan


@dataclass(frozen=True, slots=True)
class Run:
    """One training."""

    arm: str
    rate: float
    seed: int

    def __str__(self) -> str:
        return f"{self.arm}, rate {self.rate:g}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Result:
    """The score of one training, 0 to 100, on so many training sentences of the task."""

    run: Run
    score: float
    metric: str
    epoch: int
    sentences: int


def directory(run: Run, question: Question) -> Path:
    """The model directory."""
    return question.output / "runs" / f"{run.arm}-{run.rate:g}-seed{run.seed}"


def log(run: Run, question: Question) -> Path:
    """What the training says."""
    return directory(run, question).with_suffix(".log")


def is_done(run: Run, question: Question) -> bool:
    """Whether the training is complete."""
    return (directory(run, question) / "report.json").exists()


def settings(run: Run, question: Question, plan: Plan) -> list[str]:
    """What is laid over the plan file; the user's settings come last."""
    task = question.task
    own = [f"tasks.{task}.rate={run.rate:g}", f"tasks.{task}.rate_seed={RATE_SEED + run.seed}"]
    if has_split(plan.tasks[task], "dev"):  # both arms keep the epoch that is best for the task
        own.append(f"training.select={task}")
    if plan.training.refit:  # of few training sentences it would train on all of dev
        own.append("training.refit=false")
    return [*own, f"training.seed={run.seed}", *question.settings]


def start(run: Run, question: Question, plan: Plan, *, threads: int | None) -> "subprocess.Popen[bytes]":
    """Start or resume a training in a process of its own, in a session of its own: ctrl-C reaches the parent alone."""
    output = directory(run, question)
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "polytag", "train", str(question.plan), "--output", str(output), "--resume"]
    command += [part for task in question.tasks(run.arm) for part in ("--task", task)]
    command += ["--data", str(question.data)] if question.data else []
    command += [part for setting in settings(run, question, plan) for part in ("--set", setting)]
    environment = os.environ | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
    with log(run, question).open("ab") as stream:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environment, start_new_session=True
        )


def read_result(run: Run, question: Question) -> Result:
    """What a complete training has scored.

    Raises:
        ModelError: its report is damaged.
    """
    path = directory(run, question) / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        found = report["scores"][question.task][question.split]
        sentences = _sentences(report["notes"], question.task)
        return Result(run, float(found["score"]), str(found["metric"]), int(report["best_epoch"]), sentences)
    except (ValueError, KeyError, TypeError, OSError):
        raise ModelError(f"{path}: the file is damaged, expected the report that a training wrote") from None


def _sentences(notes: Sequence[str], task: str) -> int:
    """From the training's own note, ``task: train 1,234 sentences, ...``."""
    for note in notes:
        if note.startswith(f"{task}: train "):
            return int(note.split()[2].replace(",", ""))
    return 0
