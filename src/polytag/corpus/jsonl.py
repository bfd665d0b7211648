"""JSON Lines, one record per line: words and tags, or text with character spans as doccano and spaCy keep them.

{"words": ["Lima", "."], "tags": {"ner": ["B-LOC", "O"]}}
{"text": "Lima.", "label": [[0, 4, "LOC"]]}                            doccano; also "labels", "entities"
{"text": "Lima.", "spans": [{"start": 0, "end": 4, "label": "LOC"}]}   spaCy, Prodigy; also with "tokens"
["Lima.", {"entities": [[0, 4, "LOC"]]}]                               spaCy, the older form

Tagged, a record keeps all that it holds and gets what `asjson` says of its words.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from polytag.corpus import offsets
from polytag.corpus.asjson import OF_TASKS, as_json
from polytag.corpus.offsets import Offsets
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Layout, Line, original, tag_rows
from polytag.errors import CorpusError, nearest

SPANS = "spans"  # where tags are, if they are character spans

Record = dict[str, Any]


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

    def answered(self, found: Sentence, *, span_tasks: Collection[str] | None = None) -> str:
        """The record with all that was found of its words; its own words and offsets stay, as do other tasks."""
        if self.record is None:
            return original([self.line])
        old = _fields(self.record)
        new = _joined(old, as_json(found, span_tasks=span_tasks, start=self.start))
        if isinstance(self.record, list):
            return dumped([self.record[0], {key: value for key, value in new.items() if key != "text"}]) + self.line.end
        return dumped(new) + self.line.end


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """Sentences with the lists of tags under the named keys, or with IOB2 tags for 'spans'; each line is one.

    Raises:
        CorpusError: while reading, a line is no such record, or has no such tags, or its spans are impossible.
    """
    return (found for line in lines if (found := _sentence(line, layout)) is not None)


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[JsonlBlock]:
    """All lines in order, as blocks to tag.

    Raises:
        CorpusError: while reading, a line is no such record.
    """
    for line in lines:
        record = parse(line, layout)
        fields = {} if record is None else _fields(record)
        with _at(line, layout):
            words = _words(fields) if record is not None else ()
        places = _known_offsets(fields, words, wanted=False) if "text" in fields else ()
        yield JsonlBlock(line, _made(words, {}, line, layout, places), record)


def parse(line: Line, layout: Layout) -> Record | list[Any] | None:
    """The record of a line; None for a blank line.

    Raises:
        CorpusError: it is no JSON, or no record.
    """
    if not line.text.strip(BLANKS):
        return None
    try:
        value: Record | list[Any] = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        message = f"no JSON ({error}), expected one object per line"
        raise CorpusError(message, path=layout.source, line=line.number) from error
    if not isinstance(value, dict) and not _is_pair(value):
        message = f"found {line.text.strip(BLANKS)[:20]!r}, expected one JSON object per line"
        raise CorpusError(message, path=layout.source, line=line.number)
    tags = _fields(value).get("tags", {})
    if not isinstance(tags, dict):
        message = f'"tags" is {type(tags).__name__}, expected an object of one list per task'
        raise CorpusError(message, path=layout.source, line=line.number)
    return value


def _sentence(line: Line, layout: Layout) -> Sentence | None:
    record = parse(line, layout)
    if record is None:
        return None
    with _at(line, layout):
        return _read(_fields(record), line, layout)


def _read(fields: Record, line: Line, layout: Layout) -> Sentence | None:
    words = _words(fields)
    lists = {task: _tag_list(fields, str(key), words) for task, key in layout.tags.items() if not _is_spans(key)}
    keys = {task: str(key) for task, key in layout.tags.items() if task not in lists}
    places = _known_offsets(fields, words, wanted=bool(keys))
    cut = places
    for task, key in keys.items():
        cut, iob2 = offsets.tagged(places, offsets.char_spans(_spans(fields, key), _text(fields)))
        lists[task] = tuple(iob2)
    if len(cut) != len(places):
        if len(lists) > 1:
            others = [task for task in lists if task not in keys] or list(keys)
            raise ValueError(f"a span ends within a word that has tags of '{others[0]}', expected whole words")
        words = tuple(_text(fields)[start:end] for start, end in cut)
    return _made(words, lists, line, layout, cut)


def _made(
    words: tuple[str, ...],
    tags: Mapping[str, tuple[str, ...]],
    line: Line,
    layout: Layout,
    places: Sequence[Offsets] = (),
) -> Sentence | None:
    ordered = {task: tags[task] for task in layout.tags if task in tags}
    numbers = (line.number,) * len(words)
    return Sentence(words, ordered, numbers, layout.source, offsets=tuple(places)) if words else None


def _is_spans(key: int | str) -> bool:
    """Whether tags are character spans: all of a record, or those of one task among several."""
    return str(key).partition(".")[0] == SPANS


def _known_offsets(fields: Record, words: Sequence[str], *, wanted: bool) -> list[Offsets]:
    """Where the words stand in the text; nowhere if no text has them and nobody needs to know."""
    try:
        return _offsets(fields, words)
    except ValueError:
        if wanted:
            raise
        return []


@contextmanager
def _at(line: Line, layout: Layout) -> Iterator[None]:
    """Says where it is that a value is wrong."""
    try:
        yield
    except ValueError as error:
        raise CorpusError(str(error), path=layout.source, line=line.number) from error


def _is_pair(value: Any) -> bool:
    """Whether it is spaCy's older form, a text and its annotations."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict)


