"""What the driver asks of each contender and what it answers; runs in every peer's environment, so stdlib only.

A contender is a module with three functions; `run` does the rest. The request and the answer are JSON files.

    train(request: Training, directory: Path) -> Trained    writes a model into the directory
    load(directory: Path) -> (tag_all, tag)                 many sentences to their tags; one sentence to its tags

Seconds are the processor's, of one thread: others may share the machine.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

Words = Sequence[str]
Corpus = list[tuple[list[str], list[str]]]  # words and tags of each sentence; tags of spans are IOB2
TagAll = Callable[[Sequence[Words]], Sequence[Sequence[str]]]
Tag = Callable[[Words], Sequence[str]]


@dataclass(frozen=True)
class Training:
    """What to train on and for how long: ``limit`` counts in the contender's own unit."""

    train: Corpus
    dev: Corpus
    limit: int
    full: bool
    seconds: float | None  # neural contenders stop after so many, the others have stopped by themselves
    seed: int
    options: dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """What was done: words in all passes together, and what a reader must know to judge the figures."""

    words: int
    settings: str
    evaluating: float = 0.0  # seconds spent on the development set


class Clock:
    """Adds up the processor's seconds spent in some places, and tells when a budget of them is spent."""

    def __init__(self, budget: float | None = None) -> None:
        self.began, self.budget, self.spent = time.process_time(), budget, 0.0

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent."""
        return self.budget is not None and time.process_time() - self.began > self.budget

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Add the time spent inside."""
        began = time.process_time()
        yield
        self.spent += time.process_time() - began

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time added."""

        def timed(*arguments: Any, **keywords: Any) -> Any:
            with self.counting():
                return function(*arguments, **keywords)

        return timed


def run(
    train: Callable[[Training, Path], Trained], load: Callable[[Path], tuple[TagAll, Tag]], *, packages: Sequence[str]
) -> None:
    """Do what the request in ``sys.argv[1]`` asks and write the answer to ``sys.argv[2]``."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if request["core"] is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {request["core"]})
    answer = _train(train, request) if request["action"] == "train" else _tag(load, request)
    answer["memory_mb"] = peak_memory()
    answer["versions"] = {"python": sys.version.split()[0], **{package: version(package) for package in packages}}
    Path(sys.argv[2]).write_text(json.dumps(answer, indent=2), encoding="utf-8")


def _train(train: Callable[[Training, Path], Trained], request: dict[str, Any]) -> dict[str, Any]:
    """Timed from token lists in memory to a model on disk, imports included only if the library delays them."""
    fields = ("limit", "full", "seconds", "seed", "options")
    corpora = read(request["train"]), read(request["dev"]) if request["dev"] else []
    wanted = Training(*corpora, **{name: request[name] for name in fields})
    began = time.process_time()
    trained = train(wanted, Path(request["model"]))
    seconds = time.process_time() - began
    return {**asdict(trained), "seconds": seconds, "words_per_second": trained.words / (seconds - trained.evaluating)}


def _tag(load: Callable[[Path], tuple[TagAll, Tag]], request: dict[str, Any]) -> dict[str, Any]:
    """Warm up on other text, then tag the test text as new, once more as known, and single sentences."""
    warm_up, test = ([words for words, _ in read(request[name])] for name in ("warm_up", "test"))
    began = time.process_time()
    tag_all, tag = load(Path(request["model"]))
    loading = time.process_time() - began
    tag_all(warm_up)
    seconds, tags = _timed(tag_all, test)
    again, _ = _timed(tag_all, test)
    if request["predictions"]:
        write(Path(request["predictions"]), test, tags)
    count = sum(map(len, test))
    singles = list(_single(tag, request["singles"]))
    return {
        "loading": loading, "words": count,
        "words_per_second": count / seconds, "again": count / again, "milliseconds": singles,
    }  # fmt: skip


def _timed(tag_all: TagAll, sentences: Sequence[Words]) -> tuple[float, Sequence[Sequence[str]]]:
    began = time.process_time()
    tags = tag_all(sentences)
    return time.process_time() - began, tags


def _single(tag: Tag, sentences: Sequence[Words]) -> Iterator[float]:
    """Milliseconds of each, several times over, after a first time that does not count."""
    for sentence in sentences:
        tag(sentence)
    for sentence in [*sentences] * 3:
        began = time.process_time()
        tag(sentence)
        yield 1000 * (time.process_time() - began)


def read(path: str) -> Corpus:
    """The sentences of a file that the driver wrote: word, tab, tag; blank lines between sentences."""
    blocks = Path(path).read_text(encoding="utf-8").strip("\n").split("\n\n")
    rows = [[line.split("\t") for line in block.split("\n")] for block in blocks]
    return [([row[0] for row in sentence], [row[1] for row in sentence]) for sentence in rows]


def write(path: Path, sentences: Sequence[Words], tags: Sequence[Sequence[str]]) -> None:
    """Words and predicted tags, as `read` takes them."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for words, predicted in zip(sentences, tags, strict=True):
            file.writelines(f"{word}\t{tag}\n" for word, tag in zip(words, predicted, strict=True))
            file.write("\n")


def spans(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Start, end and type of each span of IOB2 tags."""
    start, kind = 0, ""
    for position, tag in enumerate([*tags, "O"]):
        if kind and tag != f"I-{kind}":
            yield start, position, kind
            kind = ""
        if tag.startswith("B-"):
            start, kind = position, tag[2:]


def iob2(length: int, found: Sequence[tuple[int, int, str]]) -> list[str]:
    """IOB2 tags of a sentence with these spans."""
    tags = ["O"] * length
    for start, end, kind in found:
        tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return tags


def peak_memory() -> float | None:
    """Of this process, in MB. Linux only: getrusage's figure starts at what the parent held when it forked."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else None
