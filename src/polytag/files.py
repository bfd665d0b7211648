"""Files that are either whole or absent: written beside their place, then renamed. Directories for one process."""

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from polytag.compressed import compressing
from polytag.errors import PolytagError

if TYPE_CHECKING:
    from filelock import FileLock

try:
    import fcntl
except ModuleNotFoundError:  # on Windows
    fcntl = None  # type: ignore[assignment]

_PARTIAL = ".partial"


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under ``path`` only when it is complete and on disk.

    It is gzip or xz if the name ends in .gz or .xz. ``mode`` is "w" for text, which is UTF-8 with line ends as they are
    given, or "wb". Devices and pipes, such as /dev/stdout, are written to as they stand: nothing can take their place.

    Raises:
        PolytagError: the file cannot be written, or UTF-8 cannot hold a text; whatever stood there before still does.
    """
    path = Path(path)
    try:
        is_device = path.exists() and not path.is_file() and not path.is_dir()
        with path.open("wb") if is_device else _replacing(path) as raw, _layered(raw, path, mode) as file:
            yield file
    except OSError as error:
        raise PolytagError(f"{path}: cannot be written: {error.strerror or error}") from error
    except UnicodeEncodeError as error:
        found = error.object[error.start : error.end]
        raise PolytagError(f"{path}: cannot be written: found {found!r:.60}, expected text that UTF-8 holds") from error


def json_text(value: Any) -> str:
    """JSON for people and machines: indented, in their letters, and never NaN, which is none."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `json_text` as `atomic_write` writes, with its errors."""
    with atomic_write(path) as file:
        file.write(json_text(value))


def remove_partial(directory: str | os.PathLike[str]) -> None:
    """Remove what a killed `atomic_write` left in a directory; nobody else may be writing there."""
    for path in Path(directory).glob(f".*{_PARTIAL}"):
        _remove(path)


@contextmanager
def locked(
    directory: Path,
    *,
    doing: str,
    lock: str = ".lock",
    kind: type[PolytagError] = PolytagError,
    waiting: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Make a directory and keep other processes out of it; what was made and stayed empty goes again.

    Args:
        directory: where ``lock`` is made, and the directories that lead to it.
        doing: what another process may be doing there: "training into".
        lock: the lock's path in the directory.
        kind: of the errors.
        waiting: called once if another process is there, which is then waited for.

    Raises:
        PolytagError: another process is there, or the directory cannot be written.
    """
    from filelock import Timeout  # late, as what only reads a model never locks

    path = directory / lock
    made = [place for place in dict.fromkeys((path.parent, directory)) if not place.exists()]
    try:
        held = _acquired(path, waiting)
    except Timeout:
        raise kind(f"{directory}: another process is {doing} this directory") from None
    except OSError as error:
        raise kind(f"{directory}: cannot be written: {error.strerror or error}") from None
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is held: afterwards it could be another's
        held.release()
        with suppress(OSError):
            for place in made:
                place.rmdir()  # which it is only if nothing came into it


def _acquired(path: Path, waiting: Callable[[], None] | None) -> "FileLock":
    """A lock that is held; whoever held it before may have removed its directory, which is then made again."""
    from filelock import FileLock, Timeout

    lock, seconds = FileLock(path), 0.0
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=seconds)
        except FileNotFoundError:
            continue
        except Timeout:
            if waiting is None:
                raise
            if not seconds:
                waiting()
            seconds = 1.0
            continue
        if path.exists():
            return lock
        lock.release()  # of a file that was removed, which keeps nobody out


@contextmanager
def nothing_left_on_failure(directory: Path) -> Iterator[None]:
    """Remove what came into a directory if the body fails, and the directory if it was not there before."""
    before = set(directory.iterdir()) if directory.exists() else None
    try:
        yield
    except BaseException:
        for path in set(directory.iterdir() if directory.exists() else ()) - (before or set()):
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        with suppress(OSError):
            if before is None:
                directory.rmdir()
        raise


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``path`` at the end, or of what it links to."""
    place = Path(os.path.realpath(path))
    # The name is cut so that any name that a file can have will do. It is known before the file exists: an interrupt
    # that comes while the file is made finds what to remove.
    begin = f".{place.name[:50]}."
    _remove_abandoned(place.parent, begin)
    temporary = place.with_name(f"{begin}{os.urandom(8).hex()}{_PARTIAL}")
    try:
        with temporary.open("xb") as raw:
            _claim(raw)
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        temporary.replace(place)
    except BaseException:
        _remove(temporary)
        raise


def _claim(file: IO[bytes]) -> None:
    """Lock a file as long as it is open, where that can be.

    Raises:
        OSError: another process has it.
    """
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_abandoned(directory: Path, begin: str) -> None:
    """Remove what killed processes left of files; what another is writing is locked, or open, which Windows heeds."""
    with suppress(OSError):
        for path in directory.iterdir():
            if path.name.startswith(begin) and path.name.endswith(_PARTIAL):
                with suppress(OSError), path.open("rb") as file:
                    _claim(file)
                    path.unlink()


@contextmanager
def _layered(raw: IO[bytes], path: Path, mode: str) -> Iterator[IO[Any]]:
    """What to write to so that text arrives encoded, and all of it compressed where the name says so."""
    with compressing(raw, path) as out:  # left however it is: what nobody closed would complain when it is collected
        if "b" in mode:
            yield out
            return
        text = io.TextIOWrapper(out, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()  # flushes, and leaves the file open


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
