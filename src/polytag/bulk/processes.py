"""Pieces to tagged pieces, in order, by worker processes of which none outlives this one.

A pipe to each worker and no thread: a worker that is killed while it writes leaves only its own pipe broken, where the
pools of the standard library wait for the rest of its answer for good.
"""

import signal
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from polytag.bulk.pieces import AnyPiece
from polytag.bulk.worker import Assignment, Worker
from polytag.corpus.notes import Note, Notes
from polytag.errors import PolytagError, PolytagWarning
from polytag.garbage import look_rarely

AHEAD = 3  # pieces for each worker that are being tagged, or wait for their turn to be written

Render = Callable[[Iterable[AnyPiece]], Iterator[bytes]]
Answer = tuple[bytes, list[Note]] | Exception  # a warning is one too
Pipe = Connection  # of a piece to a worker, and of its answer


@contextmanager
def tagging_in_processes(assignment: Assignment, workers: int, notes: Notes) -> Iterator[Render]:
    """What `polytag.bulk.tagging` gives where there are several workers."""
    with _started(replace(assignment, threads=assignment.threads or 1), workers) as pipes:
        pool = _Pool(pipes, notes)
        pool.receive()  # the first that has loaded the model, or why it could not
        yield pool.render


class _Pool:
    """Workers that are busy with a numbered piece, or idle; a worker that starts is busy with nothing."""

    def __init__(self, pipes: Iterable[Pipe], notes: Notes) -> None:
        self._notes = notes
        self._busy: dict[Pipe, int | None] = dict.fromkeys(pipes)
        self._idle: list[Pipe] = []
        self._answers: dict[int, Answer] = {}
        self._numbers = count()
        self._ahead = AHEAD * len(self._busy)

    def render(self, pieces: Iterable[AnyPiece]) -> Iterator[bytes]:
        """One answer at a time; who is idle gets a piece before, cut while others worked, unless many are to come."""
        waiting, due = _or_error(pieces), deque[int]()
        piece = next(waiting, None)
        while piece is not None or due:
            if piece is not None and self._idle and len(due) < self._ahead:
                due.append(self._give(piece))
                piece = next(waiting, None)
            elif due and due[0] in self._answers:
                text, said = _result(self._answers.pop(due.popleft()))
                self._notes.add(said)
                yield text
            else:
                self.receive()

    def receive(self) -> None:
        """Wait for answers and take those that are there.

        Raises:
            PolytagError: a worker was killed, or could not start.
        """
        for pipe in wait(list(self._busy)):
            assert isinstance(pipe, Connection)
            with _alive():
                answer: Answer = pipe.recv()
            number = self._busy.pop(pipe)
            self._idle.append(pipe)
            if number is None:
                _ready(answer)
            else:
                self._answers[number] = answer

    def _give(self, piece: AnyPiece | Exception) -> int:
        number = next(self._numbers)
        if isinstance(piece, Exception):
            self._answers[number] = piece
            return number
        pipe = self._idle.pop()
        with _alive():
            pipe.send(piece)  # it waits for this alone, so that both never write at once
        self._busy[pipe] = number
        return number


def _or_error(pieces: Iterable[AnyPiece]) -> Iterator[AnyPiece | Exception]:
    """An error while reading takes its turn among the pieces, so that all before it is given first."""
    try:
        yield from pieces
    except PolytagError as error:
        yield error


def _ready(answer: Answer) -> None:
    """Take what a new worker says; it warns of what its parent would be warned of, who says so once for all workers."""
    if isinstance(answer, Warning):
        warnings.warn(answer, stacklevel=2)
    else:
        _result(answer)


def _result(answer: Answer) -> tuple[bytes, list[Note]]:
    if isinstance(answer, Exception):
        raise answer
    return answer


@contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise PolytagError("a worker process was killed, perhaps for lack of memory; try fewer workers") from error


@contextmanager
def _started(assignment: Assignment, workers: int) -> Iterator[list[Pipe]]:
    """A pipe to each of some new processes, which are gone at the end."""
    context = get_context("spawn")  # a fork would copy a process that may have threads
    pipes: list[Pipe] = []
    processes: list[Any] = []
    try:
        for _ in range(workers):
            ours, theirs = context.Pipe()
            pipes.append(ours)
            processes.append(context.Process(target=_serve, args=(theirs, assignment), daemon=True))
            with _interrupts_blocked():
                processes[-1].start()
            theirs.close()  # so that the pipe ends with the process
        yield pipes
    finally:
        for process in processes:
            if process.pid is not None:
                process.kill()  # it has nothing to lose
                process.join()
        for pipe in pipes:
            pipe.close()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """A process started here does not see Ctrl-C, which a terminal sends to all and the parent alone should tell.

    Blocked, not ignored: one that comes right now is not lost for the parent.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # else it is started with the first process, and unblocks SIGINT before that one
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: "Connection[Answer, AnyPiece]", assignment: Assignment) -> None:
    """A worker process: says that it is ready, then answers each piece, until the parent is gone."""
    look_rarely()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was blocked until here, for threads that block nothing
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            with warnings.catch_warnings(record=True, action="always", category=PolytagWarning) as warned:
                worker = Worker(assignment)
        except Exception as error:
            pipe.send(_told(error))
            return
        pipe.send(next((said.message for said in warned if isinstance(said.message, PolytagWarning)), (b"", [])))
        while True:
            piece = pipe.recv()
            try:
                worker.notes = Notes()
                answer: Answer = worker.render(piece), list(worker.notes)
            except Exception as error:
                answer = _told(error)
            pipe.send(answer)


def _told(error: Exception) -> Exception:
    """What happened here, for the parent; an error of no user's also says where, as its traceback stays here."""
    if not isinstance(error, PolytagError):
        error.add_note("".join(traceback.format_exception(error)))
    return error
