"""JSON that is not a record on each line: a list of values over many lines, or values one after the other."""

import json
import re
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

from polytag.corpus.text import Layout, Line

_BLANKS = re.compile(r"[ \t\r\n]*")


def _finite(text: str) -> float:
    """A number with a point or an exponent, which JSON may write larger than any machine holds."""
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text:.20} is no number")
    return value


DECODER = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)


def json_values(lines: Iterable[Line], layout: Layout) -> Iterator[tuple[int, Any]]:
    """The values of a list, or those of a text one after the other, each with the line at which it begins.

    Raises:
        CorpusError: while reading, something is no JSON, or the list has no end or more after it.
    """
    try:
        yield from _values(lines)
    except _MalformedError as error:
        layout.notes.refuse(str(error), path=layout.source, line=error.line, cause=error)


class _MalformedError(ValueError):
    """What is no JSON, and the line where it stands."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _values(lines: Iterable[Line]) -> Iterator[tuple[int, Any]]:
    stretch = list(lines)
    text = "\n".join(line.text for line in stretch)  # whatever the lines ended with, so that they can be counted
    place = _after_blanks(text, 0)
    is_list = text.startswith("[", place)
    place, line, counted = _after_blanks(text, place + is_list), stretch[0].number if stretch else 1, 0
    while place < len(text) and not (is_list and text[place] == "]"):
        line, counted = line + text.count("\n", counted, place), place
        value, place = _decoded(text, place, line)
        yield line, value
        place = _after_blanks(text, place)
        if is_list and text[place : place + 1] not in (",", "]"):
            found = repr(text[place : place + 20]) if place < len(text) else "the end"
            raise _MalformedError(f"found {found} after a value of the list, expected ',' or ']'", line)
        place = _after_blanks(text, place + (is_list and text[place] == ","))
    if is_list and (rest := text[place + 1 :].strip()):
        raise _MalformedError(
            f"found {rest[:20]!r} after the list, expected nothing", line + text.count("\n", counted, place)
        )


def _decoded(text: str, place: int, line: int) -> tuple[Any, int]:
    try:
        value, end = DECODER.raw_decode(text, place)
    except json.JSONDecodeError as error:
        after = text.count("\n", place, error.pos)
        raise _MalformedError(f"no JSON ({error.msg} at column {error.colno})", line + after) from error
    except (ValueError, RecursionError) as error:
        raise _MalformedError(f"no JSON ({error})", line) from error
    return value, end


def _after_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place
