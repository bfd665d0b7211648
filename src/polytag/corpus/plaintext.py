"""Plain text: one sentence per line, its words parted by blanks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from polytag.corpus.columns import split
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Layout, Line, original, tag_rows
from polytag.errors import CorpusError


@dataclass(frozen=True, slots=True)
class TextBlock:
    """One line; with tags it becomes one line per word (``word<TAB>tag...``) and a blank line."""

    line: Line
    sentence: Sentence | None

    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        if not tags:
            return original([self.line])
        if self.sentence is None:
            return ""
        rows = tag_rows(tags, self.sentence)
        lines = ["\t".join([word, *row]) for word, row in zip(self.sentence.words, rows, strict=True)]
        end = self.line.end or "\n"
        return end.join([*lines, "", ""])


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """The sentences of the lines that hold words.

    Raises:
        CorpusError: tags are wanted, and plain text has none.
    """
    if layout.tags:
        message = f"plain text has no tags for '{next(iter(layout.tags))}', expected conll, conllu or jsonl"
        raise CorpusError(message, path=layout.source)
    return (block.sentence for block in blocks(lines, layout) if block.sentence is not None)


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[TextBlock]:
    """One block per line."""
    for line in lines:
        words = tuple(split(line.text))
        places = (line.number,) * len(words)
        yield TextBlock(line, Sentence(words, {}, places, layout.source) if words else None)
