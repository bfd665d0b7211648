"""What Ray runs on its machines: a task cuts a file into pieces, an actor tags them; each writes under a shared path.

Rows between them are small: a job, a piece or its number, and what went wrong.
"""

import pickle
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from polytag.bulk.folder import Folder, Input
from polytag.bulk.pieces import Piece, cut
from polytag.bulk.worker import Assignment, Worker
from polytag.errors import PolytagError
from polytag.files import atomic_write

PARQUET = "parquet"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """A file to tag, and all that a machine has to know to cut it; paths are absolute, for it runs anywhere."""

    name: str
    given: str
    source: Input
    format: str
    column: str | None
    word: int | str
    folder: Folder

    @property
    def is_table(self) -> bool:
        return is_table(Path(self.given), self.format)


def is_table(path: Path, format: str) -> bool:
    """Whether a file is Parquet, by the format that was named or by its suffix."""
    return format == PARQUET or (format == "auto" and path.suffix == ".parquet")


def cut_file(row: Row) -> Iterator[Row]:
    """The pieces of a file that are not on disk yet, and how many there are in all."""
    job: Job = pickle.loads(row["job"])
    number, error, head = 0, "", {"job": row["job"]}
    try:
        for piece in _pieces(job):
            if not job.folder.piece(job.name, number).exists():
                yield {**head, "number": number, "piece": pickle.dumps(piece), "total": -1, "error": ""}
            else:
                yield {**head, "number": number, "piece": b"", "total": -1, "error": ""}
            number += 1
    except PolytagError as found:
        error = str(found)
    yield {**head, "number": number, "piece": b"", "total": number, "error": error}


def _pieces(job: Job) -> Iterator[Any]:
    if job.is_table:
        from polytag.bulk import parquet

        return parquet.cut(Path(job.source.path), column=job.column, name=job.given)
    return cut(job.source.path, format=job.format, word=job.word, name=job.given)


class Actor:
    """A worker in a process of Ray's."""

    def __init__(self, assignment: Assignment) -> None:
        self.worker = Worker(assignment)

    def __call__(self, row: Row) -> Row:
        job: Job = pickle.loads(row["job"])
        error = row["error"]
        if row["piece"]:
            try:
                _tag(self.worker, pickle.loads(row["piece"]), job.folder.piece(job.name, row["number"]))
            except PolytagError as found:
                error = str(found)
        return {"name": job.name, "number": row["number"], "total": row["total"], "error": error}


def _tag(worker: Worker, piece: Any, target: Path) -> None:
    with atomic_write(target, "wb") as file:
        if isinstance(piece, Piece):
            file.write(worker.render(piece))
            return
        import pyarrow.parquet as pq

        from polytag.bulk import parquet

        pq.write_table(parquet.tagged(worker, piece), file)


def join(parts: list[Path], target: IO[bytes], job: Job) -> None:
    """Write the tagged pieces of a file one after the other: tables as one table, text as it is."""
    if job.is_table:
        from polytag.bulk import parquet

        parquet.joined(parts, target)
        return
    for part in parts:
        with part.open("rb") as source:
            shutil.copyfileobj(source, target)
