"""What a tagger says of a sentence, written into the block that the sentence came from."""

from collections.abc import Collection, Sequence

from polytag.corpus.formats.jsonl import JsonlBlock
from polytag.corpus.sentence import Alternative, Sentence
from polytag.corpus.text import Block


def rendered(block: Block, found: Sentence, *, span_tasks: Collection[str], alternatives: int = 0) -> str:
    """The block's text with all that was found: records of JSONL take it as `as_json` has it, lines take columns.

    ``alternatives`` of each task become columns: so many pairs of a tag and the sequence's probability.
    """
    if isinstance(block, JsonlBlock):
        return block.answered(found, span_tasks=span_tasks)
    return block.render(_columns(found, alternatives=alternatives))


def _columns(found: Sentence, *, alternatives: int) -> dict[str, Sequence[str]]:
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
