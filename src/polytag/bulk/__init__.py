"""Many texts, many processes: texts cut into pieces, tagged by workers on one machine or on a cluster, put in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from polytag.bulk.pieces import Piece as Piece
from polytag.bulk.pieces import TablePiece as TablePiece
from polytag.bulk.pieces import cut as cut
from polytag.bulk.pieces import is_table as is_table
from polytag.bulk.worker import Assignment as Assignment
from polytag.bulk.worker import Worker as Worker
from polytag.corpus.notes import Notes

if TYPE_CHECKING:
    from polytag.bulk.processes import Render


@contextmanager
def tagging(assignment: Assignment, *, workers: int = 1, notes: Notes | None = None) -> Iterator["Render"]:
    """A function that tags a stream of pieces in order and in constant memory; the model is loaded on entry.

    With several workers, each is a process with a model of its own and, unless the assignment says otherwise, one
    thread. What they give is byte for byte what one process gives. They are spawned, so a script that calls this needs
    the usual ``if __name__ == "__main__":``. They end with the block, however it ends, and with this process.
    ``notes`` takes what readers say of the texts.

    Raises:
        ModelError: the model cannot be loaded.
        PolytagError: it has no such task; while tagging also: a worker was killed.
        CorpusError: while tagging, what is wrong with the text, after all that stands before it has been given.
    """
    if workers == 1:
        worker = Worker(assignment)
        worker.notes = notes or worker.notes
        yield lambda pieces: map(worker.render, pieces)
        return
    from polytag.bulk.processes import tagging_in_processes

    with tagging_in_processes(assignment, workers, notes or Notes()) as render:
        yield render
