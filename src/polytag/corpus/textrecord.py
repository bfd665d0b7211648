"""A sentence of a text as a record of JSONL, with the characters at which its words and spans stand.

{"text": "Lima.", "start": 12, "words": ["Lima", "."], "offsets": [[0, 4], [4, 5]], "tags": {"ner": ["B-LOC", "O"]},
 "spans": [{"start": 0, "end": 4, "label": "LOC", "task": "ner"}]}     all on one line

``start`` is the character of the whole text at which the record's text begins; offsets and spans count within it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polytag.corpus.jsonl import JsonlBlock, Record, dumped
from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence, Span
from polytag.corpus.text import Line, original, tag_rows

SPANS = "predicted_spans"  # what a tagger calls spans of words, with their probabilities
Offset = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RecordBlock(JsonlBlock):
    """A stretch of text that becomes a record; the tags of ``span_tasks`` are told as spans of characters too."""

    span_tasks: Sequence[str] = ()

    def render(self, tags: Mapping[str, Sequence[str]], fields: Mapping[str, Mapping[str, Any]] = {}) -> str:
        if not tags:
            return original([self.line])
        if self.sentence is None or not isinstance(self.record, dict):
            return ""
        tag_rows(tags, self.sentence)
        record = {**self.record, "tags": {task: list(values) for task, values in tags.items()}, "spans": []}
        for task in self.span_tasks:
            known = fields.get(SPANS, {}).get(task)
            found = known if known is not None else map(span_fields, spans(tags[task]))
            record["spans"] += character_spans(task, found, self.record["offsets"])
        record |= {key: of for key, of in fields.items() if key != SPANS}
        return dumped(record) + "\n"


def record_block(line: Line, sentence: Sentence | None, start: int, span_tasks: Sequence[str]) -> RecordBlock:
    """The block of a stretch of text, the ``text`` of ``line``, that begins at character ``start`` of the whole."""
    if sentence is None:
        return RecordBlock(line, None, None)
    first, last = sentence.offsets[0][0], sentence.offsets[-1][1]
    record = text_record(line.text[first - start : last - start], first, sentence.words, sentence.offsets)
    return RecordBlock(line, sentence, record, span_tasks)


def text_record(text: str, start: int, words: Sequence[str], offsets: Iterable[Offset]) -> Record:
    """The fields of a record that are there without tags; ``offsets`` count in the whole text."""
    places = [[begin - start, end - start] for begin, end in offsets]
    return {"text": text, "start": start, "words": list(words), "offsets": places}


def character_spans(
    task: str, found: Iterable[Mapping[str, Any]], offsets: Sequence[Sequence[int]]
) -> list[dict[str, Any]]:
    """Spans of words (``type``, ``start``, ``end``, and what else is known) as spans of characters of one task."""
    return [
        {
            "start": offsets[span["start"]][0],
            "end": offsets[span["end"] - 1][1],
            "label": span["type"],
            "task": task,
            **{key: value for key, value in span.items() if key not in ("type", "start", "end")},
        }
        for span in found
    ]


def span_fields(span: Span) -> dict[str, Any]:
    """A span of words as `character_spans` takes it."""
    return {"type": span.type, "start": span.start, "end": span.end}
