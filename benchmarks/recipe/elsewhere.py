"""Scores on files of other domains, whose types of spans have other names."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.recipe.rows import ELSEWHERE, Elsewhere
from polytag.corpus import Sentence, read
from polytag.corpus.schemes import spans, write
from polytag.scoring import counts_for

Scores = dict[str, dict[str, float]]  # task -> split or place -> score
TagAll = Callable[[Sequence[Sentence]], Iterable[Sentence]]
PLAIN = ("pos", "ewt")


def elsewhere_scores(task: str, data: Path, tag_all: TagAll) -> dict[str, float]:
    """The score of what tags sentences with a task, by place."""
    return {place: score(task, sentences_of(task, place, data), tag_all) for place in ELSEWHERE[task]}


def sentences_of(task: str, place: str, data: Path) -> list[Sentence]:
    """The sentences of another domain with tags as the corpus of the task has them."""
    where = ELSEWHERE[task][place]
    found = read(data / where.file, tags={task: where.settings["tag"]})
    return [Sentence(_recased(s.words, where), {task: _renamed(s.tags[task], where)}) for s in found]


def score(task: str, sentences: Sequence[Sentence], tag_all: TagAll) -> float:
    """F1 of spans, or accuracy, in percent."""
    counts = counts_for(task in PLAIN)
    for gold, found in zip(sentences, tag_all(sentences), strict=True):
        counts.add(gold.tags[task], found.tags[task])
    return counts.score


def _renamed(tags: Sequence[str], where: Elsewhere) -> tuple[str, ...]:
    if not where.types:
        return tuple(tags)
    renamed = [replace(span, type=where.types[span.type]) for span in spans(tags)]
    return write(renamed, len(tags), scheme="iob2")


def _recased(words: Sequence[str], where: Elsewhere) -> tuple[str, ...]:
    return tuple(getattr(word, where.case)() if where.case else word for word in words)
