"""Spans of characters as records say them: under the names of several tools, one over another, twice, or empty."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from polytag.corpus.sentence import CharSpan
from polytag.corpus.tag_rules import UNKNOWN
from polytag.corpus.text import BLANKS, is_encodable

# The names under which tools keep a list of spans, and within each span its start, end, type, own text and layer.
LISTS = ("spans", "label", "labels", "entities")  # spaCy and Prodigy; doccano, old and new; doccano with relations
_STARTS, _STOPS, _TYPES = ("start_offset", "start"), ("end_offset", "end"), ("label", "type")
_TEXTS, _LAYERS = ("text", "value"), ("task", "layer")
_SCORES = ("score", "confidence", "probability")

_BLANKS = BLANKS + "\r\n"  # which are no matter at the ends of a span

OVERLAPS = ("longest", "first", "refuse")  # which of two spans over the same characters is read

_TAG = re.compile("O|[BI]-([A-Z].*)")

Tell = Callable[[str, str], None]  # a kind of thing, and what was found


class Marked(NamedTuple):
    """A span as its record says it: offsets in the file's own unit, its text and layer where they are said."""

    start: int
    end: int
    type: str
    text: str | None = None
    layer: str = ""
    name: str = ""
    is_whole: bool = True  # without gaps
    score: Any = None  # how sure whoever marked it is: a model, or a person

    def __str__(self) -> str:
        return f"{self.name}{' ' if self.name else ''}{[self.start, self.end, self.type]}"


def marked(fields: dict[str, Any], layer: str = "") -> list[Marked]:
    """The spans of a record, from ``[start, end, type]`` or objects with keys of these meanings.

    They are in the first list that tools use. ``layer`` is a key with a list of its own; else it chooses the spans of
    this task or layer or, where spans have none, of this type.

    Raises:
        ValueError: there is no such list, or something in it is no span.
    """
    if layer and layer not in LISTS and isinstance(fields.get(layer), list):
        return list(map(_marked, fields[layer]))
    entries = next((fields[key] for key in LISTS if fields.get(key) is not None), None)
    if entries is None:
        raise ValueError(f"no spans, expected one of the keys {', '.join(LISTS)}")
    if not isinstance(entries, list):
        raise ValueError(f"spans are {type(entries).__name__}, expected a list")
    found = list(map(_marked, entries))
    if not layer:
        return found
    have_layers = any(span.layer for span in found)
    return [span for span in found if (span.layer if have_layers else span.type) == layer]


def decided(spans: Iterable[Marked], text: str, min_probability: float) -> tuple[list[Marked], list[CharSpan]]:
    """The spans that somebody was sure of, and the others: of the label ``?``, or of a score below a threshold.

    Raises:
        ValueError: one of the others is not within the text, its own text stands elsewhere, or a score is none.
    """
    sure, others = list[Marked](), list[CharSpan]()
    for span in spans:
        if span.type == UNKNOWN or _probability(span, min_probability) < min_probability:
            _check(span, text)
            others.append(CharSpan(*span[:3]))
        else:
            sure.append(span)
    return sure, others


def _probability(span: Marked, min_probability: float) -> float:
    """The score of a span, where it matters."""
    score = span.score if min_probability and span.score is not None else 1.0
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise ValueError(f"the score of span {span} is {score!r:.40}, expected a number from 0 to 1")
    return score


def apart(spans: Iterable[Marked], text: str, *, overlaps: str, tell: Tell) -> tuple[list[CharSpan], list[CharSpan]]:
    """The spans in the order of the text, no two over the same characters, and those with gaps, which fit no words.

    Tells what is left out, and what has gaps.

    Raises:
        ValueError: a span is not within the text, its own text stands elsewhere, or two overlap and none may.
    """
    whole, gapped = list[Marked](), list[CharSpan]()
    for span in spans:
        _check(span, text)
        here = text[span.start : span.end]
        if not here.strip(_BLANKS):
            tell("empty span", f"span {span} holds no word and is left out")
        elif not span.is_whole:
            found = f"span {span}, {here!r:.60}, has gaps; its words are unknown (?) in training"
            tell("span with gaps", f"{found}, and it counts as missed where taggers are scored")
            gapped.append(CharSpan(*span[:3]))
        else:
            start, end = span.end - len(here.lstrip(_BLANKS)), span.start + len(here.rstrip(_BLANKS))
            whole.append(span._replace(start=start, end=end))
    return _flat(_once(whole, tell), overlaps, tell), gapped


def _check(span: Marked, text: str) -> None:
    if not 0 <= span.start <= span.end <= len(text):
        raise ValueError(f"span {span} is not within the text, expected 0 <= start < end <= {len(text)}")
    here = text[span.start : span.end]
    if span.text is not None and span.text.split() != here.split():
        raise ValueError(f"span {span} is {here!r:.60}, expected its own text {span.text!r:.60} there")


def _once(spans: Sequence[Marked], tell: Tell) -> list[CharSpan]:
    """Without those that are there already; says what types look like tags of words."""
    found = dict[CharSpan, None]()
    for span in spans:
        if like := _TAG.fullmatch(span.type):
            expected = f"the type {like[1]}" if like[1] else "no span there"
            tell("type like a tag", f"span {span} is of a type that looks like the tag of a word, expected {expected}")
        if (one := CharSpan(*span[:3])) in found:
            tell("span twice", f"span {span} is there twice and counts once")
        found[one] = None
    return list(found)


def _flat(spans: Sequence[CharSpan], overlaps: str, tell: Tell) -> list[CharSpan]:
    first = sorted(spans, key=lambda span: span.start)  # of those that begin together, as the record has them
    ranked = sorted(first, key=lambda span: span.start - span.end) if overlaps == "longest" else first
    kept = list[CharSpan]()  # sorted
    for span in ranked:
        place = bisect_left(kept, span)
        beside = kept[max(place - 1, 0) : place + 1]
        over = next((other for other in beside if span.start < other.end and other.start < span.end), None)
        if over is None:
            kept.insert(place, span)
        elif overlaps == "refuse":
            left, right = sorted([list(over), list(span)])
            raise ValueError(f"spans {left} and {right} overlap, expected them apart")
        else:
            other = next(rule for rule in OVERLAPS if rule != overlaps)
            said = f"span {list(span)} overlaps {list(over)}, the {overlaps}, and is left out"
            tell("overlapping spans", f'{said}; overlaps = "{other}" reads the {other}, "refuse" none')
    return kept


def _marked(entry: Any) -> Marked:
    start, end, kind = (
        entry[:3] if isinstance(entry, list) and len(entry) >= 3 else _named(entry, _STARTS, _STOPS, _TYPES)
    )
    # bool is an int, and True a wrong offset
    if type(start) is not int or type(end) is not int or not isinstance(kind, str) or not kind:
        raise ValueError(f"span {entry!r:.80}, expected a start, an end and a type")
    if not is_encodable(kind):
        raise ValueError(f"the type of span {entry!r:.80} holds half a surrogate pair, expected whole characters")
    text, layer, name, gaps, score = _named(entry, _TEXTS, _LAYERS, ("name",), ("fragments",), _SCORES)
    own, layer, name = (value if isinstance(value, str) else None for value in (text, layer, name))
    return Marked(start, end, kind, own, layer or "", name or "", not gaps, score)


def _named(entry: Any, *names: Sequence[str]) -> list[Any]:
    """The values of an object, each under the first of its names that is there."""
    if not isinstance(entry, dict):
        return [None] * len(names)
    return [next((entry[key] for key in keys if key in entry), None) for keys in names]
