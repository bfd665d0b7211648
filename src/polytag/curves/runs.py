"""The trainings behind a curve: which there are, where they lie, how each is started and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polytag.errors import ModelError, PlanError, nearest
from polytag.files import locked
from polytag.model.report_file import damaged, read_report
from polytag.plan import Plan
from polytag.plan_file import load_plan
from polytag.runs.home import PLAN, settle
from polytag.runs.work import Run, Say, fail, left, train_all, without_refit
from polytag.splits import has_split

REQUEST = "curve.json"  # what the trainings of a directory have in common
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

    def runs(self) -> list["Arm"]:
        """All trainings, cheap ones first."""
        return [Arm(arm, rate, seed) for rate in self.rates for seed in self.seeds for arm in self.arms]

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
class Arm:
    """One training: how, at which rate, with which seed."""

    arm: str
    rate: float
    seed: int

    def __str__(self) -> str:
        return f"{self.arm}, rate {self.rate:g}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Result:
    """The score of one training, 0 to 100, on so many training sentences of the task."""

    run: Arm
    score: float
    metric: str
    epoch: int
    sentences: int


def training(arm: Arm, question: Question, plan: Plan) -> Run:
    """The training itself; the user's settings are in the plan that lies in the output directory."""
    task = question.task
    own = [f"tasks.{task}.rate={arm.rate:g}", f"tasks.{task}.rate_seed={RATE_SEED + arm.seed}"]
    if has_split(plan.tasks[task], "dev"):  # both arms keep the epoch that is best for the task
        own.append(f"training.select={task}")
    directory = question.output / "runs" / f"{arm.arm}-{arm.rate:g}-seed{arm.seed}"
    settings = [*own, *without_refit(plan), f"training.seed={arm.seed}"]
    return Run(str(arm), question.output / PLAN, directory, settings, question.tasks(arm.arm), question.data)


def train_runs(question: Question, *, jobs: int, say: Say) -> list[Result]:
    """Train what is not trained yet, and read what all have scored.

    Raises:
        PolytagError: the plan cannot be used, the directory holds another curve, or a training fails.
    """
    plan = question.check()
    runs = {arm: training(arm, question, plan) for arm in question.runs()}
    arms = {run: arm for arm, run in runs.items()}

    def ended(run: Run, reason: str) -> None:
        fail(run, reason)
        result = _result(run, arms[run], question)
        say(f"{run}: {question.task} {question.split} {result.metric} {result.score:.2f}, epoch {result.epoch}")

    with locked(question.output, doing="drawing a curve into", kind=ModelError):
        request = {"task": question.task, "partners": list(question.partners)}
        own = [f"tasks.{question.task}.rate", f"tasks.{question.task}.rate_seed", "training.seed"]
        settle(
            question.output, REQUEST, request,
            plan=question.plan, checked=plan, settings=question.settings, may_change=own,
        )  # fmt: skip
        train_all(left(runs.values(), say), jobs=jobs, say=say, ended=ended)
    return [_result(run, arm, question) for arm, run in runs.items()]


def _result(run: Run, arm: Arm, question: Question) -> Result:
    report = read_report(run.directory)
    try:
        found = report["scores"][question.task][question.split]
        sentences = _sentences(report["notes"], question.task)
        return Result(arm, float(found["score"]), str(found["metric"]), int(report["best_epoch"]), sentences)
    except (ValueError, KeyError, TypeError):
        raise damaged(run.directory) from None


def _sentences(notes: Sequence[str], task: str) -> int:
    """From the training's own note, ``task: train 1,234 sentences, ...``."""
    for note in notes:
        if note.startswith(f"{task}: train "):
            return int(note.split()[2].replace(",", ""))
    return 0
