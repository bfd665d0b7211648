"""What commands write: a file or stdout, and whether it can be written, told before anything is read."""

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from polytag.errors import PolytagError

if TYPE_CHECKING:
    from polytag.corpus.notes import Notes


class NamedPath(click.Path):
    """A path that is there: an empty one, as of a variable that nobody set, would be the current directory."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("an empty path, expected the name of a file or directory", param, ctx)
        return super().convert(value, param, ctx)


class FileToWrite(NamedPath):
    """A file that a command writes at its end; where it could not, that is said at the start.

    ``read_again`` is for a file that the command opens once more, to see what came of it: devices and pipes are none.

    Raises (while options are read):
        PolytagError: the file cannot be written, or not read again.
    """

    def __init__(self, *, read_again: bool = False) -> None:
        super().__init__()
        self._read_again = read_again

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        check_file(path)
        if self._read_again and path.exists() and not path.is_file():
            raise PolytagError(f"{path}: is a device or a pipe, expected a file: what is written is read again")
        return path


def check_file(path: Path) -> None:
    """See to it that a file can be written, without writing anything.

    Raises:
        PolytagError: it cannot, in the system's own words.
    """
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        _refuse(path, errno.EISDIR)
    if not folder.exists():
        _refuse(path, errno.ENOTDIR if _nearest(folder).is_file() else errno.ENOENT)
    if not folder.is_dir():
        _refuse(path, errno.ENOTDIR)
    if path.exists() and not path.is_file():  # a device or pipe is written to as it stands
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        _refuse(path, errno.EACCES)


def check_apart(output: Path | None, sources: Iterable[Path]) -> None:
    """See to it that what is read is not written over.

    Raises:
        PolytagError: the file to write is one of those to read.
    """
    for source in sources:
        if output is not None and output.is_file() and source.exists() and output.samefile(source):
            raise PolytagError(f"{source}: is to be read and to be written, expected two files")


def check_directory(path: Path) -> None:
    """See to it that a directory can be made, or written into if it is there; what is no directory is left to others.

    Raises:
        PolytagError: it cannot.
    """
    there = _nearest(path)
    if there.is_dir() and not os.access(there, os.W_OK | os.X_OK):
        _refuse(path, errno.EACCES)


@contextmanager
def opened(output: Path | None) -> Iterator[IO[bytes]]:
    """The file to write, which appears when it is whole, or stdout."""
    from polytag.files import atomic_write

    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with atomic_write(output, "wb") as target:
        yield target


def write_page(path: Path, page: str) -> None:
    """Write a page, in which names of files that UTF-8 cannot hold stand with escapes.

    Raises:
        PolytagError: it cannot be written.
    """
    from polytag.files import atomic_write

    with atomic_write(path, "wb") as file:
        file.write(page.encode("utf-8", "backslashreplace"))


def tell(notes: "Notes") -> None:
    """What readers said, on stderr."""
    for note in notes:
        click.echo(str(note), err=True)


@contextmanager
def bars(unit: str, *, quiet: bool) -> "Iterator[Callable[[str, int, int | None], None]]":
    """A bar for each step in a terminal, a line for each in a log; told a step, what is done and how many in all."""
    from tqdm import tqdm

    bars: dict[str, tqdm[None]] = {}
    in_terminal = sys.stderr.isatty()

    def progress(step: str, done: int, total: int | None) -> None:
        if quiet:
            return
        if step not in bars:
            if not in_terminal:
                click.echo(f"{step}{'' if total is None else f' {total:,} {unit}'}", err=True)
            bars[step] = tqdm(desc=step, total=total, unit=f" {unit}", unit_scale=True, disable=not in_terminal)
        bars[step].update(done - bars[step].n)

    try:
        yield progress
    finally:
        for bar in bars.values():
            bar.close()


def _nearest(path: Path) -> Path:
    """The path, or what is there of those that lead to it."""
    path = Path(os.path.realpath(path))
    return next(place for place in (path, *path.parents) if place.exists())


def _refuse(path: Path, reason: int) -> None:
    raise PolytagError(f"{path}: cannot be written: {os.strerror(reason)}")
