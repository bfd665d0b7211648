"""Word vectors: every format gives back what was written, and every damaged file is an error at its place."""

import contextlib
import gzip
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vectors import READERS, Coverage, Vectors, coverage, load_vectors
from polytag.vocabulary.vectors.rows import Rows
from tests.licensed import licensed

WORDS = ["the", "São_Paulo", "a\u00a0b", "0,00", "\u2028", "…"]
MATRIX = np.arange(len(WORDS) * 3, dtype=np.float32).reshape(-1, 3) / 8 - 1


def text(words: list[str] = WORDS, matrix: np.ndarray = MATRIX, *, header: bool = True, end: str = "\n") -> bytes:
    rows = [" ".join([word, *(f"{value:.6g}" for value in row)]) for word, row in zip(words, matrix, strict=True)]
    return end.join([f"{len(words)} {matrix.shape[1]}"] * header + rows + [""]).encode()


def binary(words: list[str] = WORDS, matrix: np.ndarray = MATRIX, *, feed: bytes = b"\n") -> bytes:
    rows = (w.encode() + b" " + r.astype("<f4").tobytes() + feed for w, r in zip(words, matrix, strict=True))
    return f"{len(words)} {matrix.shape[1]}\n".encode() + b"".join(rows)


def write(directory: Path, content: bytes, name: str = "vectors") -> Path:
    path = directory / name
    path.write_bytes(content)
    return path


def senna(directory: Path, words: bytes, values: bytes) -> Path:
    write(directory, words, "words.lst")
    write(directory, values, "embeddings.txt")
    return directory


FILES = {
    "word2vec": [
        text(), text(end="\r\n"), text(end=" \n"), text().rstrip(b"\n"), text() + b"\n\n",
        b"\xef\xbb\xbf" + text(), text().replace(b" ", b"\t"), text().replace(b" ", b"  "),
    ],
    "glove": [
        text(header=False), text(header=False, end=" \n"), b"\xef\xbb\xbf" + text(header=False),
        text(header=False).replace(b" ", b"\t"), text(header=False, end="\t\r\n"),
    ],
    "word2vec-binary": [binary(), binary(feed=b"")],
}  # fmt: skip


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(("format", "content"), [(name, content) for name in FILES for content in FILES[name]])
def test_each_format_is_detected_and_read(tmp_path: Path, format: str, content: bytes, zipped: bool) -> None:
    path = write(tmp_path, gzip.compress(content) if zipped else content)
    for vectors in (load_vectors(path), READERS[format](path, Notes())):
        assert (vectors.words, vectors.format, vectors.source) == (WORDS, format, str(path))
        assert vectors.matrix.dtype == np.float32
        np.testing.assert_array_equal(vectors.matrix, MATRIX)
        assert (len(vectors), vectors.dimension, vectors.duplicates) == (6, 3, 0)
        assert vectors.std == pytest.approx(float(MATRIX.std()))


WORD = st.text(st.characters(exclude_characters=" \t\n\r", exclude_categories=["Cs"]), min_size=1, max_size=8)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(WORD, min_size=1, max_size=5, unique=True), st.data())
@settings(max_examples=60)
@pytest.mark.parametrize("format", ["word2vec", "word2vec-binary"])
def test_what_was_written_is_read(format: str, words: list[str], data: st.DataObject) -> None:
    row = st.lists(FLOAT32, min_size=4, max_size=4)
    matrix = np.array([data.draw(row) for _ in words], dtype=np.float32)
    content = binary(words, matrix) if format == "word2vec-binary" else _exact(words, matrix)
    with tempfile.TemporaryDirectory() as directory:
        vectors = READERS[format](write(Path(directory), content), Notes())
    assert vectors.words == words
    np.testing.assert_array_equal(vectors.matrix, matrix)


