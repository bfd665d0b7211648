"""What a tagger says of a sentence, written into the block that the sentence came from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from polytag.corpus.jsonl import JsonlBlock
from polytag.corpus.sentence import Alternative, Sentence
from polytag.corpus.text import Block


def rendered(block: Block, found: Sentence, *, alternatives: int = 0) -> str:
    """The block's text with tags and probabilities; records of JSONL take spans and alternatives as they are.

    ``alternatives`` of each task become columns elsewhere: so many pairs of a tag and the sequence's probability.
    """
    if isinstance(block, JsonlBlock):
        return block.render(_columns(found), fields(found))
    return block.render(_columns(found, alternatives=alternatives))


def fields(found: Sentence) -> dict[str, Mapping[str, Any]]:
    """Alternatives and spans of each task, where they are known, as lists of objects."""
    parts: Mapping[str, Mapping[str, Sequence[Any]]] = {
        "alternatives": found.alternatives,
        "predicted_spans": found.predicted_spans,
    }
    return {
        name: {task: [asdict(one) for one in known] for task, known in of.items()} for name, of in parts.items() if of
    }


def _columns(found: Sentence, *, alternatives: int = 0) -> dict[str, Sequence[str]]:
    """The tags of each task, each followed by its probabilities where they are known, then the alternatives.

    Where a sentence has fewer alternatives than others, their tags are _ and their probability is 0.
    """
    columns: dict[str, Sequence[str]] = {}
    for task, tags in found.tags.items():
        columns[task] = tags
        if task in found.confidence:
            columns[f"{task}.confidence"] = [f"{p:.4f}" for p in found.confidence[task]]
        if alternatives:
            columns |= _ranked(task, len(tags), found.alternatives.get(task, ()), alternatives)
    return columns


def _ranked(task: str, words: int, known: Sequence[Alternative], count: int) -> dict[str, Sequence[str]]:
    missing = Alternative(("_",) * words, 0.0)
    columns: dict[str, Sequence[str]] = {}
    for rank, one in enumerate([*known, *[missing] * count][:count], 1):
        columns[f"{task}.{rank}"] = one.tags
        columns[f"{task}.{rank}.probability"] = [f"{one.probability:.4f}"] * words
    return columns
