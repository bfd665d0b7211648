"""Bytes to lines: encodings, line ends, gzip and everything that is no text."""

import gzip
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus import raw_lines
from polytag.corpus.text import Lines
from polytag.errors import CorpusError


def texts(data: bytes, **options) -> list[str]:
    return [line.text for line in Lines(io.BytesIO(data), **options)]


def refusal(data: bytes, **options) -> CorpusError:
    with pytest.raises(CorpusError, match="expected") as caught:
        list(Lines(io.BytesIO(data), name="in.txt", **options))
    return caught.value


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_all_line_ends_give_the_same_lines(end):
    assert texts(end.join(["a O", "", "b O", ""]).encode()) == ["a O", "", "b O"]


@pytest.mark.parametrize("character", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c", "\u00a0"])
def test_only_cr_and_lf_end_a_line(character):
    assert texts(f"a{character}b\n".encode()) == [f"a{character}b"]


@given(st.text(st.sampled_from("ab \t\r\n\u2028é"), max_size=40), st.integers(1, 5))
def test_lines_are_the_text_whatever_the_chunks(content, size):
    data = content.encode()

    class Slow(io.BytesIO):
        def read1(self, _=-1):
            return super().read1(size)

    found = list(Lines(Slow(data)))
    assert "".join(line.text + line.end for line in found) == content
    assert [line.text for line in found] == texts(data) or "\r\r\r" in content
    assert [line.number for line in found] == list(range(1, len(found) + 1))


def test_text_streams_are_read_too():
    assert [line.text for line in Lines(io.StringIO("é\nb"))] == ["é", "b"]
    assert [line.text for line in Lines(io.TextIOWrapper(io.BytesIO(b"a\nb")))] == ["a", "b"]


def test_auto_reads_utf8_and_drops_the_byte_order_mark():
    lines = Lines(io.BytesIO(b"\xef\xbb\xbfcaf\xc3\xa9\n"))
    assert [line.text for line in lines] == ["café"]
    assert lines.encoding == "utf-8"


def test_auto_reads_latin1_where_the_bytes_can_be_nothing_else():
    lines = Lines(io.BytesIO(b"a\ncaf\xe9\n"))
    assert [line.text for line in lines] == ["a", "café"]
    assert lines.encoding == "latin-1"
    assert list(map(str, lines.notes)) == [
        "<stream>:2: byte 0xe9 is not UTF-8, so the file is read as latin-1: 'café'; if that is wrong, "
        "name its encoding or convert it to UTF-8"
    ]


def test_what_was_encoded_twice_is_told_and_no_letters_are():
    twice = "José “é”\n".encode().decode("cp1252", "replace").encode() + "é\n".encode().decode("latin-1").encode()
    lines = Lines(io.BytesIO(b"a\n" + twice))
    list(lines)
    (note,) = lines.notes
    assert (note.line, note.count) == (2, 2)
    assert note.text.startswith("'Ã©' in 'JosÃ© ")
    right = Lines(io.BytesIO("SÃO Ângela à â€ Ã… IRMÃS Â».\n".replace("â€", "â €").replace("Â»", "Â »").encode()))
    list(right)
    assert not list(right.notes)


def test_auto_refuses_bytes_that_are_neither():
    error = refusal(b"a\nit\x92s\n")
    assert error.line == 2
    assert "0x92" in error.message


@pytest.mark.parametrize("data", [b"caf\xc3\xa9\ncaf\xe9\n", b"caf\xe9\ncaf\xc3\xa9\n"])
def test_auto_refuses_two_encodings_in_one_file(data):
    assert refusal(data).line == 2
    assert len(texts(data, encoding="latin-1")) == 2


@pytest.mark.parametrize(("encoding", "data"), [("utf-8", b"a\ncaf\xe9\n"), ("ascii", b"a\ncaf\xc3\xa9\n")])
def test_a_named_encoding_is_kept_to(encoding, data):
    error = refusal(data, encoding=encoding)
    assert error.line == 2
    assert encoding in error.message


def test_named_encodings():
    assert texts("“a”\n".encode("cp1252"), encoding="cp1252") == ["“a”"]
    assert texts(b"\xef\xbb\xbfa\n", encoding="utf-8") == ["a"]
    with pytest.raises(CorpusError, match="unknown encoding 'utf-9'"):
        Lines(io.BytesIO(), encoding="utf-9")
    with pytest.raises(CorpusError, match="not ASCII-based"):
        Lines(io.BytesIO(), encoding="utf-16")


def test_binary_files_are_refused():
    assert "NUL byte" in refusal(b"a\nb\0c\n").message
    assert "UTF-16" in refusal("a\n".encode("utf-16")).message
    refusal(bytes(range(128, 256)))


def test_a_line_without_end_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(raw_lines, "LONGEST_LINE", 1000)
    monkeypatch.setattr(raw_lines, "_CHUNK", 64)
    asked = 0

    class Endless(io.BytesIO):
        def read1(self, size=-1):
            nonlocal asked
            asked += size
            return b"a" * size

    with pytest.raises(CorpusError, match="over 1,000 bytes"):
        list(Lines(Endless()))
    assert asked < 2000
    assert refusal(b"a\n" + b"b" * 1001 + b"\nc\n").line == 2


def test_gzip_is_told_by_its_first_bytes(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes(gzip.compress(b"a\nb\n"))
    assert [line.text for line in Lines(path)] == ["a", "b"]


def test_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "corpus.gz"
    path.write_bytes(gzip.compress(b"a\nb\n")[:-5])
    with pytest.raises(CorpusError, match=r"corpus\.gz: the gzip data end too early: the file is truncated"):
        list(Lines(path))


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(CorpusError, match="No such file"):
        list(Lines(tmp_path / "none"))
    with pytest.raises(CorpusError, match="Is a directory"):
        list(Lines(tmp_path))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator can read every file")
def test_a_file_without_permission(tmp_path):
    path = tmp_path / "closed"
    path.write_text("a\n")
    path.chmod(0)
    with pytest.raises(CorpusError, match="Permission denied"):
        list(Lines(path))


def test_a_failing_disk_is_told():
    class Failing(io.BytesIO):
        def read1(self, _=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(CorpusError, match="Input/output error"):
        list(Lines(Failing()))
