"""How the cost of tagging and training grows with sentences, batches, tags, words and files.

    python benchmarks/growth                    # 10 minutes; writes docs/benchmarks/growth.{md,svg,json}
    python benchmarks/growth --only tags files --out DIR    # the other dimensions stay as DIR has them

The paper's network, untrained, on synthetic text; one thread. Points are measured in turn, in several rounds.
"""

import argparse
import datetime
import json
import os
import platform
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from growth.dimensions import DEFAULT, DIMENSIONS, FULL, QUICK, Bench
from growth.measure import growth_of_cost, growth_of_figure, in_turn
from growth.plot import draw, pyplot
from growth.report import page
from growth.text import NEWS, word_lengths
from polytag.errors import PolytagError
from polytag.files import atomic_write

OUT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
CORPUS = "conll2003/eng.train"
NETWORKS = {
    "paper": "The paper's network (characters 25 to 2 x 80 twice, words 50 + 160 to 2 x 300 twice)",
    "tiny": "A network of a few units, to see that the script works",
}
PACKAGES = ("polytag", "torch", "numpy")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python benchmarks/growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, help=f"directory with {CORPUS}, whose words say how long words are; else examples/news")
    add("--only", nargs="+", default=[], choices=DIMENSIONS, metavar="NAME", help=f"of {', '.join(DIMENSIONS)}")
    add("--rounds", type=int, help=f"in which all points are measured in turn ({DEFAULT.rounds})")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="files up to 1 GB with both networks (hours)")
    size.add_argument("--quick", action="store_true", help="a few units, a few points: to see that the script works")
    add("--out", type=Path, default=OUT, metavar="DIR", help="for growth.md, .svg and .json (docs/benchmarks)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    try:
        pyplot()  # rather now than after ten minutes
        torch.set_num_threads(1)
        about, results = measure(options)
        options.out.mkdir(parents=True, exist_ok=True)
        write(options.out, about, results)
    except PolytagError as error:
        raise SystemExit(str(error)) from None
    return 0


def measure(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """All points of the dimensions that the options choose, one dimension after the other."""
    scale = QUICK if options.quick else FULL if options.full else DEFAULT
    scale = replace(scale, rounds=options.rounds or scale.rounds)
    lengths = word_lengths(options.data / CORPUS if options.data else NEWS)
    about = {**describe(options), "rounds": scale.rounds, "network": NETWORKS[scale.network], "load_before": _load()}
    results = {}
    for name in options.only or DIMENSIONS:
        began = datetime.datetime.now()
        with tempfile.TemporaryDirectory() as directory:
            points = list(DIMENSIONS[name].points(Bench(scale, lengths, Path(directory))))
            results[name] = in_turn(points, rounds=scale.rounds, tell=_telling(name, began))
    return {**about, "load_after": _load()}, results


def _telling(name: str, began: datetime.datetime) -> Any:
    return lambda line: print(f"{name}: {line}, {(datetime.datetime.now() - began).seconds} s", flush=True)


def write(directory: Path, about: dict[str, Any], results: dict[str, Any]) -> None:
    """The page, the picture and all points; what was measured before of other dimensions stays."""
    abouts = dict.fromkeys(results, about)
    if (directory / "growth.json").exists():
        before = json.loads((directory / "growth.json").read_text())
        abouts, results = before["about"] | abouts, before["results"] | results
    abouts, results = ({name: of[name] for name in DIMENSIONS if name in of} for of in (abouts, results))
    growths = {
        name: {of: {"cost": growth_of_cost(r), "peak_mb": growth_of_figure(r, "peak_mb")} for of, r in series.items()}
        for name, series in results.items()
    }
    with atomic_write(directory / "growth.json") as file:
        json.dump({"about": abouts, "results": results, "growth": growths}, file, indent=2)
        file.write("\n")
    draw(directory / "growth.svg", results)
    with atomic_write(directory / "growth.md") as file:
        file.write(page(abouts, results))
    print(f"{directory}: growth.md, growth.svg, growth.json")


def describe(options: argparse.Namespace) -> dict[str, Any]:
    """Where, when and how; paths are given by the names of their options."""
    return {
        "command": command(options),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "versions": ", ".join([f"Python {platform.python_version()}", *(f"{p} {version(p)}" for p in PACKAGES)]),
        "words": CORPUS if options.data else "examples/news",
    }


def command(options: argparse.Namespace) -> str:
    """The command line without this machine's paths: ``--data DATA``."""
    words = ["python benchmarks/growth", *(f"--{flag}" for flag in ("full", "quick") if getattr(options, flag))]
    words += ["--data DATA"] if options.data else []
    words += [f"--only {' '.join(options.only)}"] if options.only else []
    words += [f"--rounds {options.rounds}"] if options.rounds else []
    return " ".join(words)


def processor() -> str:
    """The processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _load() -> str:
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
