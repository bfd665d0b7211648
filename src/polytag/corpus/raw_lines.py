"""Lines as bytes, of any file or stream: opened, decompressed, cut at LF, CRLF and CR, never held whole."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from typing import IO, Any, cast

from polytag.compressed import decompressed
from polytag.errors import CorpusError

Source = str | PathLike[str] | IO[bytes] | IO[str]

LONGEST_LINE = 10_000_000  # bytes; a longer "line" is no corpus, and would be held in memory

_CHUNK = 1 << 16
# CR CR LF is what a text-mode copy makes of CRLF; read as two ends it would put a blank line after each word.
_LINE = re.compile(rb"[^\r\n]*(?:\r{0,2}\n|\r)|[^\r\n]+")


def opened(source: Source) -> AbstractContextManager[Any]:
    """A file opened as `decompressed` does; a stream as it is, which its owner closes."""
    return decompressed(source) if isinstance(source, str | PathLike) else nullcontext(source)


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
