"""The formats of corpora and texts: one file each, one `Format` each, one table of them.

A file here that holds a ``FORMAT`` is a row of the table; nothing else names it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules

from polytag.corpus.formats.format import Cut as Cut
from polytag.corpus.formats.format import FlatText as FlatText
from polytag.corpus.formats.format import Format as Format

DEFAULT = "conll"  # what a file is read as that no suffix tells


def _formats() -> Iterator[Format]:
    for file in iter_modules(__path__, f"{__name__}."):
        found = getattr(import_module(file.name), "FORMAT", None)
        if isinstance(found, Format):
            yield found


FORMATS: Mapping[str, Format] = {row.name: row for row in sorted(_formats(), key=lambda row: row.name)}
RECOGNISED = sorted(FORMATS, key=lambda name: name == DEFAULT)  # columns last: others have columns too
WRITERS: Mapping[str, Callable[..., str]] = {
    name: writer for row in FORMATS.values() for name, writer in row.writers.items()
}


def looks_like(first: Sequence[str]) -> str:
    """The format that the first lines of a text look like: raw text where they look like no other."""
    return next((name for name in RECOGNISED if FORMATS[name].recognises(first)), "text")
