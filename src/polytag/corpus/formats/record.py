"""A record of JSON: words and tags, or text with character spans as doccano, spaCy and Prodigy keep them."""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from polytag.corpus import offsets
from polytag.corpus.offsets import Offsets
from polytag.corpus.text import BLANKS, Layout, Line
from polytag.errors import CorpusError, nearest

SPANS = "spans"  # where tags are, if they are character spans

Record = dict[str, Any]

_SURROGATE = re.compile("[\ud800-\udfff]")

_encoded = json.JSONEncoder(
    ensure_ascii=False, check_circular=False
).encode  # whose search for cycles took half its time


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
    tags = fields_of(value).get("tags", {})
    if not isinstance(tags, dict):
        message = f'"tags" is {type(tags).__name__}, expected an object of one list per task'
        raise CorpusError(message, path=layout.source, line=line.number)
    return value


def dumped(record: Any) -> str:
    """A line of JSON with characters as they are, unless the record holds some that no file can."""
    text = _encoded(record)
    return text if _is_encodable(text) else json.dumps(record)


def text_record(text: str, start: int, words: Sequence[str], places: Iterable[tuple[int, int]]) -> Record:
    """The fields of a record of a text, without tags; ``places`` are those of words in the whole text."""
    own = [[begin - start, end - start] for begin, end in places]
    return {"text": text, "start": start, "words": list(words), "offsets": own}


def fields_of(record: Record | list[Any]) -> Record:
    """What a record holds, by name, in spaCy's older form too."""
    return record if isinstance(record, dict) else {**record[1], "text": record[0]}


def words_of(fields: Record) -> tuple[str, ...]:
    """The words of a record, as such, as tokens, or those of its text.

    Raises:
        ValueError: it has none, or they are no texts.
    """
    if "words" in fields:
        words = fields["words"]
    elif "tokens" in fields:
        words = _token_words(fields)
    elif "text" in fields:
        words = offsets.split(text_of(fields))
    else:
        raise ValueError('no words, expected a key "words", "tokens" or "text"')
    if not isinstance(words, list) or not (set(map(type, words)) <= {str} and all(words)):
        raise ValueError("words are not a list of texts with at least a character each, expected one")
    if not _is_encodable("".join(words)):
        raise ValueError("a word holds half a surrogate pair, expected whole characters")
    return tuple(words)


def known_offsets(fields: Record, words: Sequence[str], *, wanted: bool) -> Sequence[tuple[int, int]]:
    """Where the words stand in the text; nowhere if no text has them and nobody needs to know.

    Raises:
        ValueError: it is to be known, and cannot be.
    """
    if "text" not in fields and not wanted:
        return []
    try:
        return _offsets(fields, words)
    except ValueError:
        if wanted:
            raise
        return []


def text_of(fields: Record) -> str:
    """The text of a record; raises ValueError where it has none."""
    text = fields.get("text")
    if not isinstance(text, str):
        raise ValueError('no "text", expected the text that the spans count in')
    return text


def spans_of(fields: Record, place: str) -> Any:
    """The list of spans, from the first key that tools use for it; ``spans.TASK`` are those that name a task.

    Raises:
        ValueError: there is no such key.
    """
    task = place.partition(".")[2]
    for key in offsets.LISTS:
        found = fields.get(key)
        if found is not None:
            if not task or not isinstance(found, list):
                return found
            return [span for span in found if isinstance(span, dict) and span.get("task") == task]
    raise ValueError(f"no spans, expected one of the keys {', '.join(offsets.LISTS)}")


def tag_list(fields: Record, key: str, words: Sequence[str]) -> tuple[str, ...]:
    """The tags under a key; raises ValueError where they are not one for each word."""
    tags = fields.get("tags", {})
    if key not in tags:
        raise ValueError(f"no tags '{key}', expected them in the record{nearest(key, tags)}")
    values = tags[key]
    if not isinstance(values, list) or not all(isinstance(tag, str) and tag for tag in values):
        raise ValueError(f"tags '{key}' are not a list of texts, expected one")
    if len(values) != len(words):
        raise ValueError(f"{len(values)} tags '{key}', expected one for each of {len(words)} words")
    return tuple(values)


def is_spans(key: int | str) -> bool:
    """Whether tags are character spans: all of a record, or those of one task among several."""
    return str(key).partition(".")[0] == SPANS


def _is_encodable(text: str) -> bool:
    """Whether a file can hold a text: JSON may have halves of surrogate pairs."""
    return text.isascii() or _SURROGATE.search(text) is None


def _is_pair(value: Any) -> bool:
    """Whether it is spaCy's older form, a text and its annotations."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict)


def _token_words(fields: Record) -> Any:
    """Tokens as plain texts, or as spaCy's objects with a text or with offsets only."""
    tokens = fields["tokens"]
    if not isinstance(tokens, list) or not all(isinstance(token, dict) for token in tokens):
        return tokens
    return [token.get("text") or text_of(fields)[slice(*_bounds(token, len(text_of(fields))))] for token in tokens]


def _bounds(token: Any, length: int) -> Offsets:
    start, end = (token.get("start"), token.get("end")) if isinstance(token, dict) else (None, None)
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= length:
        raise ValueError(f"token {token!r:.80}, expected a start and an end within {length} characters")
    return Offsets(start, end)


def _offsets(fields: Record, words: Sequence[str]) -> Sequence[tuple[int, int]]:
    """Where the words stand in the text: as the record says, else where they are found."""
    text, tokens = text_of(fields), fields.get("tokens")
    if "words" not in fields and "tokens" not in fields:
        return offsets.words(text)
    are_placed = isinstance(tokens, list) and all(isinstance(token, dict) and "start" in token for token in tokens)
    if not tokens or not are_placed or len(tokens) != len(words):
        return offsets.located(text, words)
    places = [_bounds(token, len(text)) for token in tokens]
    for left, right in pairwise(places):
        if right.start < left.end:
            raise ValueError(f"tokens {list(left)} and {list(right)} overlap, expected them in order")
    return places
