"""Raw text, cut into sentences and words by a tokeniser; a blank line ends a sentence, or any line end does."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import accumulate

from polytag.corpus.formats.format import Cut, FlatText, Format
from polytag.corpus.formats.plain import flat_of, refuse_tags, sentences_of, text_block
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Block, Layout, Line, lines_of, original
from polytag.corpus.tokenising import Tokeniser, tokeniser

LONGEST_PARAGRAPH = 1 << 20  # characters, and the rest of a line: a longer one is cut there, which ends a sentence


def raw(name: str, parted: Callable[[Iterable[Line]], Iterator[list[Line]]], cut: Cut) -> Format:
    """A format of raw text in which no sentence goes over the end of a part.

    Its readers raise PlanError where there is no such tokeniser, PolytagError where it is spaCy's, which is not
    installed or has no rules for the language, and CorpusError where tags are wanted: plain text has none.
    """

    def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[Block]:
        """All of a raw text; one block per sentence, with what stands before it."""
        return _raw_blocks(parted(lines), layout, tokeniser(layout.tokeniser).load())

    def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
        """The sentences of a raw text, with offsets in it."""
        refuse_tags(layout)
        return sentences_of(blocks(lines, layout))

    def flat(text: str, layout: Layout) -> FlatText:
        """Any text."""
        return flat_of(blocks(lines_of(text), layout))

    return Format(name, sentences, blocks, flat, cut=cut)


def _raw_blocks(runs: Iterable[list[Line]], layout: Layout, cutting: Tokeniser) -> Iterator[Block]:
    start = layout.character
    for run in runs:
        text, done = original(run), 0
        starts = list(accumulate((len(line.text) + len(line.end) for line in run), initial=0))
        for sentence in cutting.sentences(text):
            numbers = tuple([run[bisect_right(starts, begin) - 1].number for begin, _ in sentence.offsets])
            offsets = tuple([(start + begin, start + end) for begin, end in sentence.offsets])
            last = sentence.offsets[-1][1]
            placed = replace(sentence, lines=numbers, source=layout.source, offsets=offsets)
            yield text_block(text[done:last], placed, run[0], layout, start + done)
            done = last
        if done < len(text):
            yield text_block(text[done:], None, run[0], layout, start + done)
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


FORMAT = raw("text", _paragraphs, Cut(True, 1 << 16, most=1 << 20))
