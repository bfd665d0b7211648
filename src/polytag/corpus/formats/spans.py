"""Spans of characters as records say them: under the names of several tools, one over another, twice, or empty."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from polytag.corpus.sentence import CharSpan
from polytag.corpus.text import BLANKS, is_encodable

# The names under which tools keep a list of spans, and within each span its start, end, type, own text and layer.
LISTS = ("spans", "label", "labels", "entities")  # spaCy and Prodigy; doccano, old and new; doccano with relations
_STARTS, _ENDS, _TYPES = ("start_offset", "start"), ("end_offset", "end"), ("label", "type")
_TEXTS, _LAYERS = ("text", "value"), ("task", "layer")

OVERLAPS = ("longest", "first", "refuse")  # which of two spans over the same characters is read

Tell = Callable[[str, str], None]  # a kind of thing, and what was found


class Marked(NamedTuple):
    """A span as its record says it: offsets in the file's own unit, its text and layer where they are said."""

    start: int
    end: int
    type: str
    text: str | None = None
    layer: str = ""

    def __str__(self) -> str:
        return str([self.start, self.end, self.type])


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


def apart(spans: Iterable[Marked], text: str, *, overlaps: str, tell: Tell) -> list[CharSpan]:
    """The spans in the order of the text, no two over the same characters; tells what is left out of them.

    Raises:
        ValueError: a span is not within the text, its own text stands elsewhere, or two overlap and none may.
    """
    found = list[Marked]()
    for span in spans:
        _check(span, text)
        if text[span.start : span.end].strip(BLANKS + "\r\n"):
            found.append(span)
        else:
            tell("empty span", f"span {span} holds no word and is left out")
    return _flat(_once(found, tell), overlaps, tell)


def _check(span: Marked, text: str) -> None:
    if not 0 <= span.start <= span.end <= len(text):
        raise ValueError(f"span {span} is not within the text, expected 0 <= start < end <= {len(text)}")
    here = text[span.start : span.end]
    if span.text is not None and span.text.split() != here.split():
        raise ValueError(f"span {span} is {here!r:.60}, expected its own text {span.text!r:.60} there")


def _once(spans: Sequence[Marked], tell: Tell) -> list[CharSpan]:
    """Without those that are there already."""
    found = dict[CharSpan, None]()
    for span in spans:
        if (one := CharSpan(*span[:3])) in found:
            tell("span twice", f"span {span} is there twice and counts once")
        found[one] = None
    return list(found)


def _flat(spans: Sequence[CharSpan], overlaps: str, tell: Tell) -> list[CharSpan]:
    first = sorted(spans, key=lambda span: span.start)  # of those that begin together, as the record has them
    ranked = sorted(first, key=lambda span: span.start - span.end) if overlaps == "longest" else first
    kept = list[CharSpan]()
    for span in ranked:
        over = next((other for other in kept if span.start < other.end and other.start < span.end), None)
        if over is None:
            kept.append(span)
        elif overlaps == "refuse":
            left, right = sorted([list(over), list(span)])
            raise ValueError(f"spans {left} and {right} overlap, expected them apart")
        else:
            other = next(rule for rule in OVERLAPS if rule != overlaps)
            text = f"span {list(span)} overlaps {list(over)}, the {overlaps}, and is left out"
            tell("overlapping spans", f'{text}; overlaps = "{other}" reads the {other}, "refuse" none')
    return sorted(kept)


def _marked(entry: Any) -> Marked:
    start, end, kind = (
        entry[:3] if isinstance(entry, list) and len(entry) >= 3 else _named(entry, _STARTS, _ENDS, _TYPES)
    )
    # bool is an int, and True a wrong offset
    if type(start) is not int or type(end) is not int or not isinstance(kind, str) or not kind:
        raise ValueError(f"span {entry!r:.80}, expected a start, an end and a type")
    if not is_encodable(kind):
        raise ValueError(f"the type of span {entry!r:.80} holds half a surrogate pair, expected whole characters")
    text, layer = _named(entry, _TEXTS, _LAYERS)
    return Marked(start, end, kind, text if isinstance(text, str) else None, layer if isinstance(layer, str) else "")


def _named(entry: Any, *names: Sequence[str]) -> list[Any]:
    """The values of an object, each under the first of its names that is there."""
    if not isinstance(entry, dict):
        return [None] * len(names)
    return [next((entry[key] for key in keys if key in entry), None) for keys in names]
