"""From file to file: what each tagger takes to read a text, tag it and write it, on one core.

Seconds are those of the processor, children included, less those of the same command on an empty file, which stand for
starting and loading. Contenders take turns, round by round, so that whatever else the machine does meets them all.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import polytag
from benchmarks.peers.corpora import TAG, Prepared
from benchmarks.peers.environments import ContenderError, python_of, variables
from benchmarks.peers.processes import Process, last_line
from benchmarks.peers.rows import ROWS
from polytag.corpus import read
from polytag.corpus.schemes import convert_tags
from polytag.errors import PolytagError
from polytag.files import atomic_write
from polytag.scoring import counts_for

COPIES = 4  # of the development and the test file: of the text, a fourth has words never seen before
CRFSUITE = "crfsuite"
INPUT, OUTPUT = "{input}", "{output}"
PRECISIONS: Mapping[str, Sequence[str]] = {"small": ("float32", "int8", "auto"), "paper": ("float32", "int8", "auto")}
TITLES = {"small": "polytag, the small network", "paper": "polytag, the paper's network"}


@dataclass(frozen=True)
class Contender:
    """A command that tags a file, with INPUT and OUTPUT for the names of files."""

    name: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=variables)


@dataclass(frozen=True)
class Sample:
    """Seconds, all but ``loading`` less what starting and loading take."""

    processor: float
    wall: float
    loading: float  # of the processor, to start and load


@dataclass(frozen=True)
class Text:
    """The file to tag; ``column`` is that of its gold tags."""

    path: Path
    column: int
    words: int


def polytag_contender(network: str, model: Path, precision: str) -> Contender:
    """`polytag tag` with one thread, by the polytag that runs here."""
    command = (sys.executable, "-m", "polytag", "tag", str(model), INPUT, "-o", OUTPUT, "--from", "conll")
    source = str(Path(polytag.__file__).parents[1])
    return Contender(
        f"{network}-{precision}",
        f"{TITLES[network]}, {precision}",
        (*command, "--threads", "1", "--precision", precision),
        {**variables(), "PYTHONPATH": source},
    )


def contenders(models: Mapping[str, Path]) -> list[Contender]:
    """polytag with each model, by the name of its network, in each precision."""
    return [
        polytag_contender(network, model, precision)
        for network, model in models.items()
        for precision in PRECISIONS[network]
    ]


def crfsuite_contender(model: Path, work: Path) -> Contender:
    """CRFsuite with a model that `trained_crfsuite` or `benchmarks.peers.measure` has made.

    Raises:
        ContenderError: python-crfsuite cannot be installed.
    """
    row = next(row for row in ROWS if row.tool == CRFSUITE)
    script = row.script.with_name("crfsuite_files.py")
    return Contender(CRFSUITE, row.title, (python_of(row.requirements, work), str(script), str(model), INPUT, OUTPUT))


def trained_crfsuite(corpus: Prepared, directory: Path, *, work: Path, limit: int | None = None) -> Path:
    """CRFsuite's model of a corpus, trained into a directory.

    Raises:
        ContenderError: python-crfsuite cannot be installed under ``work``, or does not train.
    """
    row = next(row for row in ROWS if row.tool == CRFSUITE)
    model = directory / "model"
    model.mkdir(parents=True, exist_ok=True)
    process = Process(python_of(row.requirements, work), row.script, directory, core=None, timeout=7_200)
    process.ask(
        "train", train=str(corpus.train), dev=None, model=str(model), limit=limit or row.limit, full=False,
        seconds=None, seed=1, options={},
    )  # fmt: skip
    return model / "model.crfsuite"


def text_of(files: Sequence[Path], target: Path, *, column: int, copies: int = COPIES) -> Text:
    """Files one after the other, several times over."""
    once = b"".join(file.read_bytes().rstrip(b"\n") + b"\n\n" for file in files)
    with atomic_write(target, "wb") as file:
        file.writelines([once] * copies)
    lines = once.splitlines()
    return Text(target, column, copies * sum(1 for x in lines if x.strip() and not x.startswith(b"-DOCSTART-")))


def compare(
    contenders: Sequence[Contender],
    text: Text,
    *,
    rounds: int,
    core: int | None = None,
    timeout: float = 3_600.0,
    tell: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Have all tag the text in turn; figures of each, or what became of it.

    The F1 is that of what the first round wrote; ratios are to CRFsuite in the same round.
    """
    samples: dict[str, list[Sample]] = {one.name: [] for one in contenders}
    failures: dict[str, str] = {}
    scores: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as directory:
        for number in range(rounds):
            start = number % len(contenders)
            for one in (*contenders[start:], *contenders[:start]):  # nobody is always first
                if one.name in failures:
                    continue
                tell(f"{one.name}: file to file, round {number + 1} of {rounds}")
                output = Path(directory) / one.name
                try:
                    samples[one.name].append(sample(one, text.path, output, core=core, timeout=timeout))
                    if one.name not in scores:
                        scores[one.name] = score(text, output)
                except ContenderError as error:
                    failures[one.name] = str(error)
    return [_result(one, samples, failures.get(one.name), scores.get(one.name), text) for one in contenders]


