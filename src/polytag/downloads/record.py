"""downloads.lock.toml in the data directory: what was fetched from where, under which licence, with which checksums."""

import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w

from polytag.downloads.catalogue import NONE, Dataset
from polytag.errors import PolytagError
from polytag.files import atomic_write

NAME = "downloads.lock.toml"
VERSION = 1


@dataclass(kw_only=True)
class Record:
    """The contents of the file.

    ``sources`` maps a URL to the SHA-256 of what came from there first; ``datasets`` a name to its licence, the day
    it was accepted, its targets with their SHA-256, and the targets that the source has not; ``plans`` a plan to the
    SHA-256 of what was written.
    """

    path: Path
    sources: dict[str, str] = field(default_factory=dict)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)

    def targets(self, dataset: Dataset) -> dict[str, str]:
        """What was fetched of a dataset: targets and their SHA-256; empty where nothing was."""
        return dict(self.datasets.get(dataset.name, {}).get("targets", {}))

    def absent(self, dataset: Dataset) -> set[str]:
        """Targets that the source did not have."""
        return set(self.datasets.get(dataset.name, {}).get("absent", ()))

    def expected(self, url: str) -> str:
        """The SHA-256 of what came from ``url`` first, or ``none``."""
        return self.sources.get(url, NONE)

    def add(self, dataset: Dataset, *, sources: dict[str, str], targets: dict[str, str], absent: list[str]) -> None:
        """Note what is about to be put in place."""
        self.sources |= sources
        self.datasets[dataset.name] = {
            "licence": dataset.licence.name,
            "licence_url": dataset.licence.url,
            "accepted": datetime.now(UTC).date(),
            "absent": absent,
            "targets": targets,
        }

    def write(self) -> None:
        """Write the file, whole or not at all."""
        tables = {"version": VERSION, "sources": self.sources, "plans": self.plans, "datasets": self.datasets}
        with atomic_write(self.path, "wb") as file:
            file.write(b"# Written by `polytag data get`: what was fetched, and the SHA-256 that it had.\n\n")
            tomli_w.dump(tables, file)


def read_record(data: Path) -> Record:
    """The record of a data directory, empty where there is none.

    Raises:
        PolytagError: the file is damaged or of another version.
    """
    path = data / NAME
    if not path.exists():
        return Record(path=path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PolytagError(f"{path}: cannot be read: {error}") from error
    if tables.get("version") != VERSION:
        raise PolytagError(f"{path}: its version is {tables.get('version')!r}, expected {VERSION}")
    return Record(path=path, **{key: dict(tables.get(key, {})) for key in ("sources", "datasets", "plans")})
