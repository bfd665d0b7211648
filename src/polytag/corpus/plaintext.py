"""Plain text: raw, split by rules into sentences and words, or tokenised, a sentence per line, blanks between words.

Tagged, a sentence becomes a line per word (``word<TAB>tag...``) and a blank line, or a record as `textrecord` has it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from polytag.corpus.rawtext import check_installed, splitter
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Block, Layout, Line, original, tag_rows
from polytag.corpus.textrecord import record_block
from polytag.errors import CorpusError

_words = re.compile(r"[^ \t]+").finditer

LONGEST_PARAGRAPH = 1 << 20  # characters, and the rest of a line: a longer one is cut there, which ends a sentence


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A stretch of text with a sentence, or with none; with tags it becomes one line per word and a blank line."""

    text: str
    sentence: Sentence | None
    end: str = "\n"

    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        if not tags:
            return self.text
        if self.sentence is None:
            return ""
        rows = tag_rows(tags, self.sentence)
        lines = ["\t".join([word, *row]) for word, row in zip(self.sentence.words, rows, strict=True)]
        return self.end.join([*lines, "", ""])


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """The sentences of a raw text, with offsets in it.

    Raises:
        CorpusError: tags are wanted, and plain text has none.
        PolytagError: spaCy is not installed.
        PlanError: spaCy has no rules for the language.
    """
    _refuse_tags(layout)
    return _sentences(blocks(lines, layout))


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[Block]:
    """All of a raw text; one block per sentence, with what stands before it.

    Raises:
        PolytagError: spaCy is not installed.
        PlanError: while reading: spaCy has no rules for the language.
    """
    check_installed()
    return _raw_blocks(lines, layout)


def tokenised_sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """The sentences of the lines that hold words.

    Raises:
        CorpusError: tags are wanted, and plain text has none.
    """
    _refuse_tags(layout)
    return _sentences(tokenised_blocks(lines, layout))


def tokenised_blocks(lines: Iterable[Line], layout: Layout) -> Iterator[Block]:
    """One block per line."""
    start = layout.character
    for line in lines:
        found = [word.span() for word in _words(line.text)]
        words = tuple([line.text[begin:end] for begin, end in found])
        offsets = tuple([(start + begin, start + end) for begin, end in found])
        sentence = Sentence(words, {}, (line.number,) * len(words), layout.source, offsets=offsets) if words else None
        yield _block(line.text + line.end, sentence, line, layout, start)
        start += len(line.text) + len(line.end)


def _refuse_tags(layout: Layout) -> None:
    if layout.tags:
        message = f"plain text has no tags for '{next(iter(layout.tags))}', expected conll, conllu or jsonl"
        raise CorpusError(message, path=layout.source)


def _sentences(found: Iterable[Block]) -> Iterator[Sentence]:
    return (block.sentence for block in found if block.sentence is not None)


def _raw_blocks(lines: Iterable[Line], layout: Layout) -> Iterator[Block]:
    rules, start = splitter(layout.language), layout.character
    for run in _paragraphs(lines):
        text, done = original(run), 0
        starts = list(accumulate((len(line.text) + len(line.end) for line in run), initial=0))
        for sentence in rules.sentences(text):
            numbers = tuple([run[bisect_right(starts, begin) - 1].number for begin, _ in sentence.offsets])
            offsets = tuple([(start + begin, start + end) for begin, end in sentence.offsets])
            last = sentence.offsets[-1][1]
            placed = replace(sentence, lines=numbers, source=layout.source, offsets=offsets)
            yield _block(text[done:last], placed, run[0], layout, start + done)
            done = last
        if done < len(text):
            yield _block(text[done:], None, run[0], layout, start + done)
        start += len(text)


def _paragraphs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Runs of lines up to a blank one; one that is too long is cut at a line end."""
    run, size = list[Line](), 0
    for line in lines:
        run.append(line)
        size += len(line.text) + len(line.end)
        if not line.text.strip(BLANKS) or size >= LONGEST_PARAGRAPH:
            yield run
            run, size = [], 0
    if run:
        yield run


def _block(text: str, sentence: Sentence | None, line: Line, layout: Layout, start: int) -> Block:
    if layout.records:
        return record_block(Line(line.number, text, ""), sentence, start)
    return TextBlock(text, sentence, line.end or "\n")
