"""Files that may be gzip or xz, told by their first bytes, read as what they hold in bounded memory."""

import errno
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any

try:
    import lzma
except ModuleNotFoundError:  # in Pythons that were built without it
    lzma = None  # type: ignore[assignment]

XZ_MEMORY = 80 << 20  # bytes; `xz -9` asks for 65 MiB, and a file may ask for 4 GiB
GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ\0"

_CHUNK = 1 << 16


class DamagedError(OSError):
    """Compressed data that cannot be read, as one sentence."""


@contextmanager
def decompressed(path: str | PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file, and decompress it where it is gzip or xz.

    Raises:
        OSError: the system cannot open or read it; `DamagedError` if it is compressed and damaged, or is xz that asks
            for more than `XZ_MEMORY`. Either may come while the body reads.
    """
    with Path(path).open("rb") as file:
        first = file.peek(len(XZ))  # not the suffix: files get renamed
        for magic, chunks in _READERS.items():
            if first.startswith(magic):
                with io.BufferedReader(_Chunks(chunks(file)), _CHUNK) as reader:
                    yield reader
                return
        yield file


@contextmanager
def compressing(raw: IO[bytes], path: Path) -> Iterator[Any]:
    """What to write to so that it is compressed where the name of its file says so: always the same bytes of the same.

    Raises:
        OSError: it is to be xz, which this Python was built without.
    """
    if path.suffix == ".gz":
        with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
            yield packed
    elif path.suffix == ".xz" and lzma is None:
        raise OSError(errno.ENOTSUP, "this Python was built without xz", str(path))
    elif path.suffix == ".xz":
        with lzma.LZMAFile(raw, "wb") as packed:
            yield packed
    else:
        yield raw


def uncompressed_name(path: str | PathLike[str]) -> str:
    """The name of a file without what says that it is compressed."""
    return str(path).removesuffix(".gz").removesuffix(".xz")


def _gunzip(file: io.BufferedReader) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=file) as members:
            while chunk := members.read1(_CHUNK):
                yield chunk
    except EOFError:
        raise _truncated("gzip") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DamagedError(f"the gzip data are damaged ({error})") from error


def _unxz(file: io.BufferedReader) -> Iterator[bytes]:
    """What all streams of a file hold; zero bytes may stand after each."""
    if lzma is None:
        raise DamagedError("the file is xz, which this Python was built without")
    packed = file.read(_CHUNK)
    while packed:
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
        while not stream.eof:
            packed = packed or (file.read(_CHUNK) if stream.needs_input else b"")
            if stream.needs_input and not packed:
                raise _truncated("xz")
            try:
                yield stream.decompress(packed, _CHUNK)
            except lzma.LZMAError as error:
                raise DamagedError(_why(str(error))) from error
            packed = b""
        packed = stream.unused_data.lstrip(b"\0")
        while not packed and (more := file.read(_CHUNK)):
            packed = more.lstrip(b"\0")


def _why(said: str) -> str:
    if "limit" in said:
        return f"the xz data ask for more memory than {XZ_MEMORY >> 20} MiB, expected a file of 'xz -9' or less"
    return f"the xz data are damaged ({said})"


def _truncated(kind: str) -> DamagedError:
    return DamagedError(f"the {kind} data end too early: the file is truncated")


_READERS: dict[bytes, Callable[[io.BufferedReader], Iterator[bytes]]] = {GZIP: _gunzip, XZ: _unxz}


class _Chunks(io.RawIOBase):
    """A stream of what an iterator gives."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size
