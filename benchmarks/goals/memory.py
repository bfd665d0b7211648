"""Peak memory: of tagging, as the file grows, and of a training."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.goals.goals import Figure
from benchmarks.goals.processes import MeasurementError, call, peak_megabytes
from benchmarks.goals.setting import REAL_PLAN, Setting, small_plan, with_new_words

MEGABYTES = (12, 24)  # of text that one process tags: what it remembers of words is full by then
QUICK, FULL = (0.05,), (*MEGABYTES, 1_000)


def tagging(setting: Setting) -> dict[str, Figure]:
    """`polytag tag` of ever longer files of ever new words, so that whatever is remembered of words overflows."""
    sizes = QUICK if setting.quick else FULL if setting.full else MEGABYTES
    files = {
        size: with_new_words(setting.test, setting.path / f"large-{size}.conll", size=int(1e6 * size)) for size in sizes
    }
    return {f"memory-{network}": _peak(setting, model, files) for network, model in setting.models.items()}


def _peak(setting: Setting, model: str, files: dict[float, Path]) -> Figure:
    output = str(setting.path / "tagged.conll")
    peaks = {
        size: call("benchmarks.goals.memory:tag", arguments=[model, str(file), "--threads", "1", "-o", output])
        for size, file in files.items()
    }
    weights = sum(file.stat().st_size for file in Path(model).glob("weights.*")) / 1e6
    told = ", ".join(f"{peak:,.0f} MB with {size:,g} MB" for size, peak in peaks.items())
    rest = "" if setting.full else "; --full goes on to 1 GB"
    note = f"{told} of text, one word in ten never seen before; of these the weights are {weights:,.0f} MB{rest}"
    return Figure(max(peaks.values()) - weights, note, {"weights": weights, "peaks": peaks})


def tag(*, arguments: list[str]) -> float:
    """`polytag tag` in this process; its peak."""
    from polytag.cli import main

    try:
        main(["tag", *arguments])
    except SystemExit as end:
        if end.code:
            raise MeasurementError(f"polytag tag: exit code {end.code}") from None
    return peak_megabytes()


def training(setting: Setting) -> dict[str, Figure]:
    """One epoch with its evaluation and report, on one thread."""
    run = call("benchmarks.goals.memory:train_an_epoch", setting=setting.arguments())
    note = f"{run['steps']} steps and an evaluation, {run['seconds']:.0f} s; {run['plan']}"
    return {"memory-training": Figure(run["peak"], note, run)}


def train_an_epoch(*, setting: dict[str, Any]) -> dict[str, Any]:
    """Train for one epoch in this process."""
    from time import perf_counter

    from polytag.plan_file import load_plan
    from polytag.training import Step, train_events

    here = Setting(**setting)
    plan, name = small_plan(epochs=1), "a small network on examples/news"
    if here.data and not here.quick:
        changes = ["training.epochs=1", "training.threads=1", "training.recipe=best"]
        name = "examples/plans/conll2003-ner.toml, recipe best"
        if not plan_has_vectors(here.data):
            changes, name = [*changes, "words.english.vectors=none"], name + ", without vectors"
        plan = load_plan(REAL_PLAN, data=here.data, settings=changes)
    began, steps = perf_counter(), 0
    with tempfile.TemporaryDirectory() as directory:
        for event in train_events(plan, output=Path(directory) / "model"):
            steps += isinstance(event, Step)
    return {"peak": peak_megabytes(), "steps": steps, "seconds": perf_counter() - began, "plan": name}


def plan_has_vectors(data: str) -> bool:
    """Whether the vectors that the plan names are there."""
    return Path(data, "vectors", "en.vec.gz").exists()
