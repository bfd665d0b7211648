"""Lines with a word each, taken apart and put together by operations on whole lists."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class FlatLines:
    """A `FlatText` of one line per word, to which tags become further columns.

    ``lines`` stand without their ends, ``ends`` are what follows each up to the next, and ``head`` what stands before
    the first. The lines with the numbers ``outside``, ascending, hold no word, and get O.
    """

    words: list[str]
    lengths: list[int]
    lines: list[str]
    ends: list[str]
    separator: str
    head: str = ""
    outside: Sequence[int] = ()

    def render(self, tags: Mapping[str, Sequence[str]], *, span_tasks: Collection[str] = ()) -> str:  # noqa: ARG002
        """As `FlatText.render`."""
        columns = [self._of_lines(column) for column in tags.values()]
        if self.separator == " " and any(map(has_blanks, set(chain.from_iterable(columns)))):
            raise ValueError("a tag holds a blank, which parts columns here")
        width = 2 * len(columns) + 2
        parts = ["", *[self.separator, ""] * len(columns), ""] * len(self.lines)
        parts[::width], parts[width - 1 :: width] = self.lines, self.ends
        for number, column in enumerate(columns, 1):
            parts[2 * number :: width] = column
        return self.head + "".join(parts)

    def _of_lines(self, tags: Sequence[str]) -> Sequence[str]:
        """The tags of the words as those of all lines."""
        if not self.outside:
            return tags
        column = list(tags)
        for number in self.outside:
            column.insert(number, "O")
        return column


def line_end(text: str) -> str | None:
    """The one line end that a text has: LF or CRLF; None if it has several, or others."""
    returns = text.count("\r")
    if not returns:
        return "\n"
    return "\r\n" if returns == text.count("\r\n") == text.count("\n") else None


def places_of(value: str, values: Sequence[str]) -> list[int]:
    """Where a value stands among others."""
    found, place = list[int](), -1
    for _ in range(values.count(value)):
        place = values.index(value, place + 1)
        found.append(place)
    return found


def has_blanks(value: str) -> bool:
    """Whether a value would come apart where blanks part columns."""
    return " " in value or "\t" in value


def check_words(values: Iterable[str], *, forbidden: str, at_ends: str = "") -> None:
    """See to it that words and tags can stand in lines; they begin and end with none of the characters ``at_ends``.

    Raises:
        ValueError: one is empty or blanks only, or holds a character that is forbidden.
    """
    for value in values:
        is_cut = value.strip(at_ends) != value if at_ends else False
        if is_cut or not value.strip(" ") or any(character in value for character in forbidden):
            raise ValueError(f"{value!r:.80} is empty or holds what parts columns or lines")
