"""Peak memory: of tagging, as the file grows, and of a training."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.goals.goals import Figure
from benchmarks.goals.processes import call, peak_megabytes
from benchmarks.goals.setting import REAL_PLAN, Setting, small_plan, with_new_words
from benchmarks.goals.tagging import run_of

MEGABYTES = (12, 12, 24)  # of files that one process tags one after the other; what it remembers is full by then
QUICK, FULL = (0.05, 0.05), (*MEGABYTES, 1_000)


def tagging(setting: Setting) -> dict[str, Figure]:
    """The peak after each of several files of ever new words, so that whatever is remembered of words overflows."""
    sizes = QUICK if setting.quick else FULL if setting.full else MEGABYTES
    files = [
        with_new_words(setting.test, setting.path / f"large-{i}.conll", size=int(1e6 * size), seed=i)
        for i, size in enumerate(sizes)
    ]
    run = run_of(setting, files)()
    for file in (*files, setting.path / "tagged.conll"):
        file.unlink()
    so_far = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    peaks = ", ".join(f"{peak:,.0f} MB after {size:,g}" for peak, size in zip(run["peaks"], so_far, strict=True))
    rest = "" if setting.full else "; --full goes on to 1 GB"
    note = f"{peaks} MB of text, one word in ten never seen before{rest}"
    return {"memory-tagging": Figure(run["peaks"][-1], note, {"megabytes": so_far, **run})}


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
