"""JSON Lines, one record per line: words and tags, or text with character spans as doccano and spaCy keep them.

{"words": ["Lima", "."], "tags": {"ner": ["B-LOC", "O"]}}
{"text": "Lima.", "label": [[0, 4, "LOC"]]}                            doccano; also "labels", "entities"
{"text": "Lima.", "spans": [{"start": 0, "end": 4, "label": "LOC"}]}   spaCy, Prodigy; also with "tokens"
["Lima.", {"entities": [[0, 4, "LOC"]]}]                               spaCy, the older form

Tagged, a record keeps all that it holds and gets what `asjson` says of its words.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import accumulate, chain, islice, pairwise
from typing import Any

from polytag.corpus.asjson import OF_TASKS, as_json
from polytag.corpus.formats.format import Cut, Format
from polytag.corpus.formats.json_values import json_values
from polytag.corpus.formats.record import (
    Record,
    checked,
    dumped,
    fields_of,
    parse,
    text_record,
    words_of,
)
from polytag.corpus.formats.records import Placed, columns_among, refusing, sentences_of
from polytag.corpus.offsets import as_scored
from polytag.corpus.schemes import check_spans, spans
from polytag.corpus.sentence import Sentence, Span
from polytag.corpus.text import BLANKS, Layout, Line, lines_of, original, tag_rows
from polytag.errors import CorpusError

_LIST = re.compile(r"[ \t]*\[[ \t]*(?:\{|$)")  # how a list of records begins, not a pair of a text and its annotations

AS_SPANS = "jsonl-spans"  # records with a text and spans of characters, as `convert` writes them


@dataclass(frozen=True, slots=True)
class JsonlBlock:
    """One record; the offsets of its sentence, where they are known, count ``start`` more than those of its text."""

    line: Line
    sentence: Sentence | None
    record: Record | list[Any] | None
    start: int = 0

    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        """As `Block.render`."""
        if not tags:
            return original([self.line])
        sentence = self.sentence or Sentence(())
        tag_rows(tags, sentence)
        return self.answered(replace(sentence, tags={task: tuple(of) for task, of in tags.items()}))

    def answered(
        self,
        found: Sentence,
        *,
        span_tasks: Collection[str] | None = None,
        alternatives: int = 0,  # noqa: ARG002
    ) -> str:
        """The record with all that was found of its words; its own words and offsets stay, as do other tasks."""
        if self.record is None:
            return original([self.line])
        old = fields_of(self.record)
        new = _joined(old, as_json(found, span_tasks=span_tasks, start=self.start))
        if isinstance(self.record, list):
            return dumped([self.record[0], {key: value for key, value in new.items() if key != "text"}]) + self.line.end
        return dumped(new) + self.line.end


@dataclass(frozen=True, slots=True)
class FlatRecords:
    """A `FlatText` of records: the blocks themselves, for reading and writing JSON is most of the work."""

    blocks: Sequence[JsonlBlock]

    @property
    def words(self) -> list[str]:
        """As `FlatText.words`."""
        return [word for block in self.blocks if block.sentence for word in block.sentence.words]

    @property
    def lengths(self) -> list[int]:
        """As `FlatText.lengths`."""
        return [len(block.sentence) for block in self.blocks if block.sentence]

    def render(self, tags: Mapping[str, Sequence[str]], *, span_tasks: Collection[str] = ()) -> str:
        """As `FlatText.render`."""
        total = sum(self.lengths)
        for task, values in tags.items():
            if len(values) != total:
                raise ValueError(f"task '{task}' has {len(values)} tags, expected one for each of {total} words")
        rendered, end = list[str](), 0
        for block in self.blocks:
            known = block.sentence or Sentence(())
            start, end = end, end + len(known)
            own = {task: tuple(values[start:end]) for task, values in tags.items()}
            rendered.append(block.answered(Sentence(known.words, own, offsets=known.offsets), span_tasks=span_tasks))
        return "".join(rendered)


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """Sentences with the lists of tags under the named keys, or with IOB2 tags for 'spans'; each line is one.

    Raises:
        CorpusError: while reading, a line is no such record, or has no such tags, or its spans are impossible.
    """
    return sentences_of(_records(lines, layout), layout)


def _records(lines: Iterable[Line], layout: Layout) -> Iterator[Placed]:
    """The records of the lines, or those of one list over all of them."""
    stream = iter(lines)
    first = list(islice(filter(_has_text, stream), 1))
    if first and _LIST.match(first[0].text):
        for number, value in json_values(chain(first, stream), layout):
            with refusing(layout, Placed(number, {})):
                yield _placed(number, checked(value))
        return
    for line in chain(first, stream):
        with refusing(layout, Placed(line.number, {})):
            record = parse(line)
            if record is not None:
                yield _placed(line.number, record)


def _placed(line: int, record: Record | list[Any]) -> Placed:
    fields = fields_of(record)
    name = f"record {fields['id']}" if isinstance(fields.get("id"), int | str) else ""
    return Placed(line, fields, name=name)


def _has_text(line: Line) -> bool:
    return bool(line.text.strip(BLANKS))


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[JsonlBlock]:
    """All lines in order, as blocks to tag.

    Raises:
        CorpusError: while reading, a line is no such record.
    """
    for line in lines:
        try:
            yield _block(line, layout)
        except ValueError as error:
            raise CorpusError(str(error), path=layout.source, line=line.number) from error


def _block(line: Line, layout: Layout) -> JsonlBlock:
    record = parse(line)
    if record is None:
        return JsonlBlock(line, None, None)
    fields = fields_of(record)
    if not isinstance(tags := fields.get("tags", {}), dict):
        raise ValueError(f'"tags" is {type(tags).__name__}, expected an object of one list per task')
    words, places = words_of(fields, layout.cut)
    sentence = Sentence(words, {}, (line.number,) * len(words), layout.source, offsets=tuple(places))
    return JsonlBlock(line, sentence if words else None, record)


def flat(text: str, layout: Layout) -> FlatRecords | None:
    """A text without faults."""
    try:
        return FlatRecords(list(blocks(lines_of(text), layout)))
    except CorpusError:
        return None


def recognises(first: Sequence[str]) -> bool:
    """Whether the first line that is filled holds a record."""
    text = next((text for text in first if text.strip(BLANKS)), "")
    with suppress(ValueError):
        return text.lstrip(BLANKS)[:1] in ("{", "[") and parse(Line(1, text, "")) is not None
    return False


def columns(lines: Iterable[Line], layout: Layout) -> list[str]:
    """The keys of tags, and 'spans' for spans of characters, that records have."""
    return columns_among(_records(lines, layout))


def _joined(old: Record, answer: Record) -> Record:
    """A record with an answer in it: nothing that an earlier answer said of the same tasks is left."""
    new = {**old, **{key: value for key, value in answer.items() if key not in old}}
    for key in OF_TASKS:
        kept = old.get(key)
        if isinstance(kept, dict):
            found = answer.get(key, {})
            new[key] = {task: of for task, of in kept.items() if task in found or task not in answer["tags"]} | found
        elif key in answer:  # a value of another kind gives way
            new[key] = answer[key]
    return new


def written(sentence: Sentence) -> str:
    """One object of "words" and "tags" on a line."""
    return json.dumps(as_json(replace(sentence, offsets=())), ensure_ascii=False) + "\n"


def written_as_spans(sentence: Sentence, *, labels: Collection[str] = ()) -> str:
    """An object with a text, its words and their offsets, and the spans of characters of each task, on a line.

    Words of a text stand where they stood, with blanks between them; other words are parted by one. The tags of the
    tasks in ``labels`` are no spans and stay under "tags".

    Raises:
        CorpusError: another task has a tag that marks no span; holds the file and the line.
    """
    places = sentence.offsets or _one_blank_apart(sentence)
    record = text_record(_text(sentence, places), places[0][0], sentence.words, places)
    tags, found = dict[str, list[str]](), list[dict[str, Any]]()
    for task, values in sentence.tags.items():
        if task in labels:
            tags[task] = list(values)
        else:
            known = as_scored(sentence, task)
            check_spans(known, task)
            found += [_characters(span, task, record["offsets"]) for span in spans(known.tags[task])]
            found += _misfits(sentence, task, record["text"], record["start"])
    return json.dumps({**record, "tags": tags, "spans": found}, ensure_ascii=False) + "\n"


def _characters(span: Span, task: str, places: Sequence[Sequence[int]]) -> dict[str, Any]:
    """A span as the stretch of characters of one task."""
    return {"start": places[span.start][0], "end": places[span.end - 1][1], "label": span.type, "task": task}


def _misfits(sentence: Sentence, task: str, text: str, start: int) -> Iterator[dict[str, Any]]:
    """The spans that do not fit the words, as far as they are within the text, which begins with the first word."""
    for span in sentence.misfits.get(task, ()):
        first, last = max(0, span.start - start), min(len(text), span.end - start)
        if first < last:
            yield {"start": first, "end": last, "label": span.type, "task": task}


def _one_blank_apart(sentence: Sentence) -> list[tuple[int, int]]:
    ends = accumulate(len(word) + 1 for word in sentence.words)
    return [(end - len(word) - 1, end - 1) for word, end in zip(sentence.words, ends, strict=True)]


def _text(sentence: Sentence, places: Sequence[tuple[int, int]]) -> str:
    gaps = [after[0] - before[1] for before, after in pairwise(places)]
    return "".join(word + " " * gap for word, gap in zip(sentence.words, [*gaps, 0], strict=True))


FORMAT = Format(
    "jsonl",
    sentences,
    blocks,
    flat,
    cut=Cut(False, 1 << 16),
    writers={"jsonl": written, AS_SPANS: written_as_spans},
    suffixes=(".jsonl", ".json"),
    columns=columns,
    recognises=recognises,
)
