"""Training: the whole step against torch.nn.GRU, and two threads against one."""

from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks import training_step
from benchmarks.goals.goals import Figure
from benchmarks.goals.processes import MeasurementError
from benchmarks.goals.setting import Setting
from benchmarks.training_step import BEFORE, PRODUCTS, TORCH, WARM_UP, Settings, plan_for, trainer_of
from polytag.plan import Plan
from polytag.training import prepare

BATCHES = (32, 10)
CONTEST = 32  # sentences per step where threads are compared


def settings_of(setting: Setting, *, batch: int) -> Settings:
    """How much to run."""
    if setting.quick:
        return Settings(batch=batch, steps=1, rounds=1, tiny=True)
    return Settings(batch=batch, steps=256 // batch, rounds=5)


def steps(setting: Setting) -> dict[str, Figure]:
    """The whole step for each batch size, on one thread; the networks are compared before."""
    torch.set_num_threads(1)
    return {f"step-{batch}": _step(setting, settings_of(setting, batch=batch)) for batch in BATCHES}


def _step(setting: Setting, settings: Settings) -> Figure:
    with training_step.corpus(data_of(setting), settings) as (path, _):
        difference, speeds = training_step.compare(path, settings)
    results = training_step.summary(speeds)
    ours, theirs, products = (results[name] for name in (BEFORE, TORCH, PRODUCTS))
    return Figure(
        ours["ratio"],
        f"{ours['words_per_second']:,.0f} words/s against {theirs['words_per_second']:,.0f}; bare products alone "
        f"{products['words_per_second']:,.0f}, of which the whole step reaches {ours['share_of_products']:.0%}",
        {"largest_difference": difference, "contenders": results},
    )


def threads(setting: Setting) -> dict[str, Figure]:
    """Two processes, of one and of two threads, each of which trains while the other waits."""
    settings = settings_of(setting, batch=CONTEST)
    with training_step.corpus(data_of(setting), settings) as (path, _):
        speeds = in_turn(plan_for(path, settings), settings)
    ratio = median(two / one for one, two in zip(speeds[1], speeds[2], strict=True))
    one, two = (median(speeds[count]) for count in (1, 2))
    return {"threads": Figure(ratio, f"batch {CONTEST}: {two:,.0f} words/s against {one:,.0f}", {"words/s": speeds})}


def data_of(setting: Setting) -> Path | None:
    """The directory of the corpus, if there is one."""
    return Path(setting.data) if setting.data else None


def in_turn(plan: Plan, settings: Settings) -> Mapping[int, list[float]]:
    """Words per second of each round, by the number of threads, one or two."""
    context = get_context("spawn")
    lines: dict[int, Any] = {}
    processes = []
    for count in (1, 2):
        lines[count], theirs = context.Pipe()
        processes.append(context.Process(target=_train_when_told, args=(theirs, count, plan, settings), daemon=True))
        processes[-1].start()
        theirs.close()
    try:
        return _rounds(lines, settings.rounds)
    except EOFError:
        raise MeasurementError("a training ended with an error") from None
    finally:
        for line in lines.values():
            line.close()
        for process in processes:
            process.join(60)


def _rounds(lines: Mapping[int, Any], rounds: int) -> Mapping[int, list[float]]:
    speeds: dict[int, list[float]] = {count: [] for count in lines}
    for line in lines.values():
        line.recv()  # it is ready
    for number in range(rounds):
        for count in sorted(lines, reverse=number % 2 == 1):
            lines[count].send(None)
            speeds[count].append(lines[count].recv())
    return speeds


def _train_when_told(line: "Connection[Any, Any]", count: int, plan: Plan, settings: Settings) -> None:
    """A process that trains one round whenever it is told to, with so many threads, as `polytag train` would."""
    torch.set_num_threads(count)
    training = plan.training.model_copy(update={"threads": count})
    step = trainer_of(prepare(plan.model_copy(update={"training": training})))
    for _ in range(WARM_UP):
        step()
    line.send(None)
    while True:
        try:
            line.recv()
        except EOFError:
            return
        words, seconds = zip(*(step() for _ in range(settings.steps)), strict=True)
        line.send(sum(words) / sum(seconds))
