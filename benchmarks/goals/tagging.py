"""Bulk tagging: workers, several tasks, and what a precision costs in F1. `files` has its speed.

Each run is a process of its own that does what `polytag tag MODEL FILES -o OUT --threads 1` does. Loading is timed
apart; words that the process sees for the first time are part of the figure.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.goals.goals import Figure
from benchmarks.goals.processes import MeasurementError, call, interleaved
from benchmarks.goals.setting import Setting, repeated, words_in

COPIES = {"paper": 4, "small": 16}  # of the test file, by network
ROUNDS = 3
Runs = list[dict[str, Any]] | MeasurementError


def tag_files(
    *,
    model: str,
    files: Sequence[str],
    output: str,
    precision: str | None = None,
    workers: int = 1,
    tasks: Sequence[str] = (),
) -> dict[str, float]:
    """Tag files into one; seconds of loading and of all."""
    from polytag.bulk import Assignment, cut, tagging
    from polytag.files import atomic_write
    from polytag.tagger.request import Request

    began = time.perf_counter()
    assignment = Assignment(model=model, request=Request(tasks), precision=precision, threads=1)
    with tagging(assignment, workers=workers) as rendered:
        loaded = time.perf_counter()
        with atomic_write(output, "wb") as target:
            for file in files:
                target.writelines(rendered(cut(Path(file), format="conll")))
        seconds = time.perf_counter() - loaded
    return {"loading": loaded - began, "seconds": seconds}


def run_of(setting: Setting, files: Sequence[Path], **options: Any) -> Callable[[], dict[str, Any]]:
    """One run of `tag_files` in a fresh process at each call."""
    options = {"model": setting.model, "output": str(setting.path / "tagged.conll"), **options}
    return partial(call, "benchmarks.goals.tagging:tag_files", files=[str(file) for file in files], **options)


def workers(setting: Setting) -> dict[str, Figure]:
    """Two worker processes against one process, with each network."""
    return {name: _workers(setting, network) for name, network in (("workers", "paper"), ("workers-small", "small"))}


def _workers(setting: Setting, network: str) -> Figure:
    text = repeated(setting.test, setting.path / "text.conll", copies=1 if setting.quick else COPIES[network])
    run = partial(run_of, setting, [text], model=setting.models[network])
    results = interleaved({str(count): run(workers=count) for count in (1, 2)}, rounds=setting.rounds(ROUNDS))
    return _times_as_fast(results["1"], results["2"], words_in(text))


def _times_as_fast(one: Runs, two: Runs, words: int) -> Figure:
    if isinstance(one, MeasurementError) or isinstance(two, MeasurementError):
        return Figure(None, str(one if isinstance(one, MeasurementError) else two))
    ratio = median(a["seconds"] / b["seconds"] for a, b in zip(one, two, strict=True))
    speeds = [median(words / run["seconds"] for run in runs) for runs in (one, two)]
    loading = [median(run["loading"] for run in runs) for runs in (one, two)]
    return Figure(
        ratio,
        f"{speeds[1]:,.0f} words/s against {speeds[0]:,.0f}; not counted is what starting and loading take, "
        f"{loading[1]:.1f} and {loading[0]:.1f} s",
        {"one": one, "two": two},
    )


def loss(setting: Setting) -> dict[str, Figure]:
    """F1 of each precision on the test file, against float32."""
    return {**_loss(setting, "paper", "loss", "bfloat16", "int8"), **_loss(setting, "small", "loss-small", "int8")}


def _loss(setting: Setting, network: str, name: str, *precisions: str) -> dict[str, Figure]:
    from polytag.errors import PolytagError
    from polytag.tagger.evaluation import evaluate

    def score(precision: str) -> float:
        (counts,) = evaluate(setting.models[network], data_file=setting.test, precision=precision, threads=1).values()
        return counts.score

    exact, figures = score("float32"), {}
    for precision in precisions:
        try:
            found = score(precision)
            figures[f"{name}-{precision}"] = Figure(exact - found, f"{found:.3f} against {exact:.3f}")
        except PolytagError as error:
            figures[f"{name}-{precision}"] = Figure(None, str(error))
    return figures


def tasks(setting: Setting) -> dict[str, Figure]:
    """All tasks of the training file by one network, against its named entities alone."""
    model = setting.path / "several-tasks"
    call("benchmarks.goals.tagging:make_several_tasks", setting=setting.arguments(), output=str(model))
    text = repeated(setting.test, setting.path / "text.conll", copies=2)
    every = list(setting.columns)
    run = partial(run_of, setting, [text], model=str(model))
    results = interleaved({"ner": run(tasks=["ner"]), "all": run(tasks=every)}, rounds=setting.rounds(ROUNDS))
    one, several = results["ner"], results["all"]
    if isinstance(one, MeasurementError) or isinstance(several, MeasurementError):
        return {"tasks": Figure(None, str(one if isinstance(one, MeasurementError) else several))}
    ratio = median(b["seconds"] / a["seconds"] for a, b in zip(one, several, strict=True))
    note = f"{' + '.join(every)}; the paper's network with fresh weights, for decoding costs the same whatever they are"
    return {"tasks": Figure(ratio, note, {"one": one, "several": several})}


def make_several_tasks(*, setting: dict[str, Any], output: str) -> None:
    """A model directory with all tasks of the training file, which share characters and words; never trained."""
    from polytag.model import Model, save_model
    from polytag.plan_file import make_plan
    from polytag.training import prepare
    from polytag.training.torch_network import arrays_of

    here = Setting(**setting)
    size = {"hidden": 8} if here.quick else {}
    tasks = {name: {"chars": "c", "words": "w", "train": [str(here.train)], "columns": {"tag": column}}
             for name, column in here.columns.items()}  # fmt: skip
    made = prepare(make_plan({"chars": {"c": size}, "words": {"w": size}, "tasks": tasks}))
    save_model(Model(made.plan, made.vocabularies, arrays_of(made.network.state_dict())), output)
