"""A directory of tagged files that a killed run leaves in a state to go on from: whole files, and pieces of the others.

NAME                        a whole file, tagged
.polytag/request.json       with what all of them were tagged
.polytag/files/NAME.json    that NAME is whole, and of which input
.polytag/pieces/NAME/...    tagged pieces of the files that are not whole yet
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError
from polytag.files import atomic_write, locked, remove_partial

OWN = ".polytag"


@dataclass(frozen=True, slots=True)
class Input:
    """A file to tag, with the size and the time of change by which it is known again."""

    path: str
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> "Input":
        status = path.stat()
        return cls(str(path.resolve()), status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Folder:
    """The places in a directory; every name is that of an input file."""

    path: Path

    def output(self, name: str) -> Path:
        return self.path / name

    def pieces(self, name: str) -> Path:
        return self.path / OWN / "pieces" / name

    def piece(self, name: str, number: int) -> Path:
        return self.pieces(name) / f"{number:08d}"

    def is_whole(self, name: str, source: Input) -> bool:
        """Whether a file is tagged already.

        Raises:
            PolytagError: it is, but its input was another one or has changed since.
        """
        record = _read(self._record(name))
        output = self.output(name)
        if record is None or not output.exists() or output.stat().st_size != record["bytes"]:
            return False
        if (record["size"], record["changed"]) != (source.size, source.changed):
            raise PolytagError(
                f"{output}: was tagged from {record['path']} of {record['size']:,} bytes, which is another file than "
                f"{source.path} of {source.size:,} bytes or has changed since; remove the output to tag it anew"
            )
        return True

    def prepare(self, name: str, source: Input) -> None:
        """Make room for the pieces of a file; those of its earlier content go."""
        place = self.pieces(name)
        known = {"size": source.size, "changed": source.changed}
        if _read(place / "input.json") != known:
            self.clear(name)
            place.mkdir(parents=True)
            _write(place / "input.json", known)

    def finish(self, name: str, source: Input) -> None:
        """Say that the output is whole, and remove its pieces."""
        content = {"path": source.path, "size": source.size, "changed": source.changed}
        _write(self._record(name), {**content, "bytes": self.output(name).stat().st_size})
        self.clear(name)

    def clear(self, name: str) -> None:
        shutil.rmtree(self.pieces(name), ignore_errors=True)

    def _record(self, name: str) -> Path:
        return self.path / OWN / "files" / f"{name}.json"


@contextmanager
def opened(path: Path, request: Mapping[str, Any]) -> Iterator[Folder]:
    """The directory, made where it is absent, and locked: for new tagged files and for those of the same request.

    Raises:
        PolytagError: it holds something else or what another request gave, is in use, or cannot be written.
    """
    _check(path, request)
    with locked(path, doing="tagging into", lock=f"{OWN}/lock"):
        for part in ("files", "pieces"):
            (path / OWN / part).mkdir(exist_ok=True)
        remove_partial(path)
        _write(path / OWN / "request.json", request)
        yield Folder(path)


def digest_of(model: Path, weights: str) -> str:
    """A checksum of all that decides what a model says."""
    if model.is_file():
        return blake2b(model.read_bytes(), digest_size=16).hexdigest()
    digest = blake2b(digest_size=16)
    calibration = [model / "calibration.json"] if (model / "calibration.json").exists() else []
    for file in (model / "plan.toml", *sorted((model / "vocabulary").glob("*.json")), model / weights, *calibration):
        digest.update(blake2b(file.read_bytes()).digest())
    return digest.hexdigest()


def names_of(files: Sequence[Path], output: Path) -> dict[str, Path]:
    """Each file under the name that it gets in the output directory.

    Raises:
        PolytagError: two have one name, or one would be written over itself.
    """
    names: dict[str, Path] = {}
    for file in files:
        if file.name in names:
            raise PolytagError(f"{file}: has the name of {names[file.name]}, expected names that differ in {output}")
        if output.resolve() == file.resolve().parent:
            raise PolytagError(f"{file}: lies in the output directory {output}, expected another one")
        names[file.name] = file
    return names


def _check(path: Path, request: Mapping[str, Any]) -> None:
    before = _read(path / OWN / "request.json")
    if before is None:
        if path.exists() and (not path.is_dir() or any(entry.name != OWN for entry in path.iterdir())):
            found = "other files" if path.is_dir() else "a file"
            raise PolytagError(f"{path}: found {found}, expected a new directory or one that this command began")
        return
    for key, value in request.items():
        if before.get(key) != value:
            was, is_ = (json.dumps(found) for found in (before.get(key), value))
            raise PolytagError(f"{path}: was begun with another {key} ({was}, now {is_}); name another directory")


def _read(path: Path) -> Any:
    """What a file of ours says; None where there is none, or a damaged one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, content: Any) -> None:
    with atomic_write(path) as file:
        json.dump(content, file, indent=1)
