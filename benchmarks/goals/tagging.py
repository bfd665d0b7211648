"""Bulk tagging, file to file: words per second, workers, several tasks, and what a precision costs in F1.

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
from benchmarks.goals.processes import MeasurementError, call, interleaved, peak_megabytes
from benchmarks.goals.setting import Setting, repeated, words_in

COPIES = 4  # of the test file: of the text, a fourth has words never seen before
ROUNDS = 3
Runs = list[dict[str, Any]] | MeasurementError


def tag_files(
    *,
    model: str,
    files: Sequence[str],
    output: str,
    precision: str = "auto",
    workers: int = 1,
    tasks: Sequence[str] = (),
) -> dict[str, Any]:
    """Tag files into one; seconds of loading and of all, and after each file the seconds so far and peak memory."""
    from polytag.bulk import Request, cut, tagging
    from polytag.files import atomic_write

    began = time.perf_counter()
    request = Request(model=model, tasks=tuple(tasks), precision=precision, threads=1)
    marks, peaks = [], []
    with tagging(request, workers=workers) as rendered:
        loaded = time.perf_counter()
        with atomic_write(output, "wb") as target:
            for file in files:
                target.writelines(rendered(cut(Path(file), format="conll")))
                marks.append(time.perf_counter() - loaded)
                peaks.append(peak_megabytes())
        seconds = time.perf_counter() - loaded
    return {"loading": loaded - began, "seconds": seconds, "marks": marks, "peaks": peaks}


def run_of(setting: Setting, files: Sequence[Path], **options: Any) -> Callable[[], dict[str, Any]]:
    """One run of `tag_files` in a fresh process at each call."""
    options = {"model": setting.model, "output": str(setting.path / "tagged.conll"), **options}
    return partial(call, "benchmarks.goals.tagging:tag_files", files=[str(file) for file in files], **options)


def bulk(setting: Setting) -> dict[str, Figure]:
    """Words per second of the default precision and of int8."""
    files = [setting.test, repeated(setting.test, setting.path / "rest.conll", copies=COPIES - 1)]
    words = [words_in(file) for file in files]
    contenders = {f"bulk-{precision}": run_of(setting, files, precision=precision) for precision in ("auto", "int8")}
    results = interleaved(contenders, rounds=setting.rounds(ROUNDS))
    return {name: _speed(runs, words) for name, runs in results.items()}


def _speed(runs: Runs, words: Sequence[int]) -> Figure:
    if isinstance(runs, MeasurementError):
        return Figure(None, str(runs))
    speed = median(sum(words) / run["seconds"] for run in runs)
    first = median(words[0] / run["marks"][0] for run in runs)
    again = median(sum(words[1:]) / (run["seconds"] - run["marks"][0]) for run in runs)
    loading = median(run["loading"] for run in runs)
    return Figure(
        speed,
        f"{sum(words):,} words; the first {words[0]:,}, all of them new, at {first:,.0f} words/s, the rest at "
        f"{again:,.0f}; loading, {loading:.1f} s, is not counted",
        {"runs": runs, "words": list(words)},
    )


def workers(setting: Setting) -> dict[str, Figure]:
    """Two workers against one process."""
    text = repeated(setting.test, setting.path / "text.conll", copies=COPIES)
    results = interleaved(
        {str(count): run_of(setting, [text], workers=count) for count in (1, 2)}, rounds=setting.rounds(ROUNDS)
    )
    return {"workers": _times_as_fast(results["1"], results["2"], words_in(text))}


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
    import torch

    from polytag.errors import PolytagError
    from polytag.tagger.evaluation import evaluate

    torch.set_num_threads(1)

    def score(precision: str) -> float:
        (counts,) = evaluate(setting.model, data_file=setting.test, precision=precision).values()
        return counts.score

    exact, figures = score("float32"), {}
    for precision in ("bfloat16", "int8"):
        try:
            found = score(precision)
            figures[f"loss-{precision}"] = Figure(exact - found, f"{found:.3f} against {exact:.3f}")
        except PolytagError as error:
            figures[f"loss-{precision}"] = Figure(None, str(error))
    return figures


def tasks(setting: Setting) -> dict[str, Figure]:
    """All tasks of the training file by one network, against its named entities alone."""
    model = setting.path / "several-tasks"
    call("benchmarks.goals.tagging:make_several_tasks", setting=setting.arguments(), output=str(model))
    text = repeated(setting.test, setting.path / "text.conll", copies=COPIES // 2)
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
    from polytag.model.checkpoint import save_description
    from polytag.plan_file import make_plan
    from polytag.training import prepare
    from polytag.training.torch_network import save_weights

    here = Setting(**setting)
    size = {"hidden": 8} if here.quick else {}
    tasks = {name: {"chars": "c", "words": "w", "train": [str(here.train)], "columns": {"tag": column}}
             for name, column in here.columns.items()}  # fmt: skip
    tagger = prepare(make_plan({"chars": {"c": size}, "words": {"w": size}, "tasks": tasks})).tagger
    save_description(Path(output), tagger.plan, tagger.vocabularies)
    save_weights(Path(output), tagger.network)
