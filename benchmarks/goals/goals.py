"""The goals, as a table, and what it means to reach one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.goals.machine import has_amx

AT_LEAST, AT_MOST = "at least", "at most"
PASS, SHORT, FAILED = "pass", "short", "not measured"

FORMATS: Mapping[str, str] = {
    "x": "{:.2f} x", "%": "{:.1f} %", "words/s": "{:,.0f} words/s", "ms": "{:.2f} ms", "s": "{:.2f} s",
    "MB": "{:,.0f} MB", "F1": "{:.3f} F1",
}  # fmt: skip


@dataclass(frozen=True)
class Goal:
    """One row: what is measured, by which measurement, and the bound."""

    name: str
    title: str
    direction: str
    bound: float
    unit: str
    group: str  # the measurement that gives its figure; see `benchmarks.goals.run`

    def show(self, value: float) -> str:
        """A value of this goal, with its unit."""
        return FORMATS[self.unit].format(value)


@dataclass(frozen=True)
class Figure:
    """What was measured for one goal; ``measured`` is None where that failed, and the note says why."""

    measured: float | None
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A goal with its figure."""

    goal: Goal
    figure: Figure

    @property
    def ratio(self) -> float | None:
        """How many times as good as the bound: 1 or more is a pass; None if that cannot be said."""
        measured, bound = self.figure.measured, self.goal.bound
        if measured is None or measured <= 0:
            return None
        return measured / bound if self.goal.direction == AT_LEAST else bound / measured

    @property
    def verdict(self) -> str:
        """One of PASS, SHORT and FAILED; a figure that is no number is short."""
        measured, bound = self.figure.measured, self.goal.bound
        if measured is None:
            return FAILED
        return PASS if (measured >= bound if self.goal.direction == AT_LEAST else measured <= bound) else SHORT


_PAPERS = 0.6 if has_amx() else 0.4

GOALS = (
    Goal("step-32", "training, whole step, batch 32, against torch.nn.GRU", AT_LEAST, 1.8, "x", "step"),
    Goal("step-10", "the same, batch 10", AT_LEAST, 1.8, "x", "step"),
    Goal("layers-32", "training, recurrent layers, share of bare products, batch 32", AT_LEAST, 92, "%", "layers"),
    Goal("layers-10", "the same, batch 10", AT_LEAST, 92, "%", "layers"),
    Goal("threads", "training, whole step, two threads against one", AT_LEAST, 1.7, "x", "threads"),
    Goal("small-float32", "small network against CRFsuite, file to file, float32", AT_LEAST, 2, "x", "files"),
    Goal("small-fastest", "the same, fastest precision within 0.05 F1", AT_LEAST, 3, "x", "files"),
    Goal("paper-fastest", "paper's network against CRFsuite, the same", AT_LEAST, _PAPERS, "x", "files"),
    Goal("bulk-auto", "tagging file to file, paper's network, auto", AT_LEAST, 20_000, "words/s", "files"),
    Goal("bulk-int8", "the same, int8", AT_LEAST, 30_000, "words/s", "files"),
    Goal("loss-bfloat16", "F1 that bfloat16 loses against float32, paper's network", AT_MOST, 0.05, "F1", "loss"),
    Goal("loss-int8", "F1 that int8 loses, paper's network", AT_MOST, 0.05, "F1", "loss"),
    Goal("loss-small-int8", "the same, small network", AT_MOST, 0.05, "F1", "loss"),
    Goal("workers", "tagging, two worker processes against one, paper's network", AT_LEAST, 1.8, "x", "workers"),
    Goal("workers-small", "the same, small network", AT_LEAST, 1.8, "x", "workers"),
    Goal("threads-tagging", "calls of 100 sentences or more, two threads against one", AT_LEAST, 1.7, "x", "calls"),
    Goal("sentence-small", "one sentence of 17 words, p50, small network, float32", AT_MOST, 0.25, "ms", "sentence"),
    Goal("sentence-small-auto", "the same, auto", AT_MOST, 0.25, "ms", "sentence"),
    Goal("sentence-paper", "one sentence, p50, paper's network, float32", AT_MOST, 1.5, "ms", "sentence"),
    Goal("sentence-paper-auto", "the same, auto", AT_MOST, 1.5, "ms", "sentence"),
    Goal("start", "cold start to the first tagged sentence, paper's network", AT_MOST, 0.4, "s", "start"),
    Goal("start-small", "the same, small network", AT_MOST, 0.4, "s", "start"),
    Goal("help", "polytag --help", AT_MOST, 0.3, "s", "start"),
    Goal("tasks", "tagging, all tasks of a file against its named entities alone, time", AT_MOST, 1.15, "x", "tasks"),
    Goal("memory-paper", "tagging a large file, peak less weights, paper's network", AT_MOST, 150, "MB", "memory"),
    Goal("memory-small", "the same, small network", AT_MOST, 150, "MB", "memory"),
    Goal("memory-training", "peak memory, training with its evaluation", AT_MOST, 1_500, "MB", "memory-training"),
)  # fmt: skip


def chosen(names: Sequence[str]) -> list[Goal]:
    """The goals of these names or groups, in the order of the table; all without any.

    Raises:
        ValueError: a name is neither.
    """
    known = {name for goal in GOALS for name in (goal.name, goal.group)}
    for name in names:
        if name not in known:
            raise ValueError(f"no goal '{name}', expected some of {', '.join(goal.name for goal in GOALS)}")
    return [goal for goal in GOALS if not names or goal.name in names or goal.group in names]
