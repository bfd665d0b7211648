"""Every goal of speed and memory, what was measured for it, and whether it is reached: one table.

    python -m benchmarks.goals --data DIR --model PAPERS --small-model SMALL --markdown docs/benchmarks/goals.md
    python -m benchmarks.goals --only files step-32               # a few rows
    python -m benchmarks.goals --quick                            # see that all works

The tests of what is measured run first; nothing is timed if they fail. --data holds conll2003/, --model is a model of
its named entities with the paper's network, --small-model one of 1x40 characters and 1x100 words; in place of what is
not given stands a small model trained on examples/news, and without --data, training is measured on its words. CRFsuite
gets an environment of its own under runs/peers. The exit code is 1 if something could not be measured.
"""

import argparse
import datetime
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.goals import machine, report
from benchmarks.goals.goals import chosen
from benchmarks.goals.processes import REPOSITORY
from benchmarks.goals.run import Measure, in_process, rows_of
from benchmarks.goals.setting import Setting
from polytag.files import atomic_write

TESTS = ("tests/native", "tests/tagger", "tests/training/ops")
PATHS = {"--data": "DATA", "--model": "MODEL", "--small-model": "SMALL_MODEL"}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.goals", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, help="directory with conll2003/")
    add("--model", type=Path, help="model of CoNLL-2003 named entities, the paper's network; needs --data")
    add("--small-model", type=Path, help="the same with a small network; needs --model")
    add("--only", nargs="+", default=[], metavar="NAME", help="these goals or measurements only")
    add("--quick", action="store_true", help="one round of small networks, to see that all works")
    add("--full", action="store_true", help="tag a file of 1 GB for its memory (an hour and more)")
    add("--json", type=Path, metavar="FILE", help="write all figures there")
    add("--markdown", type=Path, metavar="FILE", help="write the page there")
    options = parser.parse_args(arguments)
    if options.model and not options.data:
        parser.error("--model needs --data: it tags conll2003/eng.testb")
    if options.small_model and not options.model:
        parser.error("--small-model needs --model: the two are measured side by side")
    try:
        options.goals = chosen(options.only)
    except ValueError as error:
        parser.error(str(error))
    return options


def tests_pass() -> str:
    """Run the tests of what is measured; returns what they say.

    Raises:
        SystemExit: they fail.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\nthe tests of what is measured fail: nothing is timed")
    return f"passed: {' '.join(TESTS)}"


def main(
    arguments: Sequence[str] | None = None, *, tests: Callable[[], str] = tests_pass, how: Measure = in_process
) -> int:
    """Run it; ``tests`` and ``how`` take the place of the tests and of the measurements."""
    options = parse(arguments)
    about = {**describe(options, arguments), "load_before": machine.load()}
    _tell("testing what is to be measured")
    about["tests"] = tests()
    with tempfile.TemporaryDirectory() as directory:
        setting = _setting(options, directory)
        about |= setting.about()
        watch = machine.Watch()
        rows, others = rows_of(options.goals, setting, tell=_tell, how=how)
    about |= {"load_after": machine.load(), "others": watch.others()}
    for path, content in ((options.json, _json(report.data(about, rows, others))),
                          (options.markdown, report.page(about, rows, others))):  # fmt: skip
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as file:
                file.write(content)
    print(report.text(about, rows, others), end="")
    return 1 if any(row.figure.measured is None for row in rows) else 0


def describe(options: argparse.Namespace, arguments: Sequence[str] | None) -> dict[str, Any]:
    """Where, when and how."""
    return {
        "command": command(sys.argv[1:] if arguments is None else arguments),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        **machine.describe(),
        "quick": options.quick,
    }


def command(arguments: Sequence[str]) -> str:
    """The command line without this machine's paths: ``--data DATA``, and not where the results go."""
    words, given = ["python -m benchmarks.goals"], iter(arguments)
    for word in given:
        name, equals, _ = word.partition("=")
        if name in PATHS:
            words += [name, PATHS[name]]
        elif name not in ("--json", "--markdown"):
            words.append(shlex.quote(word))
            continue
        if not equals:
            next(given, None)
    return " ".join(words)


def _setting(options: argparse.Namespace, directory: str) -> Setting:
    given = (options.data, options.model, options.small_model)
    data, model, small = (str(path.resolve()) if path else None for path in given)
    return Setting(directory, data, model, small, quick=options.quick, full=options.full)


def _json(content: Any) -> str:
    return json.dumps(content, indent=2) + "\n"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
