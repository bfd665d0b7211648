"""The columns of CoNLL-U: ten, or those that the first line of CoNLL-U Plus names; and what stands in KEY=VALUE."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from polytag.corpus.text import Layout, lines_of
from polytag.errors import CorpusError, nearest

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
KEYED = ("feats", "misc")  # columns of KEY=VALUE, in which _ says that there is none
REPLACED = ("upos", "xpos")  # columns that a task of that name fills; tags of other tasks go to MISC
FORM = 1
OTHER_ID = re.compile(r"[1-9][0-9]*-[1-9][0-9]*|[0-9]+\.[1-9][0-9]*")  # of ranges and empty nodes, which are no words

# A bar parts the entries of MISC, so a tag that holds one (N|soort|ev) is written as UDPipe writes bars in MISC.
_ESCAPES = {"\\": "\\\\", "|": "\\p", " ": "\\s", "\t": "\\t"}
UNESCAPES = {escape: plain for plain, escape in _ESCAPES.items()}

GLOBAL = "# global.columns ="  # which the first line of CoNLL-U Plus begins with

Place = tuple[int, str]  # index of the column, and the key in it or nothing


def head_of(text: str) -> str:
    """The line that names the columns, if a text begins with one."""
    return next(lines_of(text)).text if text.startswith(GLOBAL) else ""


@lru_cache(maxsize=16)
def columns_in(head: str) -> tuple[str, ...]:
    """The names of the columns of a file that begins so, in lower case."""
    return tuple(head.removeprefix(GLOBAL).lower().split()) if head.startswith(GLOBAL) else COLUMNS


def index_of(name: str, layout: Layout) -> int:
    """Where a column stands that a file must have.

    Raises:
        CorpusError: it has not.
    """
    columns = columns_in(layout.head)
    if name not in columns:
        raise CorpusError(f"no column {name.upper()}, found {', '.join(columns).upper()}", path=layout.source, line=1)
    return columns.index(name)


def place(name: int | str, layout: Layout) -> Place:
    """Where a column stands: 'upos', 'misc.KEY', 'feats.KEY', or a number from 0.

    Raises:
        CorpusError: no column has that name.
    """
    column, _, key = str(name).partition(".")
    columns = columns_in(layout.head)
    column = columns[int(column)] if column.isdecimal() and int(column) < len(columns) else column.lower()
    if column not in columns or (key and column not in KEYED):
        known = nearest(column, [*columns, "misc.KEY", "feats.KEY"])
        raise CorpusError(f"CoNLL-U has no column '{name}', expected one of its columns{known}", path=layout.source)
    return columns.index(column), key


def check_targets(layout: Layout) -> None:
    """See to it that the columns that tags go to are there; raises CorpusError."""
    for name in layout.columns.values():
        place(name, layout)


def target(task: str, layout: Layout) -> str:
    """The name of the column that takes a task's tags: its own, if it is none of CoNLL-U's, else a key of MISC."""
    columns = columns_in(layout.head)
    is_own = task in REPLACED or task.lower() not in COLUMNS
    return layout.columns.get(task) or (task if is_own and task.lower() in columns else f"misc.{task}")


def is_key(name: int | str, layout: Layout) -> bool:
    """Whether a name is neither a number nor one of a column, nor of a key in a named column."""
    column = str(name).partition(".")[0]
    return not str(name).removeprefix("-").isdecimal() and column.lower() not in columns_in(layout.head)


def value_of(column: str, key: str) -> str | None:
    """The value of a key in a column of KEY=VALUE; None where it has none."""
    for entry in column.split("|"):
        found, _, value = entry.partition("=")
        if found == key and value:
            return value
    return None


def translated(text: str, table: Mapping[str, str]) -> str:
    """A text with each of some stretches replaced by another."""
    if not any(found in text for found in table):
        return text
    return re.sub("|".join(map(re.escape, table)), lambda match: table[match[0]], text)


def with_key(column: str, key: str, value: str) -> str:
    """A column of KEY=VALUE with one key set: in its old place, or at the end."""
    entries = [] if column == "_" else column.split("|")
    entry = f"{key}={translated(value, _ESCAPES)}"
    old = [number for number, text in enumerate(entries) if text.partition("=")[0] == key]
    if not old:
        return "|".join([*entries, entry])
    entries[old[0]] = entry
    return "|".join(text for number, text in enumerate(entries) if number not in old[1:])


def with_keys(column: Sequence[str], key: str, values: Sequence[str]) -> list[str]:
    """The same for each of many words, of which most have the same columns.

    Raises:
        ValueError: there is not one value for each.
    """
    pairs = list(zip(column, values, strict=True))
    made = {pair: with_key(pair[0], key, pair[1]) for pair in set(pairs)}
    return list(map(made.__getitem__, pairs))