def _fields(record: Record | list[Any]) -> Record:
    return record if isinstance(record, dict) else {**record[1], "text": record[0]}


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


def _text(fields: Record) -> str:
    text = fields.get("text")
    if not isinstance(text, str):
        raise ValueError('no "text", expected the text that the spans count in')
    return text


def _words(fields: Record) -> tuple[str, ...]:
    if "words" in fields:
        words = fields["words"]
    elif "tokens" in fields:
        words = _token_words(fields)
    elif "text" in fields:
        words = [_text(fields)[start:end] for start, end in offsets.words(_text(fields))]
    else:
        raise ValueError('no words, expected a key "words", "tokens" or "text"')
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise ValueError("words are not a list of texts with at least a character each, expected one")
    if not all(word.isascii() or _encodable(word) for word in words):
        raise ValueError("a word holds half a surrogate pair, expected whole characters")
    return tuple(words)


def dumped(record: Any) -> str:
    """A line of JSON with characters as they are, unless the record holds some that no file can."""
    text = json.dumps(record, ensure_ascii=False)
    return text if text.isascii() or _encodable(text) else json.dumps(record)


def _encodable(word: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in word)


def _token_words(fields: Record) -> Any:
    """Tokens as plain texts, or as spaCy's objects with a text or with offsets only."""
    tokens = fields["tokens"]
    if not isinstance(tokens, list) or not all(isinstance(token, dict) for token in tokens):
        return tokens
    return [token.get("text") or _text(fields)[slice(*_bounds(token, len(_text(fields))))] for token in tokens]


def _bounds(token: Any, length: int) -> Offsets:
    start, end = (token.get("start"), token.get("end")) if isinstance(token, dict) else (None, None)
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= length:
        raise ValueError(f"token {token!r:.80}, expected a start and an end within {length} characters")
    return Offsets(start, end)


def _offsets(fields: Record, words: Sequence[str]) -> list[Offsets]:
    """Where the words stand in the text: as the record says, else where they are found."""
    text, tokens = _text(fields), fields.get("tokens")
    are_placed = isinstance(tokens, list) and all(isinstance(token, dict) and "start" in token for token in tokens)
    if not tokens or not are_placed or len(tokens) != len(words):
        return offsets.located(text, words)
    places = [_bounds(token, len(text)) for token in tokens]
    for left, right in pairwise(places):
        if right.start < left.end:
            raise ValueError(f"tokens {list(left)} and {list(right)} overlap, expected them in order")
    return places


def _spans(fields: Record, place: str) -> Any:
    """The list of spans, from the first key that tools use for it; ``spans.TASK`` are those that name a task."""
    task = place.partition(".")[2]
    for key in offsets.LISTS:
        found = fields.get(key)
        if found is not None:
            if not task or not isinstance(found, list):
                return found
            return [span for span in found if isinstance(span, dict) and span.get("task") == task]
    raise ValueError(f"no spans, expected one of the keys {', '.join(offsets.LISTS)}")


def _tag_list(fields: Record, key: str, words: Sequence[str]) -> tuple[str, ...]:
    tags = fields.get("tags", {})
    if key not in tags:
        raise ValueError(f"no tags '{key}', expected them in the record{nearest(key, tags)}")
    values = tags[key]
    if not isinstance(values, list) or not all(isinstance(tag, str) and tag for tag in values):
        raise ValueError(f"tags '{key}' are not a list of texts, expected one")
    if len(values) != len(words):
        raise ValueError(f"{len(values)} tags '{key}', expected one for each of {len(words)} words")
    return tuple(values)