def _exact(words: list[str], matrix: np.ndarray) -> bytes:
    rows = [" ".join([w, *(repr(float(v)) for v in r)]) for w, r in zip(words, matrix, strict=True)]
    return "\n".join([f"{len(words)} 4", *rows]).encode()


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda b: b"2 3\n" + b))
@settings(max_examples=150)
def test_no_content_raises_anything_but_vectors_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = write(Path(directory), content)
        for read in (lambda path, _: load_vectors(path), *READERS.values()):
            with contextlib.suppress(VectorsError):
                assert np.isfinite(read(path, Notes()).matrix).all()


def told(path: Path, **options: str) -> list[str]:
    """What is said of a file that is read; its place is left out."""
    notes = Notes()
    load_vectors(path, notes=notes, **options)  # type: ignore[arg-type]
    return [str(note).removeprefix(str(path)) for note in notes]


@pytest.mark.parametrize("content", [b"3 3\n%s", b"%s"], ids=["header", "no header"])
def test_lines_are_split_from_the_right(tmp_path: Path, content: bytes) -> None:
    rows = b"lisbon 1 2 3\nr$ 0,00 4 5 6\nRio de\t7 8\t9\n"
    vectors = load_vectors(path := write(tmp_path, content % rows))
    assert (vectors.words, vectors.matrix.tolist()) == (
        ["lisbon", "r$ 0,00", "Rio de"],
        [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    )
    assert told(path) == []


def test_a_tab_after_the_word_parts_it_from_the_values(tmp_path: Path) -> None:
    vectors = load_vectors(path := write(tmp_path, b"lisbon\t.1 .2 .3\nchannel 4\t.4 .5 .6\nthe\t-.2 .1 .4\n"))
    assert (vectors.words, vectors.dimension) == (["lisbon", "channel 4", "the"], 3)
    assert told(path) == []


ODD = {
    "one value more": (
        b"5 3\na 1 2 3\nb 1 2 3 4\nc 5 1 2 3\nd 1 2 3\ne 1 2 3\n",
        [":3: 4 values, expected 3: read as the vector of 'b 1' (and 1 more like this)"],
        ["a", "b 1", "c 5", "d", "e"],
    ),
    "fewer rows": (b"3 2\na 1 2\nb 1 2\n", [":1: 2 rows, but the header promises 3"], ["a", "b"]),
    "more rows": (b"1 2\na 1 2\nb 1 2\n", [":1: 2 rows, but the header promises 1"], ["a", "b"]),
    "no rows promised": (b"0 2\na 1 2\n", [":1: 1 rows, but the header promises 0"], ["a"]),
    "absurd rows": (b"9" * 12 + b" 1\na 1\n", [":1: 1 rows, but the header promises 999,999,999,999"], ["a"]),
    "other size": (b"2 5\na 1 2\nb 1 2\n", [":1: the header promises 5 dimensions, but the rows have 2"], ["a", "b"]),
    "smaller": (b"2 1\na 1 2\nb 3 2\n", [":1: the header promises 1 dimensions, but the rows have 2"], ["a", "b"]),
    "duplicates": (
        b"a 1\nb 2\na 3\nb 4\na 5\n",
        [": left out rows of words that had come before, such as 'a': 3"],
        ["a", "b"],
    ),
    "no word": (b"a 1 2\n 3 4\nb 5 6\n", [":2: values without a word are left out"], ["a", "b"]),
    "fewer binary": (
        binary().replace(b"6 3\n", b"7 3\n", 1), [":1: 6 rows, but the header promises 7"], WORDS,
    ),
    "more binary": (
        binary().replace(b"6 3\n", b"2 3\n", 1), [":1: 6 rows, but the header promises 2"], WORDS,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "notes", "words"), ODD.values(), ids=ODD)
def test_what_is_odd_is_read_and_told(tmp_path: Path, content: bytes, notes: list[str], words: list[str]) -> None:
    path = write(tmp_path, content)
    assert load_vectors(path).words == words
    assert told(path) == notes


BOMB = gzip.compress(b"1 " * (1 << 25), 1)  # 64 MiB without a line end


@pytest.mark.parametrize("read", [load_vectors, Gazetteer.load], ids=["vectors", "gazetteer"])
@pytest.mark.parametrize(
    "head", [b"", gzip.compress(b"3 2\n"), gzip.compress(b"a 1 2\nb 1 2\n")], ids=["at once", "header", "rows"]
)
def test_a_file_without_line_ends_is_refused_in_little_memory(tmp_path: Path, read: object, head: bytes) -> None:
    line = 1 + gzip.decompress(head).count(b"\n") if head else 1
    _refused_in_little_memory(read, write(tmp_path, head + BOMB), rf":{line}: a line of over 2,097,152 bytes, expected")


def test_a_pickle_that_fills_the_memory_is_refused_in_little(tmp_path: Path) -> None:
    message = "bytes that unzip to more than 16,777,216, expected words and one numpy array"
    _refused_in_little_memory(load_vectors, write(tmp_path, BOMB, "a.pkl"), message)
    _refused_in_little_memory(
        load_vectors, write(tmp_path, b"\x80\x02" + b"]" * (1 << 20), "a.pkl"), "more lists and tuples"
    )


def _refused_in_little_memory(read: object, path: Path, message: str) -> None:
    assert callable(read)
    tracemalloc.start()
    try:
        with pytest.raises(VectorsError, match=message):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_glove_words_may_hold_spaces(tmp_path: Path) -> None:
    content = b"the 0.1 0.2\n. . . 0.3 0.4\nat name@domain.com 0.5 0.6\n"
    vectors = load_vectors(write(tmp_path, content))
    assert vectors.words == ["the", ". . .", "at name@domain.com"]
    np.testing.assert_array_equal(vectors.matrix, np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], dtype=np.float32))


