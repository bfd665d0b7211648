"""Compressed files give back what they hold, or one sentence, and take little memory whatever they ask for."""

import gzip
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from polytag.compressed import DamagedError, decompressed
from polytag.corpus import read
from polytag.errors import CorpusError, VectorsError
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vectors import load_vectors
from tests.fuzz.mutations import asking_for

TEXT = b"".join(b"w%d %d\n" % (number, number) for number in range(50_000))  # a word and a value
XZ = lzma.compress(TEXT)


def content(path: Path, packed: bytes) -> bytes:
    path.write_bytes(packed)
    with decompressed(path) as stream:
        return stream.read()


@pytest.mark.parametrize("text", [b"", b"a", TEXT], ids=["nothing", "a byte", "many lines"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
def test_files_give_what_they_hold(tmp_path, compress, text):
    assert content(tmp_path / "file", compress(text)) == text


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
@pytest.mark.parametrize("padding", [0, 4, 100_000])
def test_several_streams_and_zero_bytes_after_each(tmp_path, compress, padding):
    packed = b"".join(compress(part) + bytes(padding) for part in (b"", TEXT, b"", b"end\n"))
    assert content(tmp_path / "file", packed) == TEXT + b"end\n"


@pytest.mark.parametrize("preset", [0, 6, 9 | lzma.PRESET_EXTREME])
@pytest.mark.parametrize("check", [lzma.CHECK_NONE, lzma.CHECK_SHA256])
def test_xz_of_every_preset_is_read(tmp_path, preset, check):
    assert content(tmp_path / "file", lzma.compress(TEXT, check=check, preset=preset)) == TEXT


@pytest.mark.parametrize(("kind", "compress"), [("gzip", gzip.compress), ("xz", lzma.compress)])
def test_what_is_damaged_is_told(tmp_path, kind, compress):
    whole = compress(TEXT)
    for size in range(8, len(whole), len(whole) // 40):
        with pytest.raises(DamagedError, match=f"^the {kind} data end too early: the file is truncated$"):
            content(tmp_path / "file", whole[:size])
    for packed in (whole + b"and more", whole[:40] + bytes(8) + whole[48:], whole[:-6] + bytes(6)):
        with pytest.raises(DamagedError, match=f"^the {kind} data (are damaged|end too early)"):
            content(tmp_path / "file", packed)


def test_the_largest_dictionary_that_is_read(tmp_path):
    assert content(tmp_path / "file", asking_for(XZ, 26)) == TEXT
    for size in (27, 32):
        with pytest.raises(DamagedError, match=r"ask for more memory than 80 MiB, expected a file of 'xz -9' or less"):
            content(tmp_path / "file", asking_for(XZ, size))


def test_a_later_stream_is_bounded_too(tmp_path):
    with pytest.raises(DamagedError, match="ask for more memory"):
        content(tmp_path / "file", lzma.compress(b"a 1\n") + asking_for(XZ, 32))


@pytest.mark.parametrize("packed", [asking_for(XZ, 32), XZ[:-99]], ids=["memory", "truncated"])
def test_every_reader_tells_it_with_the_file(tmp_path, packed):
    path = tmp_path / "a.xz"
    path.write_bytes(packed)
    for reader, error in (
        (lambda file: list(read(file)), CorpusError),
        (load_vectors, VectorsError),
        (Gazetteer.load, VectorsError),
    ):
        with pytest.raises(error, match=r"a\.xz: the xz data [^\n]*$"):
            reader(path)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory as Linux does")
def test_xz_takes_little_memory_whatever_it_holds(tmp_path):
    """In a process of its own: what liblzma takes, no tracer of Python sees."""
    (tmp_path / "asks").write_bytes(asking_for(XZ, 32))
    (tmp_path / "holds").write_bytes(lzma.compress(b"1 " * (1 << 26), preset=9))
    program = (
        "import resource, sys\n"
        "from polytag.compressed import decompressed\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10\n"
        "before = peak()\n"
        "with decompressed(sys.argv[1]) as stream:\n"
        "    try:\n"
        "        while stream.read1(1 << 16): pass\n"
        "    except OSError as error: print(error)\n"
        "assert peak() - before < 100 << 20, peak() - before\n"
    )
    for name, said in (("asks", "ask for more memory"), ("holds", "")):
        command = [sys.executable, "-c", program, str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
