"""Search for better settings of a plan by training it, on Optuna: bad trials end early, a killed search goes on."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from polytag.errors import ModelError, PlanError, PolytagError
from polytag.files import locked, write_json
from polytag.plan import Plan
from polytag.plan_file import copy_plan, load_plan
from polytag.runs.home import PLAN, read_request, settle
from polytag.runs.scores import aligned
from polytag.runs.space import Dimension, default_space, dimension
from polytag.runs.work import Run, Say, train_all, without_refit
from polytag.splits import has_split

try:
    import optuna
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import FrozenTrial, Trial, TrialState
except ModuleNotFoundError as error:
    raise PolytagError("Optuna is not installed, expected it for a search: pip install 'polytag[tune]'") from error

REQUEST, TRIALS, BEST, STORAGE = "tune.json", "trials.json", "best.toml", "trials.log"
FULL_TRIALS, FULL_EPOCHS = 4, 1  # that are not stopped early, for there is nothing to compare with
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Tuned:
    """A table of all trials, the winning plan, its trial's score (0 to 100) and its model directory."""

    table: str
    plan: Path
    score: float
    model: Path


def tune(
    plan: str | PathLike[str],
    *,
    output: str | PathLike[str],
    trials: int = 20,
    vary: Sequence[str] = (),
    tasks: Sequence[str] = (),
    settings: Sequence[str] = (),
    data: str | PathLike[str] | None = None,
    device: str = "cpu",
    jobs: int = 1,
    say: Say = lambda line: None,  # noqa: ARG005
) -> Tuned:
    """Train a plan with other settings, trial by trial, and write the best as ``best.toml``.

    The first trial is the plan as it is. A trial whose development score after an epoch lies below the median of those
    before it is stopped. Of models the best is kept. Called again, or by `resume`, the search goes on.

    Args:
        plan: a plan file whose tasks have development sentences.
        output: the directory for everything.
        trials: how many in all, those of earlier calls included.
        vary: the settings to vary, ``"training.learning_rate=0.001..0.01"`` or ``'size=["small", "medium"]'``, ``*``
            standing for all names; none: those of `polytag.runs.space.default_space`.
        tasks: those to train; none: all.
        settings: laid over the plan, ``"training.epochs=5"``.
        data: where the plan's relative paths are looked up after its own directory.
        device: where to compute.
        jobs: how many trainings at a time.
        say: gets a line of progress now and then.

    Raises:
        PolytagError: the plan, a setting or the output cannot be used, or the first training fails.
    """
    path, directory = Path(plan), Path(output).resolve()
    place = None if data is None else Path(data).resolve()
    whole = load_plan(path, data=data, settings=settings)
    _check(whole.only(tasks), path)

    def changed(*more: str) -> Plan:
        return load_plan(path, data=data, settings=[*settings, *more])

    space = [dimension(text) for text in vary] or default_space(whole, lambda more: _differ(changed(more), whole))
    for each in space:
        for value in each.ends:
            changed(*each.settings(value, whole))
    with locked(directory, doing="searching into", kind=ModelError):
        request = {"vary": [str(each) for each in space], "tasks": [*tasks], "device": device}
        settle(
            directory, REQUEST, request, more={"trials": trials},
            plan=path, checked=whole, settings=settings, may_change=(),
        )  # fmt: skip
        search = _Search(directory, space, whole, Run("", directory / PLAN, directory, (), tasks, place, device), say)
        search.go_on(trials, jobs=jobs)
        return search.summary()


def resume(output: str | PathLike[str], *, trials: int | None = None, **more: Any) -> Tuned:
    """Go on with the search that a directory holds; ``trials`` and ``more`` as `tune` takes them.

    Raises:
        PolytagError: as `tune`.
    """
    request = read_request(Path(output) / REQUEST)
    return tune(Path(output) / PLAN, output=output, **request | ({"trials": trials} if trials else {}), **more)


def is_tuned(directory: Path) -> bool:
    """Whether a search is in a directory."""
    return (directory / REQUEST).exists()


def _check(plan: Plan, path: Path) -> None:
    selecting = plan.tasks.values() if plan.training.select == "mean" else [plan.tasks[plan.training.select]]
    if not any(has_split(task, "dev") for task in selecting):
        raise PlanError(f"{path}: no task has dev files to choose by; expected them, or holdout")


def _differ(one: Plan, other: Plan) -> bool:
    before, now = ({key: value for key, value in plan.to_dict().items() if key != "size"} for plan in (one, other))
    return before != now