def test_glove_dimension_is_that_of_most_lines(tmp_path: Path) -> None:
    assert load_vectors(write(tmp_path, b". . 1 2\nthe 3 4\nof 5 6\n")).words == [". .", "the", "of"]


def test_first_of_duplicates_wins(tmp_path: Path) -> None:
    for content in (b"3 1\na 1\nb 2\na 3\n", b"a 1\nb 2\na 3\n", binary(["a", "b", "a"], np.array([[1], [2], [3.0]]))):
        path = write(tmp_path, content)
        vectors = READERS["word2vec-binary"](path, Notes()) if b"\0" in content else load_vectors(path)
        assert (vectors.words, vectors.matrix.tolist(), vectors.duplicates) == (["a", "b"], [[1.0], [2.0]], 1)


def test_many_blocks_are_one_matrix(tmp_path: Path) -> None:
    matrix = np.random.default_rng(1).normal(size=(9001, 5)).astype(np.float32)
    words = [f"w{k}" for k in range(len(matrix))]
    for content in (_long(words, matrix), binary(words, matrix)):
        vectors = load_vectors(write(tmp_path, content))
        assert vectors.words == words
        np.testing.assert_array_equal(vectors.matrix, matrix)
    path = write(tmp_path, _long(words, matrix).replace(b"\nw7000 ", b"\nw7000 1 "))
    assert told(path) == [":7002: 6 values, expected 5: read as the vector of 'w7000 1'"]


def _long(words: list[str], matrix: np.ndarray) -> bytes:
    rows = (" ".join([w, *map(repr, r)]) for w, r in zip(words, matrix.tolist(), strict=True))
    return "\n".join([f"{len(words)} {matrix.shape[1]}", *rows, ""]).encode()


