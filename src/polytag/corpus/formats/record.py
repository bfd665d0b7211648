"""A record of JSON: words and tags, or text with character spans as doccano, spaCy and Prodigy keep them."""

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from polytag.corpus import offsets
from polytag.corpus.formats.json_values import DECODER
from polytag.corpus.formats.spans import LISTS
from polytag.corpus.offsets import Offsets
from polytag.corpus.text import BLANKS, Line, is_encodable
from polytag.errors import nearest

SPANS = "spans"  # where tags are, if they are character spans
NO_TAGS = ("words", "tokens", "offsets")  # lists with something for each word that is no tag

Record = dict[str, Any]
Cutter = Callable[[str], Sequence[tuple[int, int]]]  # a text to where its words stand

_encoded = json.JSONEncoder(
    ensure_ascii=False, check_circular=False
).encode  # whose search for cycles took half its time


def parse(line: Line) -> Record | list[Any] | None:
    """The record of a line; None for a blank line.

    Raises:
        ValueError: it is no JSON, or no record.
    """
    if not line.text.strip(BLANKS):
        return None
    try:
        value = DECODER.decode(line.text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON ({error}), expected one object per line") from error
    return checked(value)


def checked(value: Any) -> Record | list[Any]:
    """A value of JSON, seen to be a record; raises ValueError."""
    if isinstance(value, dict) or _is_pair(value):
        return value  # type: ignore[no-any-return]
    found = repr(json.dumps(value)[:20]) if value != [] else "an empty list"
    raise ValueError(f"found {found}, expected one JSON object per line")


def dumped(record: Any) -> str:
    """A line of JSON with characters as they are, unless the record holds some that no file can."""
    text = _encoded(record)
    return text if is_encodable(text) else json.dumps(record)


def text_record(text: str, start: int, words: Sequence[str], places: Iterable[tuple[int, int]]) -> Record:
    """The fields of a record of a text, without tags; ``places`` are those of words in the whole text."""
    own = [[begin - start, end - start] for begin, end in places]
    return {"text": text, "start": start, "words": list(words), "offsets": own}


def fields_of(record: Record | list[Any]) -> Record:
    """What a record holds, by name, in spaCy's older form too."""
    return record if isinstance(record, dict) else {**record[1], "text": record[0]}


def words_of(fields: Record, cut: Cutter, *, placed: bool = False) -> tuple[tuple[str, ...], Sequence[tuple[int, int]]]:
    """The words of a record, as such, as tokens, or as its text is cut into, and where they stand in the text.

    They stand nowhere if no text has them, unless they are to be ``placed``.

    Raises:
        ValueError: it has none, they are no texts, or they are to be placed and cannot be.
    """
    places: Sequence[tuple[int, int]] = []
    if "words" in fields:
        words = fields["words"]
    elif "tokens" in fields:
        words = _token_words(fields)
    elif "text" in fields:
        text = text_of(fields)
        places = cut(text)
        words = [text[start:end] for start, end in places]
    else:
        raise ValueError('no words, expected a key "words", "tokens" or "text"')
    if not isinstance(words, list) or not (set(map(type, words)) <= {str} and all(words)):
        raise ValueError("words are not a list of texts with at least a character each, expected one")
    if not is_encodable("".join(words)):
        raise ValueError("a word holds half a surrogate pair, expected whole characters")
    return tuple(words), places or _known_offsets(fields, words, wanted=placed)


def _known_offsets(fields: Record, words: Sequence[str], *, wanted: bool) -> Sequence[tuple[int, int]]:
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


def tag_list(fields: Record, key: str, words: Sequence[str]) -> list[str] | list[int]:
    """The tags under a key of "tags", or of the record itself; those of numbered classes are numbers.

    Raises:
        ValueError: they are not one for each word.
    """
    tags = fields.get("tags", {})
    tags = tags if isinstance(tags, dict) else {}
    values = tags.get(key, fields.get(key))
    if values is None:
        raise ValueError(f"no tags '{key}', expected them in the record{nearest(key, columns_of(fields))}")
    if not isinstance(values, list) or not (_are_texts(values) or all(type(tag) is int for tag in values)):
        raise ValueError(f"tags '{key}' are not a list of texts, expected one")
    if len(values) != len(words):
        raise ValueError(f"{len(values)} tags '{key}', expected one for each of {len(words)} words")
    if not is_encodable("".join(map(str, values))):
        raise ValueError(f"a tag of '{key}' holds half a surrogate pair, expected whole characters")
    return values


def columns_of(fields: Record) -> list[str]:
    """The kinds of tags that a record holds: lists with one for each word, and spans."""
    tags, words = fields.get("tags"), fields.get("words", fields.get("tokens"))
    found = list(tags) if isinstance(tags, dict) else []
    if isinstance(words, list) and words:
        found += [key for key, values in fields.items() if key not in NO_TAGS and _are_tags(values, len(words))]
    has_spans = any(isinstance(fields.get(key), list) and key not in found for key in LISTS)
    return [*found, *([SPANS] if has_spans else [])]


def _are_tags(values: Any, count: int) -> bool:
    are_all = isinstance(values, list) and len(values) == count
    return are_all and (_are_texts(values) or all(type(tag) is int for tag in values))


def _are_texts(values: Sequence[Any]) -> bool:
    return all(isinstance(value, str) and value for value in values)


def is_spans(key: int | str) -> bool:
    """Whether tags are character spans: all of a record, or those of one task among several."""
    return str(key).partition(".")[0] == SPANS


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
    are_placed = isinstance(tokens, list) and all(isinstance(token, dict) and "start" in token for token in tokens)
    if not tokens or not are_placed or len(tokens) != len(words):
        return _said(fields.get("offsets"), text, words) or offsets.located(text, words)
    places = [_bounds(token, len(text)) for token in tokens]
    for left, right in pairwise(places):
        if right.start < left.end:
            raise ValueError(f"tokens {list(left)} and {list(right)} overlap, expected them in order")
    return places


def _said(places: Any, text: str, words: Sequence[str]) -> list[Offsets]:
    """The offsets of a record, if they are those of its words."""
    are_pairs = isinstance(places, list) and all(isinstance(place, list) and len(place) == 2 for place in places)
    if not are_pairs or not all(type(bound) is int and bound >= 0 for place in places for bound in place):
        return []
    found = [Offsets(*place) for place in places]
    return found if [text[start:end] for start, end in found] == list(words) else []
