"""A sentence of a raw text as a record of JSONL, with the characters at which its words stand.

{"text": "Lima.", "start": 12, "words": ["Lima", "."], "offsets": [[0, 4], [4, 5]], "tags": {"ner": ["B-LOC", "O"]}}

``start`` is the character of the whole text at which the record's text begins; all other characters, those of
offsets and of predicted spans (`asjson`), count within the record's text.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from polytag.corpus.jsonl import JsonlBlock, Record
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Line

Offset = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RecordBlock(JsonlBlock):
    """A stretch of text that becomes a record; where it holds no words, it becomes nothing."""

    def answered(self, found: Sentence, *, span_tasks: Collection[str] | None = None) -> str:
        if self.record is None:
            return ""
        return JsonlBlock.answered(self, found, span_tasks=span_tasks) + "\n"


def record_block(line: Line, sentence: Sentence | None, start: int) -> RecordBlock:
    """The block of a stretch of text, the ``text`` of ``line``, that begins at character ``start`` of the whole."""
    if sentence is None:
        return RecordBlock(line, None, None)
    first, last = sentence.offsets[0][0], sentence.offsets[-1][1]
    record = text_record(line.text[first - start : last - start], first, sentence.words, sentence.offsets)
    return RecordBlock(line, sentence, record, first)


def text_record(text: str, start: int, words: Sequence[str], offsets: Iterable[Offset]) -> Record:
    """The fields of a record that are there without tags; ``offsets`` count in the whole text."""
    places = [[begin - start, end - start] for begin, end in offsets]
    return {"text": text, "start": start, "words": list(words), "offsets": places}