BAD = {
    "too few values": (b"2 3\na 1 2 3\nb 1 2\n", r":3: 2 values, expected 3"),
    "too few values, no header": (b"a 1 2 3\nb 1 2 3\nc 1 2\n", r":3: 2 values, expected 3"),
    "within a row": (b"3 2\na 1 2\nb 1 2", r"vectors: 2 rows, but the header promises 3, and the last has no line end"),
    "header alone": (b"3 2\n", r"vectors: no row in it, expected word vectors"),
    "no values": (b"a\nb\n", r":1: no values after the word, expected numbers separated by spaces or tabs"),
    "prose": (b"It was a bright cold day\nin April.\n", r":1: no values after the word"),
    "UTF-16": ("a 1 2\n".encode("utf-16"), r"UTF-16 text, expected a file in UTF-8"),
    "not a number": (b"2 2\na 1 2\nb 1 x\n", r":3: the value 'x' is not a finite number"),
    "a decimal comma": (b"2 2\na 1 2\nb 1,5 2\n", r":3: the value '1,5' is not a finite number"),
    "JSON but no number": (b"2 2\na 1 2\nb true 2\n", r":3: the value 'true' is not a finite number"),
    "quoted": (b'2 2\na 1 2\nb "1" 2\n', r":3: the value '\"1\"' is not a finite number"),
    "a whole number without end": (b"2 2\na 1 2\nb 1 " + b"9" * 400 + b"\n", r":3: the value '9{40}' is not a finite"),
    "NaN": (b"2 2\na nan 2\nb 1 2\n", r":2: the value 'nan' is not a finite number"),
    "infinite": (b"a 1 2\nb 1 -inf\n", r":2: the value '-inf' is not a finite number"),
    "beyond float32": (b"2 2\na 1 2\nb 1 1e39\n", r":3: the value '1e39' is not a finite number"),
    "no dimensions": (b"2 0\na\nb\n", r":1: the header promises 2 words of 0 dimensions"),
    "absurd dimension": (b"2 " + b"9" * 50 + b"\na 1\n", r":1: the header promises 2 words of 9+ dimensions"),
    "empty": (b"", r"vectors: the file is empty, expected word vectors"),
    "blank": (b"\n \n", r"vectors: the file is empty"),
    "not UTF-8": (b"2 2\na 1 2\ncaf\xe9 1 2\n", r":3: the word b'caf\\xe9' is not UTF-8, expected a file in UTF-8"),
    "zip": (b"PK\x03\x04abc", r"a zip archive"),
    "bzip2": (b"BZh91AY", r"a bzip2 file"),
    "unknown": (b"\0\1\2\3", r"a binary file of no known format"),
    "truncated binary": (
        binary()[:-3],
        r"5 whole rows and a part of one, the header promises 6: the file is truncated",
    ),
    "truncated in a word": (
        binary()[:-15],
        r"5 whole rows and a part of one, the header promises 6: the file is truncated",
    ),
    "more binary": (
        binary() + b"word \1\2",
        r"6 whole rows and a part of one, the header promises 6: the file is truncated or",
    ),
    "binary NaN": (
        binary(matrix=np.where(MATRIX == 1.0, np.nan, MATRIX)),
        r"the vector of '…' \(row 6\) is not finite",
    ),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_damaged_files(tmp_path: Path, content: bytes, message: str) -> None:
    for zipped in (content, gzip.compress(content)):
        with pytest.raises(VectorsError, match=message) as caught:
            load_vectors(write(tmp_path, zipped))
        assert str(caught.value).startswith(str(tmp_path / "vectors"))


@pytest.mark.parametrize("content", [text(), binary(), text(header=False)], ids=["text", "binary", "glove"])
def test_truncated_gzip(tmp_path: Path, content: bytes) -> None:
    zipped = gzip.compress(content)
    with pytest.raises(VectorsError, match="gzip data end too early: the file is truncated"):
        load_vectors(write(tmp_path, zipped[:-4]))
    damaged = bytearray(zipped)
    damaged[20] ^= 255
    with pytest.raises(VectorsError, match="gzip data"):
        load_vectors(write(tmp_path, bytes(damaged)))


def test_words_of_binary_files_are_decoded_with_replacement(tmp_path: Path) -> None:
    content = binary(["abc", "x"], MATRIX[:2]).replace(b"abc", b"ab\xc3")
    notes = Notes()
    assert load_vectors(write(tmp_path, content), notes=notes).words == ["ab\ufffd", "x"]
    assert [note.text for note in notes] == ["the word b'ab\\xc3' is not UTF-8 and is kept as 'ab\ufffd'"]


def test_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match="missing: no such file or directory"):
        load_vectors(tmp_path / "missing")
    with pytest.raises(VectorsError, match="cannot be read"):
        READERS["glove"](tmp_path, Notes())
    with pytest.raises(VectorsError, match="expected a header"):
        READERS["word2vec"](write(tmp_path, text(header=False)), Notes())


