"""Files that are either whole or absent: written beside their place, then renamed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from polytag.errors import PolytagError


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under ``path`` only when it is complete and on disk.

    Raises:
        PolytagError: the file cannot be written; whatever stood under ``path`` before still does.
    """
    path = Path(path)
    encoding = None if "b" in mode else "utf-8"
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, mode, encoding=encoding, newline=None if encoding is None else "") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _give_ordinary_permissions(temporary)
        Path(temporary).replace(path)
    except OSError as error:
        _remove(temporary)
        raise PolytagError(f"{path}: cannot be written: {error.strerror or error}") from error
    except BaseException:
        _remove(temporary)
        raise


def _give_ordinary_permissions(path: str) -> None:
    """mkstemp makes files that only the owner may read; give what `open` would have given."""
    mask = os.umask(0)
    os.umask(mask)
    Path(path).chmod(0o666 & ~mask)


def _remove(path: str | None) -> None:
    if path is not None:
        with suppress(OSError):
            Path(path).unlink()
