"""Train rows by recipe `best` and tell their scores, mean and standard deviation over the seeds.

    python -m benchmarks.recipe --data DIR [--rows NAME ...] [--seeds 1 2 3] [--results FILE] [--tags DIR]
    python -m benchmarks.recipe --data DIR --rows NAME ... --tags DIR --vote [--results FILE]
    python -m benchmarks.recipe --data DIR --results FILE --markdown FILE

The epoch is chosen on the development split. A run that the results have is not made again; a run is one process, and
several may share the files. ``--tags`` keeps the tags of dev and test files; ``--vote`` scores what most of the seeds
there say of each word: how much of the error is the variance of seeds. Without rows and with --markdown the page is
written of what there is; rows of it that the results do not have stay.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.consistent import consistent, consistent_scores
from benchmarks.goals.machine import processor
from benchmarks.page import merged, processors, without
from benchmarks.recipe import choices, crfsuite, differences, votes
from benchmarks.recipe.choices import figure
from benchmarks.recipe.elsewhere import Scores, elsewhere_scores
from benchmarks.recipe.rows import AFRICAN, AFRICAN_ROWS, ELSEWHERE, ROWS, TOOLS, Row
from polytag import Tagger
from polytag.training import Trained, train_events

Run = dict[str, Any]
HEAD = """# Recipe `best` on the corpora at hand

F1 in percent, the epoch chosen on the development split; mean and standard deviation over the seeds. Minutes are from
files to a tagger in memory: vectors, clusters and the scoring of each epoch are among them.
`python -m benchmarks.recipe --data DATA --rows NAME --seeds 1 2 3` trains a row. "goal" is ours; "others" are the
figures of their authors, on the same training data; the paper had a gazetteer and its own vectors. "consistent" is of
`polytag tag --consistent`, each file tagged as one text; all else is of sentences by themselves, as the others have it.
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="directory of the corpora and vectors")
    parser.add_argument("--rows", nargs="*", default=[], choices=list(ROWS), metavar="ROW", help="which to train")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--results", type=Path, default=Path("recipe.jsonl"), help="a line for each run")
    parser.add_argument("--tags", type=Path, help="directory of the tags of each run")
    parser.add_argument("--vote", action="store_true", help="score the votes of the seeds that --tags has, train none")
    parser.add_argument("--markdown", type=Path, help="the page to write")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    if options.vote:
        for name in options.rows:
            _add(votes.vote(ROWS[name], options.tags, options.data), options.results)
        options.rows = []
    for name in options.rows:
        for seed in options.seeds:
            if not any((run["row"], run.get("seed")) == (name, seed) for run in read(options.results)):
                _add(run_of(ROWS[name], seed, options.data, options.tags), options.results)
    if options.markdown:
        write(options.markdown, read(options.results))


def _add(run: Run, results: Path) -> None:
    with results.open("a") as file:
        file.write(json.dumps(run) + "\n")
    print(json.dumps(run), flush=True)


def read(results: Path) -> list[Run]:
    """The runs that were made."""
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def run_of(row: Row, seed: int, data: Path, tags: Path | None) -> Run:
    """One run: its scores, and what it took."""
    os.environ["POLYTAG_DATA"] = str(data)
    began = time.perf_counter()
    scores, told = crfsuite.scores(row, seed, data) if row.tool == "crfsuite" else _trained(row, seed, data, tags)
    minutes = round((time.perf_counter() - began) / 60, 2)
    return {"row": row.name, "seed": seed, "scores": scores, **told, "minutes": minutes, "processor": processor()}


def _trained(row: Row, seed: int, data: Path, tags: Path | None) -> tuple[Scores, Run]:
    for event in train_events(row.plan(seed)):
        if isinstance(event, Trained):
            model, report = event.model, event.report
    scores = {task: {split: of[split]["score"] for split in of} for task, of in report["scores"].items()}
    tagger = Tagger(model, threads=1)
    for task in row.tasks:
        scores[task] |= consistent_scores(tagger, task, data=data)
    if tags is not None:
        votes.keep(tagger, row, seed, tags)
    if row.is_elsewhere:
        for task in row.tasks:
            scores[task] |= elsewhere_scores(task, data, partial(tagger.tag_all, tasks=[task]))
            if task in tagger.span_tasks():
                tag_all = partial(tagger.tag_all, tasks=[task], consistent=True)
                found = elsewhere_scores(task, data, tag_all)
                scores[task] |= {consistent(place): score for place, score in found.items()}
    return scores, {"epoch": report["best_epoch"], "epochs": report["epochs"], **choices.measured(model, row.tasks[0])}


