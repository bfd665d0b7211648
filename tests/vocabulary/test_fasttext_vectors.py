"""fastText's model files: vectors as its own code makes them, read plainly here; what is damaged is told."""

import contextlib
import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary.vectors import load_vectors

WORDS = ["</s>", "the", "São_Paulo", "a", "日本語", "…", "été"]
DIMENSION, BUCKETS = 3, 50


def model(
    words: list[str] = WORDS, *, version: int = 12, shortest: int = 2, longest: int = 4, buckets: int = BUCKETS,
    quantised: bool = False, labels: int = 1, nan: bool = False,
) -> bytes:  # fmt: skip
    arguments = (DIMENSION, 5, 5, 5, 5, 1, 1, 2, buckets, shortest, longest, 100)
    sizes = (len(words) + labels, len(words), labels, 99, -1)
    head = struct.pack("<ii12id3i2q", 793712314, version, *arguments, 1e-4, *sizes)
    entries = b"".join(word.encode() + b"\0" + struct.pack("<qb", 7, 0) for word in words)
    entries += b"".join(b"__label__x\0" + struct.pack("<qb", 7, 1) for _ in range(labels))
    values = rows(len(words) + buckets)
    values[1, 1] = np.nan if nan else values[1, 1]
    return head + entries + struct.pack("<?2q", quantised, *values.shape) + values.tobytes() + b"\0output"


def rows(count: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((count, DIMENSION), dtype=np.float32)


def hashed(ngram: bytes) -> int:
    found = 2166136261
    for byte in ngram:
        found = ((found ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return found


def buckets_of(word: str, shortest: int, longest: int) -> list[int]:
    """As fastText's Dictionary::computeSubwords, with characters in the place of bytes."""
    text, found = f"<{word}>", []
    for start in range(len(text)):
        for length in range(1, longest + 1):
            end = start + length
            is_mark = length == 1 and (start == 0 or end == len(text))
            if end <= len(text) and length >= shortest and not is_mark:
                found.append(hashed(text[start:end].encode()) % BUCKETS)
    return found if word != "</s>" else []


@pytest.mark.parametrize(("shortest", "longest"), [(2, 4), (1, 3), (3, 6), (5, 5)])
def test_vectors_are_means_of_a_words_row_and_those_of_its_ngrams(tmp_path: Path, shortest: int, longest: int) -> None:
    path = tmp_path / "cc.bin"
    path.write_bytes(model(shortest=shortest, longest=longest))
    found, values = load_vectors(path), rows(len(WORDS) + BUCKETS)
    assert (found.words, found.format) == (WORDS, "fasttext-binary")
    for number, word in enumerate(WORDS):
        of = [number, *(len(WORDS) + bucket for bucket in buckets_of(word, shortest, longest))]
        assert found.matrix[number] == pytest.approx(values[of].mean(axis=0), abs=1e-6)


def test_words_without_ngrams_have_their_own_rows(tmp_path: Path) -> None:
    path = tmp_path / "words.bin"
    path.write_bytes(model(shortest=0, longest=0, buckets=0))
    assert (load_vectors(path).matrix == rows(len(WORDS))).all()


def test_words_that_are_no_utf8_are_kept_and_told(tmp_path: Path) -> None:
    path, notes = tmp_path / "cc.bin", Notes()
    path.write_bytes(model().replace("été\0".encode(), b"\xe9t\xe9\xe9\xe9\0"))
    assert load_vectors(path, notes=notes).words[-1].startswith("\ufffdt")
    assert "is not UTF-8 and is kept as" in str(next(iter(notes)))


DAMAGED = "a fastText model that is truncated or damaged, expected a whole one"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (model()[:6], DAMAGED),
        (model()[:100], DAMAGED),
        (model()[:-200], DAMAGED),
        (model().replace(b"the\0", b"the "), DAMAGED),
        (model(version=3), "version 3 of fastText's models, expected 11 or 12"),
        (model(quantised=True), "a quantised fastText model, expected one that is not"),
        (model(buckets=0)[:-60], DAMAGED),
        (model(nan=True), r"the vector of 'the' \(row 2\) is not finite"),
        (gzip.compress(model()), "a compressed fastText model, expected a plain file: decompress it first"),
    ],
    ids=["header", "words", "matrix", "no end", "version", "quantised", "no rows", "nan", "gzip"],
)
def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "cc.bin"
    path.write_bytes(content)
    with pytest.raises(VectorsError, match=f"cc.bin: {said}"):
        load_vectors(path)


def test_sizes_that_no_file_has_cost_nothing(tmp_path: Path) -> None:
    path, whole = tmp_path / "cc.bin", model()
    for place in range(8, 100, 4):
        for number in (-1, 0, 2**31 - 1):
            path.write_bytes(whole[:place] + struct.pack("<i", number) + whole[place + 4 :])
            with contextlib.suppress(VectorsError):
                assert np.isfinite(load_vectors(path).matrix).all()
