"""What a model scores where it tags names with an eye to their other mentions in the same file."""

from pathlib import Path

from polytag import Tagger, evaluate
from polytag.splits import has_split


def consistent(name: str) -> str:
    """What a split, a place or a tool is called where names are consistent."""
    return f"{name} consistent"


def consistent_scores(tagger: Tagger, task: str, *, data: Path) -> dict[str, float]:
    """The scores of dev and test files beside those of sentences by themselves; none of tasks without spans.

    A refit model was trained on its dev files.
    """
    untouched = ("test",) if tagger.plan.training.refit else ("dev", "test")
    splits = [split for split in untouched if has_split(tagger.plan.tasks[task], split)]
    return {
        consistent(split): evaluate(tagger, tasks=[task], split=split, data=data, consistent=True)[task].score
        for split in splits
        if task in tagger.span_tasks()
    }
