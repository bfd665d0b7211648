"""Archives: the listed members come out whole, and nothing that is hostile does."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from polytag.downloads.unpack import unpack
from polytag.errors import PolytagError
from tests.downloads.archives import tarred, zipped

FILES = {"a/one.txt": b"one", "a/two.txt": b"two" * 1000, "a/LICENSE": b"free"}
KINDS = {
    "zip": zipped,
    "tar.gz": tarred,
    "tar.bz2": lambda files: tarred(files, "w:bz2"),
    "tar": lambda files: tarred(files, "w:"),
}


def unpacked(content: bytes, folder: Path, *members: str, extra: str = "", limit: int = 10_000) -> dict[str, bytes]:
    """Unpack members into files of their own names."""
    archive = folder / "archive"
    archive.write_bytes(content)
    places = {member: folder / "out" / member for member in members}
    extras = {extra: folder / "out" / extra} if extra else {}
    written = unpack(archive, places, extras=extras, limit=limit)
    return {path.relative_to(folder / "out").as_posix(): path.read_bytes() for path in written}


@pytest.mark.parametrize("kind", KINDS)
def test_listed_members_come_out_and_no_others(kind: str, tmp_path: Path) -> None:
    found = unpacked(KINDS[kind](FILES), tmp_path, "a/two.txt", extra="a/LICENSE")
    assert found == {name: FILES[name] for name in ("a/two.txt", "a/LICENSE")}
    assert not (tmp_path / "out/a/one.txt").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_an_extra_may_be_missing_and_a_member_may_not(kind: str, tmp_path: Path) -> None:
    content = KINDS[kind](FILES)
    assert list(unpacked(content, tmp_path, "a/one.txt", extra="a/README")) == ["a/one.txt"]
    with pytest.raises(PolytagError, match=r"archive: there is no a/three.txt in it"):
        unpacked(content, tmp_path, "a/three.txt")


def test_a_single_gzip_file(tmp_path: Path) -> None:
    assert unpacked(gzip.compress(b"words"), tmp_path, "archive") == {"archive": b"words"}


def test_names_may_begin_with_a_dot(tmp_path: Path) -> None:
    assert unpacked(tarred({"./a/one.txt": b"1"}), tmp_path, "a/one.txt") == {"a/one.txt": b"1"}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize("name", ["../one.txt", "/one.txt", "a/../../one.txt", "..\\one.txt", "C:/one.txt"])
def test_names_that_lead_out_are_refused(kind: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match=r"leads out of the archive"):
        unpacked(KINDS[kind]({name: b"evil", "a/one.txt": b"1"}), tmp_path, "a/one.txt")
    assert not (tmp_path / "one.txt").exists()


def linked(kind: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo("a/one.txt")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    return stream.getvalue()


def zip_link() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("a/one.txt")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [linked(tarfile.SYMTYPE), linked(tarfile.LNKTYPE), linked(tarfile.FIFOTYPE), linked(tarfile.CHRTYPE), zip_link()],
    ids=["symbolic link", "hard link", "pipe", "device", "link in a zip"],
)
def test_what_is_no_ordinary_file_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match=r"a/one.txt is no ordinary file"):
        unpacked(content, tmp_path, "a/one.txt")


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_is_refused(kind: str, tmp_path: Path) -> None:
    content = KINDS[kind]({"a/one.txt": bytes(5_000_000)})
    with pytest.raises(PolytagError, match=r"a/one.txt is larger than it can be"):
        unpacked(content, tmp_path, "a/one.txt", limit=10_000)
    assert (tmp_path / "out/a/one.txt").stat().st_size <= 10_000


def test_the_limit_is_of_all_members_together(tmp_path: Path) -> None:
    content = zipped({"one": bytes(600), "two": bytes(600)})
    with pytest.raises(PolytagError, match=r"two is larger than it can be"):
        unpacked(content, tmp_path, "one", "two", limit=1000)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    content = tarred({"a/one.txt": b"1", "./a/one.txt": b"2", "a/two.txt": b"3"})
    with pytest.raises(PolytagError, match=r"a/one.txt is there twice"):
        unpacked(content, tmp_path, "a/one.txt", "a/two.txt")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_damaged_archive_is_told(kind: str, share: float, tmp_path: Path) -> None:
    content = KINDS[kind]({"a/one.txt": bytes(range(256)) * 30})
    with pytest.raises(PolytagError, match=r"^archive: (the archive is damaged|is no zip|there is no)"):
        unpacked(content[: int(len(content) * share) if kind != "tar" else 4000], tmp_path, "a/one.txt")


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match=r"archive: is no zip, tar or gzip file"):
        unpacked(b"<html>not found</html>", tmp_path, "a/one.txt")
