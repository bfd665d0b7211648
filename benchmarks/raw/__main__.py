"""Train rows on labels and raw text and tell their scores, mean and standard deviation over the seeds.

    python -m benchmarks.raw --data DIR --work DIR [--rows NAME ...] [--seeds 1 2 3] [--results FILE] [--markdown FILE]

A run that the results have is not made again; without rows and with --markdown the page is written of what there is,
and its rows that the results do not have stay.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean

from benchmarks.goals.machine import processor
from benchmarks.page import merged, processors
from benchmarks.raw import crf
from benchmarks.raw.learning_on import ORGANISATIONS, learn_on
from benchmarks.raw.rows import OF_AFRICAN, ROWS
from benchmarks.raw.steps import Scores, Steps
from benchmarks.recipe.__main__ import Run, figure, read

HEAD = """# Raw text, older models, files of some types only

F1 in percent, the epoch chosen on the development split, mean and standard deviation over the seeds, each of which
draws other labelled sentences. Recipe `best`, size `small`, MasakhaNER `medium`; vectors are those of `polytag
vectors`, 10,000 sentences are distilled. `python -m benchmarks.raw --data DATA --work DIR --rows NAME --seeds 1 2 3`
trains a row; rows share what they make in the directory `--work`.
"""
NAMES = (*ROWS, *ORGANISATIONS)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, help="directory of the corpora, vectors and raw text")
    parser.add_argument("--work", type=Path, default=Path("raw-work"), help="what rows make")
    parser.add_argument("--rows", nargs="*", default=[], choices=NAMES, metavar="NAME", help="which to train")
    parser.add_argument("--list", action="store_true", help="name all rows")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--results", type=Path, default=Path("raw.jsonl"), help="a line for each run")
    parser.add_argument("--markdown", type=Path, help="the page to write")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    if options.list:
        print("\n".join(NAMES))
    for name in options.rows:
        for seed in options.seeds:
            if not any((run["row"], run["seed"]) == (name, seed) for run in read(options.results)):
                run = made(name, seed, Steps(options.data, options.work))
                with options.results.open("a") as file:
                    file.write(json.dumps(run) + "\n")
                print(json.dumps(run), flush=True)
    if options.markdown:
        text = HEAD + "\n" + "\n".join(page(read(options.results))) + "\n"
        options.markdown.write_text(merged(options.markdown.read_text() if options.markdown.exists() else "", text))


def made(name: str, seed: int, steps: Steps) -> Run:
    """One run: its scores, and the minutes of what was not there yet."""
    began = time.perf_counter()
    scores = _scores(name, seed, steps)
    minutes = round((time.perf_counter() - began) / 60, 2)
    return {"row": name, "seed": seed, "scores": scores, "minutes": minutes, "processor": processor()}


def _scores(name: str, seed: int, steps: Steps) -> Scores:
    if name in ORGANISATIONS:
        return learn_on(name, seed, steps)
    row = ROWS[name]
    if not row.crf:
        return steps.run(row, seed)
    clusters = steps.clusters(row.language) if row.clusters else {}
    return crf.run(row, seed, steps.data, clusters)


def page(runs: Sequence[Run]) -> Iterator[str]:
    """A line for each row that has runs."""
    yield from ("| row | seeds | dev | test | minutes |", "|---|---|---|---|---|")
    for name in NAMES:
        of = [run for run in runs if run["row"] == name]
        if of:
            cells = [name, ", ".join(str(run["seed"]) for run in of)]
            cells += [_told([run["scores"] for run in of], split) for split in ("dev", "test")]
            took = [run["minutes"] for run in of if "minutes" in run]
            yield f"| {' | '.join(cells)} | {f'{mean(took):.1f}' if took else ''} |"
    for kind in OF_AFRICAN:
        if found := list(_means(runs, kind)):
            seeds = ", ".join(str(seed) for seed, _ in found)
            yield f"| MasakhaNER, mean of nine: {kind} | {seeds} | | {figure([test for _, test in found])} | |"
    yield from processors(runs)
    yield "Runs shared it, and what others had made: minutes are a hint."


def _means(runs: Sequence[Run], kind: str) -> Iterator[tuple[int, float]]:
    """Of each seed that has all languages of MasakhaNER with raw text, the mean of their tests."""
    names = [name for name in ROWS if name.startswith("masakhaner") and name.endswith(f" {kind}")]
    for seed in sorted({run["seed"] for run in runs}):
        tests = [run["scores"]["test"] for run in runs if run["row"] in names and run["seed"] == seed]
        if len(tests) == len(names):
            yield seed, mean(tests)


def _told(scores: Sequence[Scores], split: str) -> str:
    """The figure of a split; where there are several for it, each with its name."""
    keys = [key for key in scores[0] if key.split(" ")[0] == split]
    return ", ".join(f"{key[len(split) :]} {figure([of[key] for of in scores])}".strip() for key in keys)


if __name__ == "__main__":
    main()
