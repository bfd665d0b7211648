"""What plain text becomes when it is tagged: a line per word (``word<TAB>tag...``) and a blank line, or records.

{"text": "Lima.", "start": 12, "words": ["Lima", "."], "offsets": [[0, 4], [4, 5]], "tags": {"ner": ["B-LOC", "O"]}}

``start`` is the character of the whole text at which the record's text begins; all other characters, those of
offsets and of predicted spans (`asjson`), count within the record's text.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from polytag.corpus.answers import InColumns
from polytag.corpus.formats.format import FlatText
from polytag.corpus.formats.jsonl import FlatRecords, JsonlBlock
from polytag.corpus.formats.lines import FlatLines
from polytag.corpus.formats.record import text_record
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block, Layout, Line, tag_rows
from polytag.errors import CorpusError


def refuse_tags(layout: Layout) -> None:
    """See to it that plain text is read without tags; raises CorpusError."""
    if layout.tags:
        message = f"plain text has no tags for '{next(iter(layout.tags))}', expected conll, conllu or jsonl"
        raise CorpusError(message, path=layout.source)


def sentences_of(found: Iterable[Block]) -> Iterator[Sentence]:
    """The sentences in blocks."""
    return (block.sentence for block in found if block.sentence is not None)


def text_block(text: str, sentence: Sentence | None, line: Line, layout: Layout, start: int) -> Block:
    """A stretch of text that begins at character ``start`` of the whole, as lines or as a record of JSONL."""
    if layout.records:
        return _record_block(Line(line.number, text, ""), sentence, start)
    return TextBlock(text, sentence, line.end or "\n")


def flat_of(blocks: Iterable[Block]) -> FlatText:
    """The blocks of a text as lines, or as records."""
    found = list(blocks)
    records = [block for block in found if isinstance(block, JsonlBlock)]
    if records:
        return FlatRecords(records)
    words, lengths, ends = list[str](), list[int](), list[str]()
    for block in found:
        if isinstance(block, TextBlock) and block.sentence:
            words += block.sentence.words
            lengths.append(len(block.sentence))
            ends += [block.end] * (len(block.sentence) - 1) + [block.end * 2]
    return FlatLines(words, lengths, words, ends, "\t")


@dataclass(frozen=True, slots=True)
class TextBlock(InColumns):
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


@dataclass(frozen=True, slots=True)
class RecordBlock(JsonlBlock):
    """A stretch of text that becomes a record; where it holds no words, it becomes nothing."""

    def answered(self, found: Sentence, *, span_tasks: Collection[str] | None = None, alternatives: int = 0) -> str:
        if self.record is None:
            return ""
        return JsonlBlock.answered(self, found, span_tasks=span_tasks, alternatives=alternatives) + "\n"


def _record_block(line: Line, sentence: Sentence | None, start: int) -> RecordBlock:
    """The block of a stretch of text, the ``text`` of ``line``, that begins at character ``start`` of the whole."""
    if sentence is None:
        return RecordBlock(line, None, None)
    first, last = sentence.offsets[0][0], sentence.offsets[-1][1]
    record = text_record(line.text[first - start : last - start], first, sentence.words, sentence.offsets)
    return RecordBlock(line, sentence, record, first)
