"""Lines as bytes, of any file or stream: opened, decompressed, cut at LF, CRLF and CR, never held whole."""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from pathlib import Path
from typing import IO, Any, cast

from polytag.errors import CorpusError

try:
    import lzma
except ModuleNotFoundError:  # in Pythons that were built without it
    lzma = None  # type: ignore[assignment]

Source = str | PathLike[str] | IO[bytes] | IO[str]

DAMAGED: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile, *((lzma.LZMAError,) if lzma else ()))
LONGEST_LINE = 10_000_000  # bytes; a longer "line" is no corpus, and would be held in memory

_CHUNK = 1 << 16
# CR CR LF is what a text-mode copy makes of CRLF; read as two ends it would put a blank line after each word.
_LINE = re.compile(rb"[^\r\n]*(?:\r{0,2}\n|\r)|[^\r\n]+")


def opened(source: Source) -> AbstractContextManager[Any]:
    """A file opened, and decompressed where it is gzip or xz; a stream as it is, which its owner closes.

    Raises:
        OSError: the system cannot open it.
    """
    if not isinstance(source, str | PathLike):
        return nullcontext(source)
    file = Path(source).open("rb")  # noqa: SIM115 - closed by the caller's with, or by GzipFile's owner below
    first = file.peek(6)  # bytes, not the suffix: corpora get renamed
    if first.startswith(b"\xfd7zXZ\0"):
        file.close()
        return _unxz(source)
    return _Gunzip(file) if first.startswith(b"\x1f\x8b") else file


def _unxz(path: str | PathLike[str]) -> AbstractContextManager[Any]:
    if lzma is None:
        raise OSError("it is packed with xz, which this Python was built without")
    return lzma.open(path)


def unpacked_name(path: str | PathLike[str]) -> str:
    """The name of a file without what says that it is packed."""
    return str(path).removesuffix(".gz").removesuffix(".xz")


class _Gunzip(gzip.GzipFile):
    """A GzipFile that closes the file that it was given."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(fileobj=file)
        self._owned = file

    def close(self) -> None:
        super().close()
        self._owned.close()


def raw_lines(stream: Any, name: str) -> Iterator[bytes]:
    """Lines as bytes, each with its end; a chunk that stops at CR waits for the next to tell CR from CRLF.

    Raises:
        CorpusError: a line is longer than `LONGEST_LINE`; holds ``name`` and the line.
    """
    read, pending, size, number = _reader(stream), [b""], 0, 0
    while chunk := read():
        pending.append(chunk)
        size += len(chunk)
        if size > LONGEST_LINE or b"\n" in chunk or b"\r" in chunk:
            whole = _LINE.findall(b"".join(pending))
            keep = _unfinished(whole)
            for raw in whole[: len(whole) - keep]:
                number += 1
                yield _bounded(raw, name, number)
            pending = whole[len(whole) - keep :]
            size = sum(map(len, pending))
            if size > LONGEST_LINE:
                _bounded(b"".join(pending).rstrip(b"\r"), name, number + 1)
    for raw in _LINE.findall(b"".join(pending)):
        number += 1
        yield _bounded(raw, name, number)


def _reader(stream: Any) -> Callable[[], bytes]:
    """A function that gives the next bytes of any stream, without waiting for more than there are."""
    stream = getattr(stream, "buffer", stream)
    if isinstance(stream, io.TextIOBase):
        return lambda: stream.read(_CHUNK).encode("utf-8", "surrogatepass")
    read = cast(Callable[[int], bytes], getattr(stream, "read1", stream.read))
    return lambda: read(_CHUNK)


def _unfinished(lines: list[bytes]) -> int:
    """How many of the last lines may still change with the next chunk."""
    if not lines[-1].endswith(b"\r"):
        return 0 if lines[-1].endswith(b"\n") else 1
    return 2 if len(lines) > 1 and lines[-1] == b"\r" and lines[-2].endswith(b"\r") else 1


def _bounded(raw: bytes, name: str, number: int) -> bytes:
    if len(raw) > LONGEST_LINE:
        message = f"a line of over {LONGEST_LINE:,} bytes, expected one word or sentence per line"
        raise CorpusError(message, path=name, line=number)
    return raw
