"""How long one waits: for one sentence in a warm process, and for a process to start."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.goals.goals import Figure
from benchmarks.goals.processes import MeasurementError, environment, interleaved
from benchmarks.goals.setting import Setting

WORDS = 17
MOST = 100  # sentences timed
WARM_UP = 50  # others, tagged before
TEXT = "Angela Merkel flew from Berlin to Lima on Tuesday to meet the president of Peru , officials said .\n"


def sentence(setting: Setting) -> dict[str, Figure]:
    """Sentences of 17 words, one by one, as they would come: some of their words were never seen before."""
    import torch

    from polytag.corpus import read

    torch.set_num_threads(1)
    every = [list(sentence.words) for sentence in read(setting.test)]
    timed = [words for words in every if len(words) == WORDS]
    if len(timed) < WARM_UP:  # a small file
        text = [word for words in every for word in words]
        timed = [text[i : i + WORDS] for i in range(0, len(text) - WORDS, WORDS)]
    others = [words for words in every if len(words) != WORDS][:WARM_UP]
    contenders = {
        f"sentence-{precision}": partial(_latencies, setting.model, precision, others, timed[:MOST])
        for precision in ("float32", "auto")
    }
    results = interleaved(contenders, rounds=setting.rounds(5))
    return {name: _figure(rounds) for name, rounds in results.items() if not isinstance(rounds, MeasurementError)}


def _latencies(
    model: str, precision: str, others: Sequence[Sequence[str]], timed: Sequence[Sequence[str]]
) -> dict[str, list[float]]:
    """Milliseconds of each sentence the first time, and again, by a tagger that has tagged others before."""
    from polytag.tagger.tagging import Tagger

    tagger = Tagger.load(model, precision=precision)
    for words in others:
        tagger.tag(words)
    return {name: list(_milliseconds(tagger, timed)) for name in ("first", "again")}


def _milliseconds(tagger: Any, sentences: Sequence[Sequence[str]]) -> Iterator[float]:
    for words in sentences:
        began = time.perf_counter()
        tagger.tag(words)
        yield 1000 * (time.perf_counter() - began)


def _figure(rounds: Sequence[dict[str, list[float]]]) -> Figure:
    def percentile(which: str, hundredth: int) -> float:
        return median(quantiles(of[which], n=100, method="inclusive")[hundredth - 1] for of in rounds)

    p50, p95 = percentile("first", 50), percentile("first", 95)
    again = percentile("again", 50), percentile("again", 95)
    return Figure(
        p50,
        f"{len(rounds[0]['first'])} sentences, p95 {p95:.2f} ms; the same ones again, all words known: p50 "
        f"{again[0]:.2f} ms, p95 {again[1]:.2f} ms",
        {"p50": p50, "p95": p95, "again_p50": again[0], "again_p95": again[1]},
    )


def start(setting: Setting) -> dict[str, Figure]:
    """Fresh processes of the command line, with as many threads as it takes by itself."""
    script = shutil.which("polytag", path=str(Path(sys.executable).parent))
    command = [script] if script else [sys.executable, "-m", "polytag"]
    contenders = {
        "start": partial(_first_line, [*command, "tag", setting.model, "--from", "tokenised"]),
        "help": partial(_first_line, [*command, "--help"]),
    }
    interleaved(contenders, rounds=1)  # so that all files are in memory
    results = interleaved(contenders, rounds=setting.rounds(7))
    return {name: _seconds(times) for name, times in results.items()}


def _first_line(command: Sequence[str]) -> tuple[float, float]:
    """Seconds to the first line of output, and to the end of the process."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(TEXT)
        process.stdin.close()
        first = process.stdout.readline()
        seconds = time.perf_counter() - began
        process.stdout.read()
    if process.returncode or not first:
        raise MeasurementError(f"{' '.join(command[1:2])}: exit code {process.returncode}")
    return seconds, time.perf_counter() - began


def _seconds(times: Sequence[tuple[float, float]] | MeasurementError) -> Figure:
    if isinstance(times, MeasurementError):
        return Figure(None, str(times))
    first, end = ([pair[i] for pair in times] for i in (0, 1))
    spread = f"{min(first):.2f} to {max(first):.2f} s"
    note = f"{len(times)} processes, {spread}; to the end of the process {median(end):.2f} s"
    return Figure(median(first), note, {"first_line": first, "end": end})
