"""What a tagger says of a sentence as columns, for blocks of lines; records take it as `asjson` has it."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

from polytag.corpus.sentence import Alternative, Sentence


class InColumns(ABC):
    """A block whose answers become columns."""

    __slots__ = ()

    @abstractmethod
    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        """As `Block.render`."""

    def answered(self, found: Sentence, *, span_tasks: Collection[str] = (), alternatives: int = 0) -> str:  # noqa: ARG002
        """As `Block.answered`."""
        return self.render(_columns(found, alternatives=alternatives))


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
