"""Open a file of vectors or of a gazetteer, compressed or not, say what its first bytes are, and cut it into lines."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from polytag.compressed import DamagedError, decompressed
from polytag.errors import VectorsError

HEAD_BYTES = 1 << 16
FASTTEXT = b"\xba\x16\x4f\x2f"  # how its models begin
LONGEST_LINE = 1 << 21  # bytes; what is longer has no line ends, and would be held in memory
# Downloads that come wrapped, or in a format that holds more than vectors.
UNUSABLE = {
    b"PK\x03\x04": "a zip archive, expected a plain file, gzip or xz: unpack it first",
    b"BZh": "a bzip2 file, expected a plain file, gzip or xz: unpack it first",
    BOM_UTF16_LE: "UTF-16 text, expected a file in UTF-8",
    BOM_UTF16_BE: "UTF-16 text, expected a file in UTF-8",
}
HEADER = re.compile(rb"(\d+)[ \t]+(\d+)[ \t\r]*(?:\n|$)")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file as `decompressed` reads it.

    Raises:
        VectorsError: the file is missing, unreadable, or compressed and damaged, noticed here or while the body reads.
    """
    try:
        with decompressed(path) as stream:
            yield stream
    except DamagedError as error:
        raise VectorsError(str(error), path=path) from error
    except OSError as error:
        raise VectorsError(f"cannot be read ({error.strerror or error})", path=path) from error


def lines_of(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    """The lines of a file, each with its end, never held whole; a byte order mark is dropped.

    Raises:
        VectorsError: a line is longer than `LONGEST_LINE`.
    """
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            message = f"a line of over {LONGEST_LINE:,} bytes, expected lines of a word or an entry"
            raise VectorsError(message, path=path, line=number)
        yield line.removeprefix(BOM_UTF8) if number == 1 else line


def read_head(path: Path, *, expected: str = "word vectors") -> bytes:
    """The first 64 KiB of a file's (unzipped) content, without a byte order mark.

    Raises:
        VectorsError: unreadable, empty, or a kind of file known to be unusable.
    """
    with opened(path) as stream:
        head = stream.read(HEAD_BYTES).removeprefix(BOM_UTF8)
    if not head.strip():
        raise VectorsError(f"the file is empty, expected {expected}", path=path)
    for magic, kind in UNUSABLE.items():
        if head.startswith(magic):
            raise VectorsError(kind, path=path)
    return head


def detect(path: Path) -> str:
    """The name of the format of ``path``: a directory is SENNA's; a file is told by its first bytes.

    Raises:
        VectorsError: as read_head(), and for binary files of no known format.
    """
    if path.is_dir():
        return "senna"
    head = read_head(path)
    if head.startswith(FASTTEXT):
        return "fasttext-binary"
    # A pickle of protocol 2 or later says so; protocols 0 and 1 have no mark but the name.
    if re.match(rb"\x80[\x02-\x05]", head) or {".pkl", ".pickle"} & set(path.suffixes):
        return "polyglot"
    header = HEADER.match(head)
    if header:
        return "word2vec-binary" if _binary_row(head[header.end() :], int(header[2])) else "word2vec"
    if b"\0" in head:
        raise VectorsError("a binary file of no known format, expected word vectors", path=path)
    return "glove"


def _binary_row(rows: bytes, dimension: int) -> bool:
    # The text of D numbers is at least 2D - 1 bytes long and all ASCII; the same stretch of float32 hardly ever is.
    start = rows.find(b" ") + 1
    stretch = rows[start : start + max(2 * dimension - 1, 1)]
    return any(byte > 126 or (byte < 32 and byte not in b"\t\r\n") for byte in stretch)