def test_numbers_are_those_of_float(tmp_path: Path) -> None:
    """To the bit, also those that are no JSON, as ``.5`` is, or not the same there, and digits beyond any float's."""
    drawn = np.random.default_rng(0).standard_normal(300).tolist()
    values = ["1", "-2", "-0.0", "3e2", "1E-3", "0.1000000000000000055511151231257827", "1e-46", *map(repr, drawn)]
    for odd in ([], [".5", "+1", "7.", "007", "-.5e+1"], ["-0"], ["-0", "1"]):
        rows = [f"w{number} 1 {value}\n" for number, value in enumerate([*values, *odd])]
        found = load_vectors(write(tmp_path, "".join(rows).encode())).matrix[:, 1]
        expected = np.array([float(value) for value in [*values, *odd]], dtype=np.float32)
        assert (found.view(np.uint32) == expected.view(np.uint32)).all()


def test_senna(tmp_path: Path) -> None:
    values = b"1 2.5\n-3 4\n0 0\n"
    senna(tmp_path, b"PADDING\nUNKNOWN\n0rd\n", values)
    vectors = load_vectors(tmp_path)
    assert (vectors.words, vectors.format) == (["PADDING", "UNKNOWN", "0rd"], "senna")
    assert vectors.matrix.tolist() == [[1.0, 2.5], [-3.0, 4.0], [0.0, 0.0]]
    archive = tmp_path / "senna"
    for name, content in (("hash/words.lst", b"a\nb\nc\n"), ("embeddings/embeddings.txt.gz", gzip.compress(values))):
        (archive / name).parent.mkdir(parents=True)
        write(archive, content, name)
    assert load_vectors(archive).words == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("words", "values", "message"),
    [
        (
            b"a\nb\nc\n",
            b"1 2\n3 4\n",
            r"words.lst: 3 words, but embeddings.txt holds 2 vectors: expected one line each",
        ),
        (b"a\n", b"1 2\n3 4\n5 6\n", r"words.lst: 1 words, but embeddings.txt holds 3 vectors"),
        (b"a\nb\n", b"1 2\n3\n", r"embeddings.txt:2: 1 values, expected 2"),
        (b"a\nb\n", b"1 2\n3 x\n", r"embeddings.txt:2: the value 'x' is not a finite number"),
        (b"a\n\xff\n", b"1 2\n3 4\n", r"words.lst:2: the word is not UTF-8"),
        (b"a\n", b"", r"embeddings.txt: the file is empty"),
    ],
)
def test_damaged_senna(tmp_path: Path, words: bytes, values: bytes, message: str) -> None:
    with pytest.raises(VectorsError, match=message):
        load_vectors(senna(tmp_path, words, values))


def test_a_directory_that_is_not_sennas(tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match=r"no words.lst in it, expected a directory with SENNA's"):
        load_vectors(tmp_path)


def test_rows_never_reserve_what_is_only_promised() -> None:
    rows = Rows(50, promised=10**15)
    rows.extend(["a"], np.zeros((1, 50), dtype=np.float32))
    assert rows.finish(source="", format="", notes=Notes()).matrix.shape == (1, 50)


def test_coverage() -> None:
    found = coverage({"a": 6, "b": 3, "c": 1}, {"a", "b", "z"})
    assert found == Coverage(types=3, covered_types=2, tokens=10, covered_tokens=9)
    assert str(found) == "90.0 % of tokens, 66.7 % of types"
    assert str(coverage({}, set())) == "0.0 % of tokens, 0.0 % of types"


@pytest.mark.data
def test_a_hundred_thousand_words_load() -> None:
    vectors: Vectors = load_vectors(licensed("vectors/en.vec.gz"))
    assert vectors.matrix.shape == (100_000, 50)
    assert len(set(vectors.words)) == len(vectors.words)
    assert vectors.words[0] == "the"
    assert 0.1 < vectors.std < 1
