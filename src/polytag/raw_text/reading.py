"""Raw text as people have it: files plain or packed, folders of them, streams."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import cast

from polytag.corpus.documents import PEEK, blocks
from polytag.corpus.formats import looks_like
from polytag.corpus.notes import Notes
from polytag.corpus.raw_lines import Source
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Lines
from polytag.errors import CorpusError

_NAMED = 3
_VECTOR = re.compile(r"\S+(\s+-?\d+(\.\d+)?(e[-+]?\d+)?){2,}\s*")  # a word and its values


def sources_of(texts: Source | Iterable[Source]) -> list[Source]:
    """One text or several, a folder replaced by its files, however deep, by name, but for hidden ones.

    Raises:
        CorpusError: a folder has no file.
    """
    is_one = isinstance(texts, str | PathLike) or hasattr(texts, "read")
    given = [cast(Source, texts)] if is_one else list(cast(Iterable[Source], texts))
    return [source for text in given for source in _files(text)]


def names_of(sources: Sequence[Source]) -> str:
    """What errors call some texts: three of them by name."""
    more = f" and {len(sources) - _NAMED:,} more" if len(sources) > _NAMED else ""
    return ", ".join(map(_name, sources[:_NAMED])) + more


def raw_sentences(sources: Iterable[Source], *, tokeniser: str, encoding: str, notes: Notes) -> Iterator[Sentence]:
    """The sentences of texts, one after the other; ``notes`` takes what is odd but can be read.

    Raises:
        CorpusError: a text cannot be read, with its line.
    """
    for source in sources:
        if isinstance(source, str | PathLike):
            _tell_looks(Path(source), encoding, notes)
        name = _name(source)
        found = blocks(source, format="text", source=name, encoding=encoding, tokeniser=tokeniser, notes=notes)
        yield from (block.sentence for block in found if block.sentence is not None)


def _name(source: Source) -> str:
    return str(source) if isinstance(source, str | PathLike) else "<stdin>"


def _files(source: Source) -> list[Source]:
    if not isinstance(source, str | PathLike) or not (folder := Path(source)).is_dir():
        return [source]
    inside = ((path, path.relative_to(folder).parts) for path in sorted(folder.rglob("*")))
    files = [path for path, parts in inside if path.is_file() and not any(part.startswith(".") for part in parts)]
    if not files:
        raise CorpusError("a folder without files, expected some of raw text", path=folder)
    return list(files)


def _tell_looks(file: Path, encoding: str, notes: Notes) -> None:
    """Say of a file that it looks like no raw text."""
    with suppress(CorpusError):  # told when it is read
        first = [line.text for line in islice(Lines(file, encoding=encoding), PEEK)]
        rows = first[1:]  # the first may say how many there are
        if rows and all(map(_VECTOR.fullmatch, rows)):
            notes.tell("format", "looks like word vectors, but is read as raw text", path=str(file))
        elif (found := looks_like(first)) != "text":
            text = f"looks like {found}, but is read as raw text: 'polytag data convert' makes text of its words"
            notes.tell("format", text, path=str(file))
