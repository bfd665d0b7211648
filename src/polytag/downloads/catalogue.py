"""What can be fetched: the rows of catalogue.toml, and from a name with its parameter to one of them."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from pydantic import BaseModel, ConfigDict

from polytag.errors import PolytagError, nearest

NONE = "none"  # a checksum that no source states


class Entry(BaseModel):
    """A table of the catalogue: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Licence(Entry):
    """Under what the data may be used: a name, the terms in a sentence, and where they stand."""

    name: str
    terms: str
    url: str


class File(Entry):
    """One file at a URL: kept as ``target``, or an archive whose ``members`` become the targets beside them.

    ``size`` in bytes and the checksums are checked where they are known. ``unpacked`` is the most bytes that the
    members may hold together. ``extras`` are members that are taken where the archive has them. A file that is
    ``optional`` may be missing at its source; lines of a plan that name it are then replaced by ``instead``.
    """

    url: str
    target: str = ""
    members: dict[str, str] = {}
    extras: dict[str, str] = {}
    size: int | None = None
    md5: str = NONE
    sha256: str = NONE
    unpacked: int = 0
    optional: bool = False
    instead: str = ""
    is_licence: bool = False

    @property
    def targets(self) -> tuple[str, ...]:
        """What must be there once the file is fetched, relative to the data directory."""
        return tuple(self.members.values()) if self.members else (self.target,)

    @property
    def name(self) -> str:
        """The last part of the URL."""
        return self.url.rsplit("/", 1)[-1]


class _Described(Entry):
    what: str
    licence: Licence
    files: tuple[File, ...]
    plans: dict[str, str] = {}
    vectors: str = ""


class Dataset(_Described):
    """One name of the catalogue; ``fields`` is what its parameter stands for, ``plans`` maps files to templates."""

    name: str
    fields: dict[str, str] = {}

    @property
    def optional_targets(self) -> set[str]:
        """Targets that the source may not have."""
        return {target for file in self.files if file.optional for target in file.targets}


class _Row(_Described):
    example: str = ""
    pattern: str = ""
    canonical: str = ""
    values: tuple[str, ...] = ()
    codes: dict[str, str] = {}


def names() -> Mapping[str, Dataset]:
    """Every row of the catalogue under its name; for a row with a parameter, the name and the row of its example."""
    rows = {name: f"{name}:{row.example}" if row.pattern else name for name, row in _rows().items()}
    return {name: lookup(name) for name in rows.values()}


def lookup(name: str) -> Dataset:
    """The row that ``NAME`` or ``NAME:PARAMETER`` names, with the parameter filled in.

    Raises:
        PolytagError: there is no such name, or its parameter is missing or is none of those it can have.
    """
    base, colon, parameter = name.partition(":")
    row = _rows().get(base)
    if row is None:
        raise PolytagError(f"there is nothing to download named '{base}'{nearest(base, _rows())}")
    if colon and not row.pattern:
        raise PolytagError(f"{base} takes no parameter, found '{parameter}'")
    fields = _fields(base, row, parameter) if row.pattern else {}
    parameter = Template(row.canonical or "$parameter").substitute({"parameter": parameter, **fields})
    table = row.model_dump(include={"what", "licence", "files", "plans", "vectors"})
    full = f"{base}:{parameter}" if row.pattern else base
    return Dataset.model_validate({**_filled(table, fields), "name": full, "fields": fields})


def _fields(base: str, row: _Row, parameter: str) -> dict[str, str]:
    """What the placeholders of a row stand for."""
    expected = f"such as {base}:{row.example}"
    if not parameter:
        raise PolytagError(f"{base} needs a parameter, {expected}")
    match = re.fullmatch(row.pattern, parameter)
    if not match:
        raise PolytagError(f"{base}:{parameter}: expected a parameter {expected}")
    if row.values and parameter not in row.values:
        raise PolytagError(f"{base}: there is no '{parameter}'{nearest(parameter, row.values)}")
    fields = dict(match.groupdict())
    fields |= {f"{name}_lower": value.lower() for name, value in match.groupdict().items()}
    if row.codes:
        language = fields["language"]
        if language not in row.codes:
            hint = nearest(language, row.codes)
            raise PolytagError(f"{base}:{parameter}: the catalogue knows no language '{language}'{hint}")
        fields["code"] = row.codes[language]
    return fields


def _filled(value: Any, fields: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return Template(value).substitute(fields)
    if isinstance(value, dict):
        return {_filled(key, fields): _filled(item, fields) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, fields) for item in value]
    return value


@cache
def _rows() -> dict[str, _Row]:
    text = files("polytag.downloads").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {name: _Row.model_validate(row) for name, row in tomllib.loads(text).items()}
