"""In what a file's offsets count: characters, the units of UTF-16 (JavaScript, Java, C#) or the bytes of UTF-8.

Nothing in a file says so. It counts in another unit than characters if some of its spans make no sense in characters
(they are not their own text or, where that is not said, begin or end within a word), and all make sense in the other.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from typing import Generic, TypeVar

from polytag.corpus.formats.spans import Marked

MOST_HELD = 1_000  # records that are read ahead to tell the unit

UNITS: Mapping[str, Callable[[str], int]] = {
    "UTF-16 units": lambda character: 2 if character > "\uffff" else 1,
    "bytes": lambda character: len(character.encode("utf-8", "surrogatepass")),
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spanned(Generic[T]):
    """Something with spans in a text; ``unit`` is what their offsets count, a key of `UNITS`, or "" for characters."""

    content: T
    text: str
    spans: Sequence[Marked]
    unit: str = ""

    def in_characters(self) -> list[Marked]:
        """The spans with offsets in characters.

        Raises:
            ValueError: no character begins at an offset.
        """
        if not self.unit or self.text.isascii():
            return list(self.spans)
        sizes = map(UNITS[self.unit], self.text)
        places = {offset: place for place, offset in enumerate(accumulate(sizes, initial=0))}
        for span in self.spans:
            if not {span.start, span.end} <= places.keys():
                raise ValueError(f"span {span} counts {self.unit}, expected a character to begin at both of them")
        return [span._replace(start=places[span.start], end=places[span.end]) for span in self.spans]


def counted(found: Iterable[Spanned[T]]) -> Iterator[Spanned[T]]:
    """The same, each with the unit of all: told from the first that makes no sense in characters and those after it."""
    stream, held = iter(found), list[Spanned[T]]()
    possible, is_odd = tuple(UNITS), False
    for one in stream:
        held.append(one)
        if possible and one.spans and not one.text.isascii():
            is_odd_here = not _makes_sense(one)
            possible = tuple(
                unit
                for unit in possible
                if not (is_odd_here or _differs(one, unit)) or _makes_sense(replace(one, unit=unit))
            )
            is_odd = is_odd or is_odd_here
        if not is_odd:
            yield held.pop()
        elif not possible or len(held) == MOST_HELD:
            break
    unit = possible[0] if is_odd and possible else ""
    yield from (replace(one, unit=unit) for one in chain(held, stream))


def _differs(one: Spanned[T], unit: str) -> bool:
    """Whether a unit counts the text up to the last span otherwise than characters do."""
    before = one.text[: max(0, *(span.end for span in one.spans))]
    return UNITS[unit](max(before, default=" ")) > 1


def _makes_sense(one: Spanned[T]) -> bool:
    """Whether all spans are their own text or, where that is not said, stand between words."""
    try:
        return all(_is_right(span, one.text) for span in one.in_characters())
    except ValueError:
        return False


def _is_right(span: Marked, text: str) -> bool:
    here = text[span.start : span.end]
    if span.text is not None:
        return here.split() == span.text.split()
    is_within = 0 <= span.start <= span.end <= len(text)
    return is_within and here == here.strip() and _is_border(text, span.start) and _is_border(text, span.end)


def _is_border(text: str, place: int) -> bool:
    """Whether the characters on both sides of a place are not of one word."""
    around = text[max(place - 1, 0) : place + 1]
    return len(around) < 2 or not all(unicodedata.category(character)[0] in "LMN" for character in around)
