"""How long one waits: for one sentence or some hundred in a warm process, and for a process to start."""

import math
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
CALLS = (100, 300, 1_000)  # sentences
BARE = ", no torch"
TEXT = "Angela Merkel flew from Berlin to Lima on Tuesday to meet the president of Peru , officials said .\n"


def sentence(setting: Setting) -> dict[str, Figure]:
    """Sentences of 17 words, one by one, of a tagger that has seen 50 others, so that half of the words are new to it.

    Told beside it: once more, where all words are known; and as they come in the whole file, of a tagger just loaded.
    """
    from polytag.corpus import read

    every = [list(sentence.words) for sentence in read(setting.test)]
    others = [words for words in every if len(words) != WORDS][:WARM_UP]
    if sum(map(_is_timed, every)) < WARM_UP:  # a small file
        text = [word for words in every for word in words]
        every = [text[i : i + WORDS] for i in range(0, len(text) - WORDS, WORDS)]
    contenders = {
        f"sentence-{network}{suffix}": partial(_latencies, model, precision, others, every)
        for network, model in setting.models.items()
        for suffix, precision in (("", "float32"), ("-auto", "auto"))
    }
    results = interleaved(contenders, rounds=setting.rounds(5))
    return {name: _figure(rounds) for name, rounds in results.items() if not isinstance(rounds, MeasurementError)}


def _is_timed(words: Sequence[str]) -> bool:
    return len(words) == WORDS


def _latencies(
    model: str, precision: str, others: Sequence[Sequence[str]], every: Sequence[Sequence[str]]
) -> dict[str, list[float]]:
    """Milliseconds of each timed sentence the first time, again, and as they come in the file."""
    from polytag.tagger.tagging import Tagger

    tagger, fresh = (Tagger.load(model, precision=precision, threads=1) for _ in range(2))
    for words in others:
        tagger.tag(words)
    timed = list(filter(_is_timed, every))[:MOST]
    found = {name: list(_milliseconds(tagger, timed)) for name in ("first", "again")}
    stream = zip(every, _milliseconds(fresh, every), strict=True)
    return found | {"stream": [ms for words, ms in stream if _is_timed(words)]}


def _milliseconds(tagger: Any, sentences: Sequence[Sequence[str]]) -> Iterator[float]:
    for words in sentences:
        began = time.perf_counter()
        tagger.tag(words)
        yield 1000 * (time.perf_counter() - began)


def _figure(rounds: Sequence[dict[str, list[float]]]) -> Figure:
    def percentile(which: str, hundredth: int) -> float:
        return median(quantiles(of[which], n=100, method="inclusive")[hundredth - 1] for of in rounds)

    of = {name: (percentile(name, 50), percentile(name, 95)) for name in ("first", "again", "stream")}
    told = {name: f"p50 {p50:.2f} ms, p95 {p95:.2f} ms" for name, (p50, p95) in of.items()}
    return Figure(
        of["first"][0],
        f"{len(rounds[0]['first'])} sentences, p95 {of['first'][1]:.2f} ms; the same ones again, all words known: "
        f"{told['again']}; in the order of the file, by a tagger just loaded: {told['stream']}",
        {name: {"p50": p50, "p95": p95} for name, (p50, p95) in of.items()},
    )


def calls(setting: Setting) -> dict[str, Figure]:
    """Calls with so many sentences, their words known, by one thread and by two, call by call in turn."""
    from polytag.corpus import read

    sentences = list(read(setting.test))
    paper, small = (_gains(model, sentences, setting.rounds(7)) for model in (setting.model, setting.small))
    told = (", ".join(f"{gain:.2f} x with {size:,} sentences" for size, gain in of.items()) for of in (paper, small))
    note = "{}; the small network: {}".format(*told)
    return {"threads-tagging": Figure(min(paper.values()), note, {"paper": paper, "small": small})}


def _gains(model: str, sentences: Sequence[Any], rounds: int) -> dict[int, float]:
    """How many times as fast two threads are, by the number of sentences of a call."""
    from polytag.tagger.tagging import Tagger

    taggers = [Tagger.load(model, threads=count) for count in (1, 2)]
    for tagger in taggers:
        list(tagger.tag_all(sentences))
    return {
        size: _gain(taggers, sentences, size, rounds) for size in CALLS if size <= len(sentences) or size == CALLS[0]
    }


def _gain(taggers: Sequence[Any], sentences: Sequence[Any], size: int, rounds: int) -> float:
    """By the least time that each call took in any round: what others do to both cores must not count."""
    stretches = [sentences[at : at + size] for at in range(0, max(1, len(sentences) - size + 1), size)]
    least = [[math.inf] * len(stretches) for _ in taggers]
    for _ in range(rounds):
        for number, stretch in enumerate(stretches):
            for of, tagger in zip(least, taggers, strict=True):
                began = time.perf_counter()
                list(tagger.tag_all(stretch))
                of[number] = min(of[number], time.perf_counter() - began)
    one, two = map(sum, least)
    return one / two


def start(setting: Setting) -> dict[str, Figure]:
    """Fresh processes of the command line, with as many threads as it takes by itself; also as if torch were absent."""
    hidden = setting.path / "without-torch"
    hidden.mkdir(exist_ok=True)
    (hidden / "torch.py").write_text('raise ModuleNotFoundError("No module named \'torch\'", name="torch")\n')
    script = shutil.which("polytag", path=str(Path(sys.executable).parent))
    command = [script] if script else [sys.executable, "-m", "polytag"]
    tag = {"": setting.model, "-small": setting.small}
    contenders = {
        f"start{name}{bare}": partial(_first_line, [*command, "tag", model, "--from", "tokenised"], path)
        for name, model in tag.items()
        for bare, path in (("", ""), (BARE, str(hidden)))
    } | {"help": partial(_first_line, [*command, "--help"], "")}
    interleaved(contenders, rounds=1)  # so that all files are in memory
    results = interleaved(contenders, rounds=setting.rounds(7))
    return {name: _seconds(times, results.get(name + BARE)) for name, times in results.items() if BARE not in name}


def _first_line(command: Sequence[str], path: str) -> tuple[float, float, str]:
    """Seconds to the first line of output, and to the end of the process; what it wrote.

    Modules in the directory ``path`` hide others.
    """
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(path),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(TEXT)
        process.stdin.close()
        first = process.stdout.readline()
        seconds = time.perf_counter() - began
        rest = process.stdout.read()
    if process.returncode or not first:
        raise MeasurementError(f"{' '.join(command[1:2])}: exit code {process.returncode}")
    return seconds, time.perf_counter() - began, first + rest


Times = Sequence[tuple[float, float, str]] | MeasurementError


def _seconds(times: Times, bare: Times | None) -> Figure:
    """``bare``: the same without torch, where that is of interest."""
    for of in (times, bare):
        if isinstance(of, MeasurementError):
            return Figure(None, str(of))
    assert not isinstance(times, MeasurementError)
    assert not isinstance(bare, MeasurementError)
    first, end = ([one[i] for one in times] for i in (0, 1))
    spread = f"{min(first):.2f} to {max(first):.2f} s"
    note = f"{len(times)} processes, {spread}; to the end of the process {median(end):.2f} s"
    if bare:
        if {one[2] for one in times} != {one[2] for one in bare}:
            return Figure(None, "where there is no torch, it writes something else")
        note += f"; the same bytes where there is no torch, after {median(one[0] for one in bare):.2f} s"
    return Figure(median(first), note, {"first_line": first, "end": end})