def write(path: Path, runs: Sequence[Run]) -> None:
    """Write the page of the runs, and of what it has of others already."""
    old = path.read_text() if path.exists() else ""
    found = merged(without(old, differences.HEADING), HEAD + "\n" + "\n".join(page(runs)) + "\n")
    path.write_text(found + "\n" + "\n".join(differences.section(found)) + "\n")


def page(runs: Sequence[Run]) -> Iterator[str]:
    """A line for each task of each row that has runs; one for all languages of MasakhaNER together."""
    splits = [*votes.SPLITS, *map(consistent, votes.SPLITS)]
    yield from (f"| row | task | seeds | {' | '.join(splits)} | goal | others | minutes |", "|---" * 10 + "|")
    for row in ROWS.values():
        of = [run for run in runs if run["row"] == row.name]
        for task in row.tasks if of and not row.is_elsewhere else ():
            cells = [row.name, task, ", ".join(str(run["seed"]) for run in of)]
            cells += [figure(_of_split(of, task, split)) for split in splits]
            cells += [str(row.goal.get(task, "")), row.others, f"{mean(run['minutes'] for run in of):.1f}"]
            yield f"| {' | '.join(cells)} |"
    alone = [(f"each alone{more}", _alone(runs, more)) for more in AFRICAN_ROWS]
    for title, found in (*alone, ("together", _together(runs))):
        if found:
            means = [figure(_means([*found.values()], split)) for split in splits]
            cells = ("MasakhaNER, mean of ten", title, ", ".join(map(str, found)), *means)
            yield f"| {' | '.join(cells)} | | BiLSTM-CRF of its authors 69.0 | |"
    yield from (*_votes(runs), *_elsewhere(runs), *choices.sizes(runs), *choices.epochs(runs), *choices.rates(runs))
    yield from processors([run for run in runs if "votes" not in run])
    yield "Trainings may have shared it: minutes are upper bounds."


def _of_split(runs: Sequence[Run], task: str, split: str) -> list[float]:
    """The scores of the runs that have the split."""
    return [run["scores"][task][split] for run in runs if split in run["scores"][task]]


def _means(found: Sequence[dict[str, Any]], split: str) -> list[float]:
    """Of each seed the mean over languages, if all of them have the split."""
    return [mean(of[split] for of in each.values()) for each in found if all(split in of for of in each.values())]


def _votes(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        for task, of in run["scores"].items() if "votes" in run else ():
            seeds = ", ".join(map(str, run["votes"]))
            yield f"| {run['row']} | {task} | {seeds} | {of['dev']:.2f} | {of['test']:.2f} | | | | | |"


def _elsewhere(runs: Sequence[Run]) -> Iterator[str]:
    """Models of few sentences on their own test files and on other domains, beside CRFsuite."""
    made = [run for run in runs if run["row"] in ROWS and ROWS[run["row"]].is_elsewhere]
    if made:
        heads = " | ".join((TOOLS[0], consistent(TOOLS[0]), *TOOLS[1:]))
        yield from ("", "## Other domains", "", f"| row | on | seeds | {heads} |", "|---" * 7 + "|")
    for task, places in ELSEWHERE.items():
        of = {tool: [r for r in made if (ROWS[r["row"]].tool, *ROWS[r["row"]].tasks) == (tool, task)] for tool in TOOLS}
        seeds = [[run["seed"] for run in runs] for runs in of.values() if runs]
        all_have = [seed for seed in seeds[0] if all(seed in each for each in seeds)] if seeds else []
        of = {tool: [run for run in runs if run["seed"] in all_have] for tool, runs in of.items()}
        for place in ("test", *places) if all_have else ():
            cells = [figure(_of_split(of[tool], task, place)) for tool in TOOLS]
            cells.insert(1, figure(_of_split(of[TOOLS[0]], task, consistent(place))))
            cells = [f"{task}, 3,000 sentences", place, ", ".join(map(str, all_have)), *cells]
            yield f"| {' | '.join(cells)} |"


def _alone(runs: Sequence[Run], more: str = "") -> dict[int, dict[str, Any]]:
    """Of each seed that has all languages, the scores of each."""
    seeds = dict.fromkeys(run["seed"] for run in runs if "seed" in run)
    by_seed = {
        seed: {code: run["scores"][code] for code in AFRICAN for run in runs
               if (run["row"], run.get("seed")) == (f"masakhaner {code}{more}", seed)}
        for seed in seeds
    }  # fmt: skip
    return {seed: found for seed, found in by_seed.items() if len(found) == len(AFRICAN)}


def _together(runs: Sequence[Run]) -> dict[int, dict[str, Any]]:
    return {run["seed"]: run["scores"] for run in runs if run["row"] == "masakhaner, ten languages"}


if __name__ == "__main__":
    main()