@dataclass
class _Search:
    directory: Path
    space: Sequence[Dimension]
    plan: Plan
    model: Run  # what all trainings have in common
    say: Say
    trials: dict[Run, Trial] = field(default_factory=dict)

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(self.directory / STORAGE)))
        self.study = optuna.create_study(
            study_name="polytag",
            direction="maximize",
            storage=storage,
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=FULL_TRIALS, n_warmup_steps=FULL_EPOCHS),
        )
        # Each call draws from a seed of its own: a resumed search shall not repeat what it drew before.
        self.study.sampler = optuna.samplers.TPESampler(seed=self.plan.training.seed + len(self.study.trials))

    def go_on(self, trials: int, *, jobs: int) -> None:
        """Until so many trials have ended."""
        self._take_up()
        left = trials - len(self.study.get_trials(deepcopy=False, states=ENDED))
        train_all(self._asked(left), jobs=jobs, say=self.say, ended=self._ended, goes_on=self._goes_on)

    def _take_up(self) -> None:
        """The plan itself first; then, in their directories, the trials that a kill has left."""
        if not self.study.trials:
            now = {each.key: each.value_of(self.plan) for each in self.space}
            if None not in now.values():
                self.study.enqueue_trial(now)
        for trial in self.study.get_trials(states=[TrialState.RUNNING]):
            if len(trial.params) == len(self.space):
                self.study.enqueue_trial(trial.params, user_attrs={"run": _name(trial)})
            self.study.tell(trial.number, state=TrialState.FAIL)

    def _asked(self, count: int) -> Iterator[Run]:
        for _ in range(count):
            trial = self.study.ask()
            values = {each.key: each.suggest(trial) for each in self.space}
            name = _name(trial)
            chosen = self._settings(values)
            settings = [*chosen, *without_refit(self.plan)]
            run = replace(self.model, name=name, directory=self.directory / name, settings=settings)
            self.trials[run] = trial
            self.say(f"{run}: {' '.join(chosen)}")
            yield run

    def _settings(self, values: Mapping[str, Any]) -> list[str]:
        return [setting for each in self.space for setting in each.settings(values[each.key], self.plan)]

    def _goes_on(self, run: Run, line: Mapping[str, Any]) -> bool:
        trial = self.trials[run]
        trial.report(line["selected"], line["epoch"])
        return not trial.should_prune()

    def _ended(self, run: Run, reason: str) -> None:
        trial, before = self.trials.pop(run), self._best()
        if reason and before is None:
            self.study.tell(trial, state=TrialState.FAIL)
            raise PolytagError(f"{run}: the training failed: {reason}")
        if reason or not run.is_done:
            self.study.tell(trial, state=TrialState.PRUNED)
            self.say(f"{run}: {reason or f'stopped early, after epoch {len(run.epochs())}'}")
            shutil.rmtree(run.directory, ignore_errors=True)
            return
        score = max(line["selected"] for line in run.epochs())
        self.study.tell(trial, score)
        is_better = before is None or score > (before.value or 0.0)
        self.say(f"{run}: dev {score:.2f}{' (best so far)' if is_better else ''}")
        worse = self.directory / _name(before) if is_better and before else run.directory
        if before:
            shutil.rmtree(worse, ignore_errors=True)

    def _best(self) -> FrozenTrial | None:
        complete = self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        return max(complete, key=lambda trial: trial.value or 0.0, default=None)

    def summary(self) -> Tuned:
        """Write the winning plan and the list of trials."""
        best = self._best()
        if best is None or best.value is None:
            raise PolytagError(f"{self.directory}: no trial came to its end, expected more --trials")
        ended = [trial for trial in self.study.get_trials(deepcopy=False) if trial.state in ENDED]
        rows = sorted(ended, key=_rank)
        write_json(self.directory / TRIALS, [self._as_json(trial) for trial in rows])
        settings, plan = self._settings(best.params), self.directory / BEST
        comment = f"# By polytag tune, {_name(best)}, the best of {len(ended)}: dev {best.value:.2f} with\n"
        comment += "".join(f"#   {setting}\n" for setting in settings)
        copy_plan(self.model.plan, plan, self.plan, settings=settings, comment=comment)
        return Tuned(self._table(rows), plan, best.value, self.directory / _name(best))

    def _table(self, trials: Sequence[FrozenTrial]) -> str:
        lines = [["trial", "dev", "epochs", *(each.key for each in self.space)]]
        for trial in trials:
            score = f"{trial.value:.2f}" if trial.state == TrialState.COMPLETE else "stopped"
            values = [_short(trial.params[each.key]) for each in self.space]
            lines.append([_name(trial), score, str(len(trial.intermediate_values)), *values])
        return aligned(lines, left=1)

    def _as_json(self, trial: FrozenTrial) -> dict[str, Any]:
        return {
            "trial": _name(trial),
            "dev": trial.value if trial.state == TrialState.COMPLETE else None,
            "epochs": [score for _, score in sorted(trial.intermediate_values.items())],
            "settings": self._settings(trial.params),
        }


def _name(trial: Trial | FrozenTrial) -> str:
    """Of its directory: one that a kill left is taken up by another trial."""
    return str(trial.user_attrs.get("run", f"trial{trial.number}"))


def _rank(trial: FrozenTrial) -> tuple[bool, float]:
    """The best first, what was stopped last."""
    is_stopped = trial.state != TrialState.COMPLETE
    return is_stopped, -(trial.value or 0.0)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
