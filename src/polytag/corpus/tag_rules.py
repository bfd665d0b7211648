"""What holds between two adjacent tags: where spans begin and end, and what each scheme finds wrong there.

Two things about a tag suffice: its *role* (B, I, E, S or O; M is I, L is E, U and W are S) and its type. Whether a
span begins or ends between two tags depends on these alone, so ill-formed sequences have one reading, that of conlleval
and of seqeval's default mode, and a file's scheme shows in the pairs of its adjacent tags.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from polytag.tag_schemes import SCHEMES

UNTYPED = "_"  # the type of a tag without one, such as a bare B
UNKNOWN = "?"  # stands where nobody has said what the tag is: training sums over what it may be
OUTSIDE = ("O", "o", "-X-")  # -X- stands at the -DOCSTART- lines of CoNLL-2003's chunks, in eng.testb only
ROLES = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I", "W": "S"}  # letter as written -> role
# Between two tags of one type, a span begins at the role (key) after any of the roles (value): conlleval's table,
# with S, which seqeval adds. Where the types differ, one begins at any role but O.
BEGINS_AFTER = {"B": "OBIES", "S": "OBIES", "I": "OES", "E": "OES", "O": ""}


class Tag(NamedTuple):
    """A tag as read: role and type, the letter in upper case, and the text that stood there."""

    role: str
    type: str
    letter: str
    text: str


EDGE = Tag("O", "", "O", "")  # stands before the first and after the last tag of a sentence


@lru_cache(maxsize=65536)
def parse(tag: str) -> Tag | None:
    """Read a tag in either case, its type from the first hyphen on; None where it marks no span."""
    if tag in OUTSIDE:
        return Tag("O", "", "O", tag)
    prefix, _, type_ = tag.partition("-")
    letter = prefix.upper()
    return Tag(ROLES[letter], type_ or UNTYPED, letter, tag) if letter in ROLES else None


def parse_any(tag: str) -> Tag:
    """As ``parse``, but what marks no span is outside, with a letter that no scheme has; no text is the edge."""
    return EDGE if tag == "" else parse(tag) or Tag("O", "", "?", tag)


def written(letter: str, type_: str) -> str:
    """The text of a tag."""
    return letter if type_ == UNTYPED else f"{letter}-{type_}"


def begins(before: Tag, here: Tag) -> bool:
    """Whether a span begins at ``here``."""
    return here.role != "O" and (before.role in BEGINS_AFTER[here.role] or before.type != here.type)


def ends(before: Tag, here: Tag) -> bool:
    """Whether a span ends at ``before``, inclusive."""
    return before.role != "O" and (here.role == "O" or begins(before, here))


@lru_cache(maxsize=65536)  # few pairs make up a corpus
def faults(before: Tag, here: Tag, *, scheme: str) -> tuple[tuple[int, str], ...]:
    """What a scheme finds wrong between two tags: -1 and a sentence on the first, 0 and a sentence on the second."""
    return tuple(_faults(before, here, scheme))


def _faults(before: Tag, here: Tag, scheme: str) -> Iterator[tuple[int, str]]:
    rules, name = SCHEMES[scheme], scheme.upper()
    if scheme == "plain":
        return
    if UNKNOWN in (before.text, here.text):
        yield from _faults_beside_unknown(before, here, scheme)
        return
    touching = before.type == here.type
    may_end, may_start = rules.ends(touching=touching), rules.starts(touching=touching)
    if ends(before, here) and before.letter in rules.letters and before.letter not in may_end:
        place = f"before {here.text}" if here.text else "at the end"
        yield -1, f"{before.text} {place}: in {name} a span ends with {_either(may_end, before.type)}"
    if here.letter not in rules.letters:
        yield 0, f"{here.text}: {name} has only O and {_either(rules.letters[1:], 'TYPE')}"
    elif begins(before, here) and here.letter not in may_start:
        place = f"after {before.text}" if before.text else "at the start"
        yield 0, f"{here.text} {place}: in {name} a span starts with {_either(may_start, here.type)}"


@lru_cache(maxsize=65536)
def fills(before: Tag, after: Tag, *, scheme: str) -> tuple[Tag, ...]:
    """What an unknown tag between two others may be, as far as it matters to them: what causes the fewest faults.

    Types that neither of the two has stand as one.
    """
    types = dict.fromkeys([before.type or "a", after.type or "a", f"{before.type}{after.type}~"])
    letters = dict.fromkeys(SCHEMES[scheme].letters[1:])
    tags = [parse_any(text) for text in ("O", *(written(letter, type_) for type_ in types for letter in letters))]
    pairs = [
        [pair for pair in ((before, tag), (tag, after)) if UNKNOWN not in (pair[0].text, pair[1].text)] for tag in tags
    ]
    wrong = [sum(1 for pair in of for _ in faults(*pair, scheme=scheme)) for of in pairs]
    return tuple(tag for tag, count in zip(tags, wrong, strict=True) if count == min(wrong))


def _faults_beside_unknown(before: Tag, here: Tag, scheme: str) -> Iterator[tuple[int, str]]:
    """What is wrong with the tag that is known, whatever the other may be."""
    if here.text != UNKNOWN:
        yield from (
            fault for fault in faults(fills(before, here, scheme=scheme)[0], here, scheme=scheme) if not fault[0]
        )
    elif before.text != UNKNOWN:
        yield from (fault for fault in faults(before, fills(before, here, scheme=scheme)[0], scheme=scheme) if fault[0])


def _either(letters: str, type_: str) -> str:
    return " or ".join(dict.fromkeys(written(letter, type_) for letter in letters))
