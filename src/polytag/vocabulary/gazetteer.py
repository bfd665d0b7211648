"""Gazetteers: lists of typed entries (``LOC New York``), and where they match a sentence as BIOES columns."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from polytag.cached import cached_property
from polytag.errors import VectorsError
from polytag.tag_schemes import SCHEMES

Entry = tuple[str, tuple[str, ...]]  # type, words

OUTSIDE = "O"
_BIOES = SCHEMES["bioes"]


class Gazetteer:
    """Entries by type, each a tuple of words.

    Words that stand under several types belong to the type that comes first in the list; ``shadowed`` holds the
    number of entries left out so. Equality, and what match() returns, depend on the entries alone.
    """

    def __init__(self, entries: Mapping[tuple[str, ...], str], *, types: Iterable[str] = (), shadowed: int = 0) -> None:
        self._types = dict(entries)
        self.types: tuple[str, ...] = tuple(sorted({*types, *self._types.values()}))
        self.shadowed = shadowed

    @classmethod
    def from_entries(cls, entries: Iterable[Entry]) -> "Gazetteer":
        """Make a gazetteer of pairs (type, words).

        Raises:
            VectorsError: there is no entry, or one without words or type.
        """
        types: dict[tuple[str, ...], str] = {}
        seen: set[str] = set()
        shadowed = 0
        for type, words in entries:
            if not type or not words or not all(words):
                raise VectorsError(f"the entry ({type!r}, {words!r}) lacks a type or words, expected both")
            seen.add(type)
            shadowed += types.setdefault(tuple(words), type) != type
        if not types:
            raise VectorsError("the gazetteer is empty, expected lines of a type and an entry's words")
        return cls(types, types=seen, shadowed=shadowed)

    @classmethod
    def load(cls, path: str | PathLike[str], *, encoding: str = "utf-8") -> "Gazetteer":
        """Read a list of the CoNLL shared tasks: ``TYPE entity words`` per line, gzip or xz too; blank lines skipped.

        The lists that circulate are UTF-8; the Dutch one of the original CoNLL-2002 package is Latin-1.

        Raises:
            VectorsError: unreadable, empty, not in ``encoding``, or a line with a type and no words.
        """
        from polytag.vocabulary.vectors.source import lines_of, opened  # late: a model has its lists in it

        file = Path(path)
        with opened(file) as stream:
            entries = list(_entries(lines_of(stream, file), file, encoding))
        if not entries:
            raise VectorsError("the gazetteer is empty, expected lines of a type and an entry's words", path=file)
        return cls.from_entries(entries)

    @classmethod
    def from_json(cls, value: Any) -> "Gazetteer":
        """The inverse of to_json().

        Raises:
            VectorsError: ``value`` is not what to_json() gives.
        """
        try:
            pairs = [(type, _strings(words)) for type, entries in value["types"].items() for words in entries]
            gazetteer = cls.from_entries(pairs)
            return cls(gazetteer._types, types=value["types"], shadowed=int(value["shadowed"]))
        except (TypeError, KeyError, AttributeError, ValueError, VectorsError) as error:
            raise VectorsError("the stored gazetteer is damaged, expected lists of words by type") from error

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and a number; what match() gives does not depend on the order of their keys."""
        types: dict[str, list[list[str]]] = {type: [] for type in self.types}
        for words, type in self._types.items():
            types[type].append(list(words))
        return {"types": types, "shadowed": self.shadowed}

    @property
    def entries(self) -> dict[str, list[tuple[str, ...]]]:
        """The entries of each type, in the order of the list."""
        return {type: [words for words, of in self._types.items() if of == type] for type in self.types}

    @cached_property
    def tags(self) -> list[str]:
        """What the columns stand for: "O" first, then B-, E-, I- and S- of each type in alphabetical order."""
        return [OUTSIDE, *sorted(f"{prefix}-{type}" for prefix in _BIOES.letters[1:] for type in self.types)]

    def match(self, words: Sequence[str]) -> list[int]:
        """The column of each word, an index into ``tags``: one-hot rows, stored as the place of the one.

        From the left, the longest entry that matches at a word takes its words (case counts); where none does, the
        word's column is that of "O".
        """
        columns, position, end = [0] * len(words), 0, len(words)
        lengths, found = self._lengths, self._columns
        while position < end:
            step = 1
            for length in lengths.get(words[position], ()):
                entry = found.get(tuple(words[position : position + length]))
                if entry is not None:
                    columns[position : position + length] = entry
                    step = length
                    break
            position += step
        return columns

    @cached_property
    def _lengths(self) -> dict[str, tuple[int, ...]]:
        """The lengths of the entries that begin with a word, longest first."""
        lengths: dict[str, set[int]] = {}
        for words in self._types:
            lengths.setdefault(words[0], set()).add(len(words))
        return {word: tuple(sorted(of, reverse=True)) for word, of in lengths.items()}

    @cached_property
    def _columns(self) -> dict[tuple[str, ...], list[int]]:
        index = {tag: column for column, tag in enumerate(self.tags)}
        return {
            words: [index[f"{letter}-{type}"] for letter in _BIOES.letters_of(len(words))]
            for words, type in self._types.items()
        }

    def __len__(self) -> int:
        return len(self._types)

    def __getstate__(self) -> dict[str, Any]:
        """The entries alone: what was worked out of them for matching is worked out again."""
        return {name: getattr(self, name) for name in ("_types", "types", "shadowed")}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Gazetteer):
            return NotImplemented
        return self._types == other._types and self.types == other.types

    def __hash__(self) -> int:
        return hash((self.types, len(self._types)))

    def __repr__(self) -> str:
        return f"Gazetteer({len(self):,} entries of {', '.join(self.types)})"


def _strings(words: object) -> tuple[str, ...]:
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise TypeError("not a list of strings")
    return tuple(words)


def _entries(lines: Iterable[bytes], path: Path, encoding: str) -> Iterable[Entry]:
    for number, line in enumerate(lines, start=1):
        # bytes split at ASCII white space only: U+00A0 and U+0085 are letters of a word here.
        fields = line.split()
        if len(fields) == 1:
            raise VectorsError(f"a type without words ({fields[0][:40]!r}), expected both", path=path, line=number)
        try:
            decoded = [field.decode(encoding) for field in fields]
        except (LookupError, ValueError) as error:  # ValueError: not in the encoding, or a name with a NUL character
            if not isinstance(error, UnicodeError):
                raise VectorsError(f"unknown encoding '{encoding}', expected a Python codec", path=path) from error
            text = b" ".join(fields).decode("ascii", "backslashreplace")
            message = f"{text:.60} is not {encoding}, expected a file in it (the CoNLL-2002 originals are latin-1)"
            raise VectorsError(message, path=path, line=number) from error
        if decoded:
            yield decoded[0], tuple(decoded[1:])
