"""From goals to rows: each measurement in a process of its own; one that fails gives rows that say so."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from benchmarks.goals.goals import Figure, Goal, Row
from benchmarks.goals.machine import Watch
from benchmarks.goals.processes import MeasurementError, call
from benchmarks.goals.setting import Setting, make_small_model

# group -> module and function: a function of a setting that gives a figure for each goal of the group
MEASUREMENTS: Mapping[str, str] = {
    "step": "benchmarks.goals.training:steps",
    "layers": "benchmarks.goals.layers:layers",
    "threads": "benchmarks.goals.training:threads",
    "files": "benchmarks.goals.files:files",
    "loss": "benchmarks.goals.tagging:loss",
    "workers": "benchmarks.goals.tagging:workers",
    "calls": "benchmarks.goals.latency:calls",
    "sentence": "benchmarks.goals.latency:sentence",
    "start": "benchmarks.goals.latency:start",
    "tasks": "benchmarks.goals.tagging:tasks",
    "memory": "benchmarks.goals.memory:tagging",
    "memory-training": "benchmarks.goals.memory:training",
}
WITHOUT_MODEL = {"step", "layers", "threads", "memory-training"}
TIMEOUT = 1_800.0  # seconds for a measurement, but for a gigabyte

Measure = Callable[[str, Setting], Mapping[str, Figure]]


def in_process(group: str, setting: Setting) -> dict[str, Figure]:
    """Run one measurement in a fresh process.

    Raises:
        MeasurementError: it failed.
    """
    if group not in WITHOUT_MODEL:
        make_small_model(setting)
    timeout = None if setting.full else TIMEOUT
    found = call("benchmarks.goals.run:measure", timeout=timeout, group=group, setting=setting.arguments())
    return {name: Figure(**figure) for name, figure in found.items()}


def measure(*, group: str, setting: dict[str, Any]) -> Mapping[str, Figure]:
    """Run one measurement in this process."""
    module, _, name = MEASUREMENTS[group].partition(":")
    figures: Mapping[str, Figure] = getattr(import_module(module), name)(Setting(**setting))
    return figures


def rows_of(
    goals: Sequence[Goal], setting: Setting, *, tell: Callable[[str], None], how: Measure = in_process
) -> tuple[list[Row], dict[str, float]]:
    """Measure all goals; the rows in order, and how many cores others used during each measurement."""
    figures: dict[str, Figure] = {}
    others: dict[str, float] = {}
    for group in dict.fromkeys(goal.group for goal in goals):
        tell(f"measuring: {group}")
        watch = Watch()
        try:
            figures.update(how(group, setting))
        except MeasurementError as error:
            figures.update({goal.name: Figure(None, str(error)) for goal in goals if goal.group == group})
        others[group] = watch.others()
    return [Row(goal, figures.get(goal.name, Figure(None, "the measurement gave no figure"))) for goal in goals], others
