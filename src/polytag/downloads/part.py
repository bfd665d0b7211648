"""What is there of a file that is being fetched, so that a kill costs nothing but the time."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from polytag.files import atomic_write


class Part:
    """``NAME.part`` with the bytes that came, and ``NAME.part.json`` with what the server said of the file."""

    def __init__(self, target: Path, url: str) -> None:
        self.target, self.url = target, url
        self.path = target.with_name(f"{target.name}.part")
        self._notes = target.with_name(f"{target.name}.part.json")

    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, *, checked: bool) -> int:
        """Bytes to go on from: those that are there, if it would be noticed that the file has changed since."""
        notes = self._read()
        if notes.get("url") != self.url or not (notes.get("validator") or checked):
            return 0
        return self.size()

    def conditions(self, have: int) -> dict[str, str]:
        """Headers that ask for the rest after ``have`` bytes as long as the file is the same, and else for all."""
        if not have:
            return {}
        validator = self._read().get("validator")
        return {"Range": f"bytes={have}-", **({"If-Range": validator} if validator else {})}

    def open(self, start: int, headers: Mapping[str, str]) -> IO[bytes]:
        """The file to write to from byte ``start`` on; unbuffered, so that what was written survives a kill."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if start:
            return self.path.open("ab", buffering=0)
        self.path.unlink(missing_ok=True)  # first: old bytes must never stand beside new notes
        etag = headers.get("ETag", "")
        validator = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")
        with atomic_write(self._notes) as notes:
            json.dump({"url": self.url, "validator": validator}, notes)
        return self.path.open("wb", buffering=0)

    def finish(self) -> None:
        """Give the file its name."""
        self.path.replace(self.target)
        self._notes.unlink(missing_ok=True)

    def forget(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def _read(self) -> dict[str, str]:
        with suppress(OSError, ValueError):
            return dict(json.loads(self._notes.read_text(encoding="utf-8")))
        return {}


def digest_of(path: Path, algorithm: str) -> str:
    """The checksum of a file, in hexadecimal: ``"sha256"`` or ``"md5"``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