def sample(one: Contender, text: Path, output: Path, *, core: int | None, timeout: float) -> Sample:
    """Tag nothing, then the text, each in a fresh process.

    Raises:
        ContenderError: a process failed or took too long.
    """
    empty = output.with_suffix(".empty")
    empty.write_bytes(b"")
    nothing, loaded = _run(one, empty, output, core=core, timeout=timeout)
    all_of_it, wall = _run(one, text, output, core=core, timeout=timeout)
    return Sample(_less(all_of_it, nothing), _less(wall, loaded), nothing)


def _less(whole: float, start: float) -> float:
    """The rest; at least a hundredth, where a text is so short that chance could leave less than nothing."""
    return max(whole - start, whole / 100)


def score(text: Text, output: Path) -> float:
    """F1 of the last column against the gold tags, whatever scheme each is in.

    Raises:
        ContenderError: the output cannot be read.
    """
    try:
        counts = counts_for(False)
        for sentence in read(output, tags={TAG: text.column, "said": -1}):
            gold, said = (convert_tags(sentence.tags[name], "iob2") for name in (TAG, "said"))
            counts.add(gold, said)
    except PolytagError as error:
        raise ContenderError(f"what it wrote cannot be scored: {error}") from error
    return counts.score


def _run(one: Contender, text: Path, output: Path, *, core: int | None, timeout: float) -> tuple[float, float]:
    """Seconds of the processor and of the clock."""
    names = {INPUT: str(text), OUTPUT: str(output)}
    command = [names.get(word, word) for word in one.command]
    log = output.with_suffix(".log")
    began, before = time.perf_counter(), _processor()
    with log.open("wb") as errors:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=errors, stderr=subprocess.STDOUT,
                env=dict(one.environment), cwd=output.parent, timeout=timeout, check=False,
                preexec_fn=None if core is None else (lambda: os.sched_setaffinity(0, {core})),
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ContenderError(f"not done after {timeout:,.0f} s") from None
    if done.returncode:
        raise ContenderError(f"exit code {done.returncode}{last_line(log)}")
    return _processor() - before, time.perf_counter() - began


def _processor() -> float:
    """Seconds that all children which have ended took of processors."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _result(
    one: Contender, samples: Mapping[str, Sequence[Sample]], failure: str | None, f1: float | None, text: Text
) -> dict[str, Any]:
    """All figures of a contender: medians over the rounds, and the rounds themselves."""
    mine, theirs = samples[one.name], samples.get(CRFSUITE, ())
    result: dict[str, Any] = {"name": one.name, "title": one.title, "failure": failure, "words": text.words}
    if not mine or failure is not None:
        return result
    speeds = [text.words / of.processor for of in mine]
    ratios = {
        "times_crfsuite": [b.processor / a.processor for a, b in zip(mine, theirs, strict=False)],
        "times_crfsuite_wall": [b.wall / a.wall for a, b in zip(mine, theirs, strict=False)],
    }
    return {
        **result, "f1": f1, "words_per_second": median(speeds), "lowest": min(speeds), "highest": max(speeds),
        "words_per_second_wall": median(text.words / of.wall for of in mine),
        "loading": median(of.loading for of in mine), "rounds": speeds,
        **{name: median(of) if of else None for name, of in ratios.items()},
    }  # fmt: skip
