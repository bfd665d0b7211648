"""Bulk tagging on Ray Data: reading tasks cut the files, an actor per core tags pieces, files appear when whole.

Files, pieces and model are read and written by the machines themselves, so that all see them under the same paths
(a shared file system); what passes through this process is one small row per piece.
"""

import logging
import os
import pickle
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from polytag.bulk.folder import Input, digest_of, names_of, opened
from polytag.bulk.pieces import check_source
from polytag.bulk.ray_tasks import Actor, Job, Row, cut_file, join
from polytag.bulk.worker import Assignment, Worker
from polytag.errors import PolytagError
from polytag.files import atomic_write
from polytag.model.checkpoint import weights_file

MISSING = "Ray is not installed, expected it for this engine: pip install 'polytag[ray]'"
BLOCK_BYTES = 1 << 20  # of text that one actor gets at a time: a few pieces, so that one file keeps many busy
ACTOR_BYTES = 1 << 19  # of input per actor at least: a model takes seconds to load
NAMED = 10  # files that could not be tagged


@dataclass(slots=True)
class Progress:
    """How many pieces of a file are tagged, how many there are once its end was read, and what went wrong first."""

    done: int = 0
    total: int | None = None
    errors: dict[int, str] = field(default_factory=dict)


def tag_files(
    files: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    assignment: Assignment,
    *,
    format: str = "auto",
    workers: int | None = None,
) -> list[Path]:
    """Tag each file into one of the same name and format in the directory ``output``; give those that were written.

    It uses the cluster that RAY_ADDRESS or a running Ray on this machine leads to, else the cores of this machine;
    ``workers`` bounds the actors. Killed, it goes on where it was when called again with the same model and options:
    files that are whole are left alone, tagged pieces of others are taken as they are. A file that cannot be read
    stops no other.

    Raises:
        PolytagError: at once: Ray is not installed, the model or a file is not there, or the directory holds something
            else; at the end: some files could not be tagged (named, with the line).
    """
    ray = _imported()
    output = Path(output)
    names = names_of([Path(file) for file in files], output)
    for path in names.values():
        check_source(path, format=format, word=assignment.word)
    Worker(replace(assignment, precision="auto"))  # its errors are better told now
    assignment = replace(assignment, model=str(Path(assignment.model).resolve()))
    with opened(output.resolve(), _identity(assignment, format)) as folder:
        jobs = {
            name: Job(name, str(path), Input.of(path), format, assignment.word, folder, assignment.request.consistent)
            for name, path in names.items()
        }
        todo = {name: job for name, job in jobs.items() if not folder.is_whole(name, job.source)}
        for name, job in todo.items():
            folder.prepare(name, job.source)
        if todo:
            with _quiet(), _running(ray):
                _finish_all(todo, _rows(ray, list(todo.values()), assignment, workers))
    return [output / name for name in todo]


def _imported() -> Any:
    """Ray, which reports nothing about its use to anyone and logs to its files only."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of what its next release does
    try:
        import pyarrow  # noqa: F401
        import ray
        import ray.data
    except ImportError as error:
        raise PolytagError(MISSING) from error
    return ray


def _identity(assignment: Assignment, format: str) -> dict[str, Any]:
    """What must be the same for files of one directory: all that can change what is written."""
    weights = weights_file(assignment.best_for)
    options = asdict(assignment) | asdict(assignment.request)
    options |= {"tasks": list(assignment.request.tasks), "format": format}
    options = {key: value for key, value in options.items() if key not in ("model", "threads", "request")}
    return {"model": digest_of(Path(assignment.model), weights), "polytag": version("polytag"), **options}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Ray prints, and what its core writes to descriptor 2, out of our messages, which go there by a copy."""
    try:
        is_real = sys.stderr.fileno() == 2
    except (OSError, ValueError):  # an object in its place
        is_real = False
    if not is_real:
        yield
        return
    sys.stderr.flush()
    copy = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere, os.fdopen(copy, "w", encoding="utf-8", closefd=False) as ours:
            os.dup2(nowhere.fileno(), 2)
            with redirect_stdout(nowhere), redirect_stderr(ours):
                yield
    finally:
        os.dup2(copy, 2)
        os.close(copy)


@contextmanager
def _running(ray: Any) -> Iterator[None]:
    """A connection to Ray, closed at the end unless it was there before."""
    from ray.exceptions import RayError

    before = ray.is_initialized()
    try:
        if not before:
            logging.getLogger("ray").setLevel(logging.ERROR)
            ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
        yield
    except (RayError, ConnectionError) as error:
        reason = str(error).strip().splitlines()
        raise PolytagError(f"Ray gave up: {reason[-1] if reason else type(error).__name__}") from error
    finally:
        if not before:
            ray.shutdown()


def _rows(ray: Any, jobs: list[Job], assignment: Assignment, workers: int | None) -> Iterator[Row]:
    """One row per piece, when it is tagged and on disk, and one per file with the number of its pieces."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = BLOCK_BYTES
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    actors = min(workers or cores, 1 + sum(job.source.size for job in jobs) // ACTOR_BYTES)
    assignment = replace(assignment, threads=assignment.threads or 1)
    texts = ray.data.from_items([{"job": pickle.dumps(job)} for job in jobs], override_num_blocks=len(jobs)).flat_map(
        cut_file,
        num_cpus=0,  # reading is little beside tagging, and must not wait for a core that an actor holds
        concurrency=min(len(jobs), max(2, actors // 8)),
    )
    tagged = texts.map(
        Actor,
        fn_constructor_args=(assignment,),
        concurrency=actors,
        num_cpus=assignment.threads,
    )
    return iter(tagged.iter_rows())


def _finish_all(jobs: Mapping[str, Job], rows: Iterator[Row]) -> None:
    """Join the pieces of each file as soon as all are there.

    Raises:
        PolytagError: some files could not be tagged.
    """
    files: dict[str, Progress] = defaultdict(Progress)
    for row in rows:
        progress = files[row["name"]]
        if row["total"] >= 0:
            progress.total = row["total"]
        else:
            progress.done += 1
        if row["error"]:
            progress.errors[row["number"]] = row["error"]
        if progress.done == progress.total and not progress.errors:
            _finish(jobs[row["name"]], progress.total)
    failed = {name: files[name].errors for name in jobs if files[name].errors}
    if failed:
        first = next(iter(failed.values()))
        names = ", ".join([*list(failed)[:NAMED], *["..."][: len(failed) - NAMED]])
        raise PolytagError(f"{first[min(first)]}; {len(failed)} of {len(jobs)} files were not tagged: {names}")


def _finish(job: Job, pieces: int) -> None:
    parts = [job.folder.piece(job.name, number) for number in range(pieces)]
    with atomic_write(job.folder.output(job.name), "wb") as target:
        join(parts, target, job)
    job.folder.finish(job.name, job.source)
