"""What several seeds say together: of each word the tag that most of them give it."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.recipe.elsewhere import PLAIN
from benchmarks.recipe.rows import Row
from polytag import Tagger
from polytag.corpus.schemes import convert_tags
from polytag.files import atomic_write
from polytag.plan_file import load_plan
from polytag.scoring import counts_for
from polytag.splits import has_split, split_sentences

SPLITS = ("dev", "test")


def keep(tagger: Tagger, row: Row, seed: int, directory: Path) -> None:
    """Write the tags of dev and test files."""
    directory.mkdir(parents=True, exist_ok=True)
    found = {
        task: {split: _tags(tagger, task, split) for split in SPLITS if has_split(tagger.plan.tasks[task], split)}
        for task in row.tasks
    }
    with atomic_write(directory / f"{row.name}.{seed}.json") as file:
        json.dump(found, file)


def _tags(tagger: Tagger, task: str, split: str) -> list[Sequence[str]]:
    return [s.tags[task] for s in tagger.tag_all(split_sentences(tagger.plan, task, split), tasks=[task])]


def vote(row: Row, directory: Path, data: Path) -> dict[str, Any]:
    """The scores of the votes of all seeds in a directory; of tags with as many votes, the lowest seed's wins."""
    paths = {int(path.name.split(".")[-2]): path for path in directory.glob(f"{row.name}.*.json")}
    runs = [json.loads(paths[seed].read_text()) for seed in sorted(paths)]
    plan, scores = load_plan(row.plan(), data=data), dict[str, dict[str, float]]()
    for task in row.tasks:
        scores[task] = {}
        for split in runs[0][task]:
            counts = counts_for(task in PLAIN)
            said = zip(*(run[task][split] for run in runs), strict=True)
            for sentence, each in zip(split_sentences(plan, task, split), said, strict=True):
                counts.add(sentence.tags[task], voted([_comparable(tags, task) for tags in each]))
            scores[task][split] = counts.score
    return {"row": f"{row.name}, votes of {len(runs)} seeds", "votes": sorted(paths), "scores": scores}


def voted(tags: Sequence[Sequence[str]]) -> list[str]:
    """The most frequent tag at each place."""
    return [Counter(at).most_common(1)[0][0] for at in zip(*tags, strict=True)]


def _comparable(tags: Sequence[str], task: str) -> Sequence[str]:
    """In a scheme in which a tag says the same whatever stands before it."""
    return tags if task in PLAIN else convert_tags(tags, "bioes")
