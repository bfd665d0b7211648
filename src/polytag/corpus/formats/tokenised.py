"""Tokenised text: a sentence per line, its words parted by blanks; tagged, it becomes what raw text becomes."""

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain

from polytag.corpus.formats.format import Cut, FlatText, Format
from polytag.corpus.formats.lines import FlatLines, check_words, line_end
from polytag.corpus.formats.plain import flat_of, refuse_tags, sentences_of, text_block
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block, Layout, Line, lines_of

_words = re.compile(r"[^ \t]+").finditer


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """The sentences of the lines that hold words.

    Raises:
        CorpusError: tags are wanted, and plain text has none.
    """
    refuse_tags(layout)
    return sentences_of(blocks(lines, layout))


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[Block]:
    """One block per line."""
    start = layout.character
    for line in lines:
        found = [word.span() for word in _words(line.text)]
        words = tuple([line.text[begin:end] for begin, end in found])
        offsets = tuple([(start + begin, start + end) for begin, end in found])
        sentence = Sentence(words, {}, (line.number,) * len(words), layout.source, offsets=offsets) if words else None
        yield text_block(line.text + line.end, sentence, line, layout, start)
        start += len(line.text) + len(line.end)


def flat(text: str, layout: Layout) -> FlatText:
    """Any text, the faster if its lines all end alike and no records, which have offsets, are to be made of it."""
    end = line_end(text)
    if layout.records or end is None or (end == "\r\n" and not text.endswith(end)):
        return flat_of(blocks(lines_of(text), layout))
    rows = [line.split(" ") for line in text.replace("\t", " ").split(end)]
    words = list(filter(None, chain.from_iterable(rows)))
    lengths = list(filter(None, [len(row) - row.count("") for row in rows]))
    ends = [end] * len(words)
    for after in accumulate(lengths):
        ends[after - 1] = end + end
    return FlatLines(words, lengths, words, ends, "\t")


def written(sentence: Sentence) -> str:
    """The words on a line, parted by single blanks; tags have no place there.

    Raises:
        ValueError: there are tags, or a word is empty or holds a blank or a line end.
    """
    if sentence.tags:
        raise ValueError(f"text has no place for tags of '{next(iter(sentence.tags))}'")
    check_words(sentence.words, forbidden=" \t\r\n\0")
    return " ".join(sentence.words) + "\n"


FORMAT = Format("tokenised", sentences, blocks, flat, cut=Cut(False, 1 << 16), writers={"text": written})
