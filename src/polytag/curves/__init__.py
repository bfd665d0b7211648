"""Curves: does joint training help a task, and what would more annotation bring? Trained, measured, answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from os import PathLike
from pathlib import Path

from polytag.curves.answer import answer
from polytag.curves.estimates import Point, points
from polytag.curves.forecast import FEWEST, told
from polytag.curves.runs import Question, Result, train_runs
from polytag.curves.write import PLOT, TABLE, table, write_all
from polytag.errors import PlanError
from polytag.reports.chart import check_matplotlib


@dataclass(frozen=True)
class Curve:
    """A measured curve: every training's result, the points, a Markdown table, two sentences, and where files lie.

    ``answer`` says what was measured, ``forecast`` what more annotation would bring.
    """

    results: Sequence[Result]
    points: Sequence[Point]
    table: str
    answer: str
    forecast: str
    page: Path
    plot: Path


def curve(
    plan: str | PathLike[str],
    *,
    task: str,
    rates: Sequence[float] = (0.03, 0.1, 0.3, 1.0),
    partners: Sequence[str] = (),
    seeds: int = 3,
    more: Sequence[int] = (),
    split: str = "dev",
    output: str | PathLike[str],
    settings: Sequence[str] = (),
    data: str | PathLike[str] | None = None,
    jobs: int = 1,
    say: Callable[[str], None] = lambda line: None,  # noqa: ARG005
) -> Curve:
    """Train a task at several labeling rates, alone and with partners, and write table, plot and two sentences.

    Killed, it goes on where it was when called again. Rates and seeds can be added later to the same directory.

    Args:
        plan: a plan file that holds the task and its partners.
        task: whose labels are rationed.
        rates: shares of the training sentences, above 0 and at most 1.
        partners: tasks that are trained with it in one network, with all their labels; none: only the curve alone.
        seeds: how many trainings behind each point; each draws its own sentences.
        more: numbers of sentences more than at the highest rate, to say what they would bring, which takes at least
            three rates; half as many again unless given.
        split: whose scores are read, ``"dev"`` or ``"test"``; the epoch is chosen on dev either way.
        output: the directory for everything.
        settings: laid over the plan, ``"training.epochs=5"``.
        data: where the plan's relative paths are looked up after its own directory.
        jobs: how many trainings at a time.
        say: gets a line of progress now and then.

    Raises:
        PolytagError: the plan, the output or a training cannot be used, or PyTorch or matplotlib is not installed.
    """
    if find_spec("torch") is None:  # which is not loaded here: only the trainings, processes of their own, work with it
        import_module("polytag.training")  # says so
    check_matplotlib()
    if more and len(set(rates)) < FEWEST:
        raise PlanError(
            f"found {len(set(rates))} rates, expected at least {FEWEST} to say what more annotation would bring"
        )
    question = Question(
        plan=Path(plan).resolve(),
        task=task,
        partners=tuple(dict.fromkeys(partners)),
        rates=tuple(sorted(set(rates))),
        seeds=tuple(range(1, seeds + 1)),
        split=split,
        output=Path(output).resolve(),
        settings=tuple(settings),
        data=None if data is None else Path(data).resolve(),
    )
    results = train_runs(question, jobs=max(1, jobs), say=say)
    found = points(results)
    write_all(question, results, found, more)
    sentence = answer(found, partners=question.partners, metric=results[0].metric)
    next_step = told(results, more)
    return Curve(
        results, found, table(question, found), sentence, next_step, question.output / TABLE, question.output / PLOT
    )
