"""The listed members of an archive, and nothing else of it: zip, tar (plain, gzip, bzip2) or a single gzip file."""

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from polytag.errors import PolytagError

CHUNK_BYTES = 1 << 20
LARGEST = 1 << 35  # bytes that an archive may declare in all: reading past a bomb takes time, though no space
DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,  # an encrypted member, or a compression that zipfile has not
)


class Member(NamedTuple):
    """One entry of an archive: its name as it stands there, whether it is an ordinary file, and its content."""

    name: str
    is_file: bool
    open: Callable[[], Any]


def unpack(archive: Path, places: Mapping[str, Path], *, extras: Mapping[str, Path], limit: int) -> list[Path]:
    """Write the members named in ``places``, and those of ``extras`` that are there, to the paths beside them.

    Args:
        limit: the most bytes that they may hold together, whatever the archive declares.

    Returns:
        The paths written.

    Raises:
        PolytagError: the archive is damaged, lacks a member, or is hostile: names that lead out of it, links or
            devices for files, two members of one name, more bytes than ``limit``.
    """
    wanted, written, left = {**places, **extras}, dict[str, Path](), limit
    with _told(archive), _members(archive) as members:
        for member in members:
            name = _inside(member.name, archive)
            if name not in wanted:
                continue
            if not member.is_file:
                raise PolytagError(f"{archive.name}: {member.name} is no ordinary file, expected one")
            if name in written:
                raise PolytagError(f"{archive.name}: {member.name} is there twice, expected it once")
            left -= _copy(member, wanted[name], left, archive)
            written[name] = wanted[name]
    missing = [name for name in places if name not in written]
    if missing:
        raise PolytagError(f"{archive.name}: there is no {missing[0]} in it")
    return list(written.values())


def _copy(member: Member, target: Path, left: int, archive: Path) -> int:
    """Copy one member, counting: what an archive declares need not be true."""
    target.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with member.open() as source, target.open("wb") as file:
        while chunk := source.read(CHUNK_BYTES):
            count += len(chunk)
            if count > left:
                raise PolytagError(f"{archive.name}: {member.name} is larger than it can be, expected no more of it")
            file.write(chunk)
    return count


def _inside(name: str, archive: Path) -> str:
    """A member's name without ``./``."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        raise PolytagError(f"{archive.name}: a member is named {name}, which leads out of the archive")
    return str(path)


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield _zipped(zipped)
    elif (tar := _tar(archive)) is not None:
        with tar:
            yield _tarred(tar, archive)
    elif _starts_with(archive, b"\x1f\x8b"):
        yield iter([Member(archive.stem, True, partial(gzip.open, archive))])
    else:
        raise PolytagError(f"{archive.name}: is no zip, tar or gzip file, expected one of these")


def _tar(archive: Path) -> tarfile.TarFile | None:
    """A tar, without xz: no data set is, and what it asks for of memory has no bounds here."""
    for compression in ("", "gz", "bz2"):
        with suppress(tarfile.ReadError):
            return tarfile.open(archive, f"r:{compression}")  # type: ignore[call-overload, no-any-return]
    return None


def _zipped(zipped: zipfile.ZipFile) -> Iterator[Member]:
    for info in zipped.infolist():
        kind = info.external_attr >> 28  # the file type of Unix, 0 where the archive comes from elsewhere
        yield Member(info.filename, not info.is_dir() and kind in (0, 8), partial(zipped.open, info))


def _tarred(tar: tarfile.TarFile, archive: Path) -> Iterator[Member]:
    declared = 0
    for info in tar:
        declared += info.size
        if declared > LARGEST:
            raise PolytagError(f"{archive.name}: holds more than {LARGEST:,} bytes, expected less")
        yield Member(info.name, info.isreg(), partial(tar.extractfile, info))
    rest = 0
    while tar.fileobj and (chunk := tar.fileobj.read(CHUNK_BYTES)):  # to the checksum at the end of the packed data
        rest += len(chunk)
        if rest > LARGEST:
            raise PolytagError(f"{archive.name}: holds more than {LARGEST:,} bytes, expected less")


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


@contextmanager
def _told(archive: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise PolytagError(f"{archive.name}: the archive is damaged ({error})") from error
    except OSError as error:
        if error.errno is None:  # bzip2's word for damaged data
            raise PolytagError(f"{archive.name}: the archive is damaged ({error})") from error
        raise PolytagError(f"{archive}: cannot be unpacked: {error.strerror or error}") from error
