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
from polytag.bulk.pieces import cut, is_table
from polytag.bulk.worker import Assignment, Worker
from polytag.errors import PolytagError
from polytag.files import atomic_write

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """A file to tag, and all that a machine has to know to cut it; paths are absolute, for it runs anywhere."""

    name: str
    given: str
    source: Input
    format: str
    word: int | str
    folder: Folder
    consistent: bool

    @property
    def is_table(self) -> bool:
        return is_table(self.given, self.format)


def cut_file(row: Row) -> Iterator[Row]:
    """The pieces of a file that are not on disk yet, and how many there are in all."""
    job: Job = pickle.loads(row["job"])
    number, error, head = 0, "", {"job": row["job"]}
    try:
        pieces = cut(job.source.path, format=job.format, word=job.word, name=job.given, consistent=job.consistent)
        for piece in pieces:
            if not job.folder.piece(job.name, number).exists():
                yield {**head, "number": number, "piece": pickle.dumps(piece), "total": -1, "error": ""}
            else:
                yield {**head, "number": number, "piece": b"", "total": -1, "error": ""}
            number += 1
    except PolytagError as found:
        error = str(found)
    yield {**head, "number": number, "piece": b"", "total": number, "error": error}


class Actor:
    """A worker in a process of Ray's."""

    def __init__(self, assignment: Assignment) -> None:
        self.worker = Worker(assignment)

    def __call__(self, row: Row) -> Row:
        job: Job = pickle.loads(row["job"])
        error = row["error"]
        if row["piece"]:
            try:
                tagged = self.worker.render(pickle.loads(row["piece"]))
                with atomic_write(job.folder.piece(job.name, row["number"]), "wb") as file:
                    file.write(tagged)
            except PolytagError as found:
                error = str(found)
        return {"name": job.name, "number": row["number"], "total": row["total"], "error": error}


def join(parts: list[Path], target: IO[bytes], job: Job) -> None:
    """Write the tagged pieces of a file one after the other: tables as one table, text as it is."""
    if job.is_table:
        from polytag.bulk import tables

        rows = (part.read_bytes() for part in parts)
        tables.write(rows, target, name=job.name, like=Path(job.source.path))
        return
    for part in parts:
        with part.open("rb") as source:
            shutil.copyfileobj(source, target)
