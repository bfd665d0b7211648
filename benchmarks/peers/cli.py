"""polytag against CRFsuite, spaCy, flair and NLTK's perceptron, on the same data in the same run.

    python benchmarks/peers --data DIR --model PAPERS --small-model SMALL --out peers.json --markdown peers.md
    python benchmarks/peers --data DIR --only crfsuite polytag-ner --sentences 300 --limit crfsuite=5   # a try

Each contender gets a virtual environment of its own, made once under --work from the pinned files in requirements/, and
runs by itself on one core with one thread. They are trained one after the other and tag in turn, round by round. A
contender that fails is told in its row; the exit code is then 1. The models of entities that are given also tag a file
against CRFsuite, from file to file, in each precision.
"""

import argparse
import datetime
import json
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import corpora, files
from benchmarks.peers.measure import Contest, Settings, compare
from benchmarks.peers.report import page
from benchmarks.peers.rows import CORPORA, ROWS, Row, chosen
from polytag.errors import PolytagError
from polytag.files import atomic_write

REPOSITORY = Path(__file__).resolve().parents[2]
PATHS = ("data", "model", "small_model", "pos_model", "out", "markdown", "work")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python benchmarks/peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="directory with conll2003/, conll2002/ and conll2000/")
    add(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help="of crfsuite, spacy, spacy-glove, flair, nltk, polytag, or with a corpus: crfsuite-es",
    )
    add("--model", type=Path, help="polytag's model of entities to tag with, and to train by the plan of")
    add("--small-model", type=Path, help="another one, of a small network, to tag from file to file with")
    add("--pos-model", type=Path, help="the same for parts of speech; without, what is trained here tags")
    add("--full", action="store_true", help="train until each has converged, as its authors advise (a day)")
    add("--limit", nargs="+", default=[], type=_limit, metavar="NAME=N", help="iterations, steps or epochs: flair=2")
    add("--seconds", type=float, help="stop the training of neural contenders after so many of the processor")
    add("--rounds", type=int, default=5, help="of tagging (5)")
    add("--sentences", type=int, help="take only so many of each file, to see that all works")
    add("--seed", type=int, default=1)
    add("--core", type=int, help="the core to run on; the last one unless given")
    add("--timeout", type=float, help="seconds one process may take (2 hours, or 2 days with --full)")
    add(
        "--work",
        type=Path,
        default=REPOSITORY / "runs" / "peers",
        help="for environments, models and logs (runs/peers)",
    )
    add("--out", type=Path, metavar="FILE", help="write all figures there, as JSON")
    add("--markdown", type=Path, metavar="FILE", help="write the page of tables there")
    options = parser.parse_args(arguments)
    try:
        options.rows = chosen(options.only)
    except ValueError as error:
        parser.error(str(error))
    return options


def main(arguments: Sequence[str] | None = None, *, rows: Sequence[Row] | None = None) -> int:
    """Run the comparison; ``rows`` takes the place of the contenders that the options choose."""
    options = parse(arguments)
    about = {**describe(options), "load_before": _load()}
    try:
        contests = _contests(options, options.rows if rows is None else rows)
    except PolytagError as error:
        raise SystemExit(str(error)) from None
    results = compare(contests, rounds=options.rounds, tell=_tell)
    of_files = _from_file_to_file(options, contests)
    about["load_after"] = _load()
    results, of_files = ([_without_paths(result, options) for result in of] for of in (results, of_files))
    text = page(about, results, of_files)
    if options.out:
        with atomic_write(options.out) as file:
            json.dump({**about, "results": results, "files": of_files}, file, indent=2)
            file.write("\n")
    if options.markdown:
        with atomic_write(options.markdown) as file:
            file.write(text)
    print(f"\n{text}", end="")
    return 1 if any(result["failure"] for result in (*results, *of_files)) else 0


def _from_file_to_file(options: argparse.Namespace, contests: Sequence[Contest]) -> list[dict[str, Any]]:
    """CRFsuite as it was trained here against the models given; nothing, if either is missing."""
    given = {"small": options.small_model, "paper": options.model}
    models = {name: model.resolve() for name, model in given.items() if model}
    rival = next((one for one in contests if one.row.name == "crfsuite-ner" and one.failure is None), None)
    if rival is None or not models:
        return []
    corpus, settings = CORPORA["ner"], rival.settings
    assert corpus.dev is not None
    names = [settings.data / corpus.dev, settings.data / corpus.test]
    text = files.text_of(names, settings.work / "data" / "files.conll", column=corpus.column)
    crfsuite = files.crfsuite_contender(rival.model / "model.crfsuite", settings.work)
    contenders = [crfsuite, *files.contenders(models)]
    return files.compare(contenders, text, rounds=options.rounds, core=settings.core, tell=_tell)


def _tell(line: str) -> None:
    print(line, flush=True)


def _contests(options: argparse.Namespace, rows: Sequence[Row]) -> list[Contest]:
    models = {"ner": options.model, "pos": options.pos_model}
    settings = Settings(
        work=options.work.resolve(),
        data=options.data.resolve(),
        core=_core(options.core),
        timeout=options.timeout or (172_800 if options.full else 7_200),
        seed=options.seed,
        full=options.full,
        seconds=options.seconds,
        limits=dict(options.limit),
        models={corpus: model.resolve() for corpus, model in models.items() if model},
    )
    prepared = {
        name: corpora.prepare(CORPORA[name], settings.data, settings.work / "data" / name, sentences=options.sentences)
        for name in dict.fromkeys(row.corpus for row in rows)
    }
    return [Contest(row, prepared[row.corpus], settings) for row in rows]


def describe(options: argparse.Namespace) -> dict[str, Any]:
    """Where, when and how; paths are given by the names of their options."""
    core = _core(options.core)
    return {
        "command": command(options),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "core": "on whatever core" if core is None else f"bound to core {core}",
        "rounds": options.rounds,
    }


def command(options: argparse.Namespace) -> str:
    """The command line without this machine's paths: ``--data DATA``."""
    words = ["python benchmarks/peers"]
    for name, value in vars(options).items():
        flag = f"--{name.replace('_', '-')}"
        if name in PATHS and value is not None and name != "work":
            words.append(f"{flag} {name.upper()}")
        elif name in ("only", "limit") and value:
            words += [flag, *(v if isinstance(v, str) else "{}={}".format(*v) for v in value)]
        elif name == "full" and value:
            words.append(flag)
        elif name in ("seconds", "rounds", "sentences", "seed", "core", "timeout") and value is not None:
            words.append(f"{flag} {value}")
    return " ".join(words)


def processor() -> str:
    """The processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _core(wanted: int | None) -> int | None:
    if wanted is not None or not hasattr(os, "sched_getaffinity"):
        return wanted
    return max(os.sched_getaffinity(0))


def _load() -> str:
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"


def _limit(text: str) -> tuple[str, int]:
    name, equals, number = text.partition("=")
    if not equals or not number.isdigit() or name not in {n for row in ROWS for n in (row.tool, row.name)}:
        raise argparse.ArgumentTypeError(f"'{text}', expected NAME=N such as flair=2")
    return name, int(number)


def _without_paths(result: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """The same, its failure without the places where this machine keeps things."""
    if result["failure"] is None:
        return result
    failure = result["failure"]
    for name in (*PATHS, "repository"):
        path = REPOSITORY if name == "repository" else getattr(options, name)
        if path is not None:
            failure = failure.replace(str(path.resolve()), name.upper())
    return {**result, "failure": failure}
