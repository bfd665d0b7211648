"""Word vectors of raw text: pairs and PPMI against plain references, bad texts, the command."""

import gzip
import io
import lzma
import math
import random
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import polytag
from polytag.corpus.notes import Notes
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError, PolytagError
from polytag.plan_file import load_plan
from polytag.raw_text import counting
from polytag.vocabulary.vectors import load_vectors
from tests.cli.conftest import run

pytest.importorskip("scipy", reason="scipy, the extra polytag[raw], is not installed")

from polytag.raw_text.factorising import FEW, SMOOTHING, leading_vectors, ppmi

CITIES, FRUIT = ("Lima", "Oslo", "Quito"), ("apples", "plums", "pears")


def text(count: int = 600, seed: int = 0) -> str:
    """Sentences in which cities stand in the places of cities and fruit in those of fruit."""
    draw = random.Random(seed)
    patterns = (
        "She flew to {city} in {n} .",
        "{city} is a town of {n} .",
        "We ate {n} {fruit} .",
        "{fruit} grow on trees .",
    )
    lines = [
        draw.choice(patterns).format(city=draw.choice(CITIES), fruit=draw.choice(FRUIT), n=draw.randrange(10, 9999))
        for _ in range(count)
    ]
    return "\n".join(line + " " + draw.choice(("Yes .", "No .", "Maybe .")) for line in lines) + "\n"


def sentences(seed: int, count: int = 60) -> list[Sentence]:
    draw = random.Random(seed)
    return [Sentence(tuple(draw.choices("abcdefgh", k=draw.randrange(1, 9)))) for _ in range(count)]


def counted_plainly(given: list[Sentence], words: list[str], window: int) -> dict[tuple[str, str], int]:
    near: dict[tuple[str, str], int] = defaultdict(int)
    for sentence in dict.fromkeys(sentence.words for sentence in given):
        for i, one in enumerate(sentence):
            for j, other in enumerate(sentence):
                if 0 < abs(i - j) <= window and one in words and other in words:
                    near[one, other] += window + 1 - abs(i - j)
    return near


def counted(given: list[Sentence], *, window: int = 3, most: int = 6) -> tuple[list[str], np.ndarray]:
    lexicon = counting.Lexicon(str.lower)
    with tempfile.TemporaryFile() as file:
        counting.read_words(given, lexicon, file, lambda _: None)
        words, rows = lexicon.frequent(1, most)
        near = counting.count_pairs(file, rows, words=len(words), window=window, progress=lambda _: None)
    return words, near.toarray()


@pytest.mark.parametrize("block", [1, 7, 1_000_000])
def test_pairs_are_those_of_a_plain_count_whatever_the_blocks(block):
    given = sentences(1)
    with mock.patch.object(counting, "BLOCK", block):
        words, near = counted(given)
    assert len(words) == 6  # of eight: the two others keep their places
    plain = counted_plainly(given, words, 3)
    assert near.tolist() == [[plain[one, other] for other in words] for one in words]


def test_words_are_counted_most_frequent_first():
    given = sentences(2)
    words, _ = counted(given, most=8)
    counts = Counter(word for sentence in dict.fromkeys(each.words for each in given) for word in sentence)
    assert [counts[word] for word in words] == sorted(counts.values(), reverse=True)


def test_of_too_many_words_and_pairs_the_rarest_are_forgotten():
    lexicon = counting.Lexicon(str)
    given = [Sentence(("often", "seen", f"once{n}")) for n in range(500)]
    with (
        mock.patch.multiple(counting, MOST_WORDS=50, MOST_PAIRS=20, BLOCK=30),
        tempfile.TemporaryFile() as file,
    ):
        counting.read_words(given, lexicon, file, lambda _: None)
        words, rows = lexicon.frequent(1, 1000)
        near = counting.count_pairs(file, rows, words=len(words), window=2, progress=lambda _: None)
    assert len(words) <= 50
    assert words[:2] == ["often", "seen"]
    assert near.nnz <= 2 * 20
    assert near.toarray()[0, 1] > 100


def test_ppmi_is_that_of_its_definition():
    from scipy import sparse

    words, near = counted(sentences(3))
    found = ppmi(sparse.csr_array(near.astype(np.float32))).toarray()
    total = near.sum(axis=1)
    smooth = [value**SMOOTHING for value in total]
    for i in range(len(words)):
        for j in range(len(words)):
            chance = total[i] * smooth[j] / sum(smooth)
            wanted = max(0.0, math.log(near[i, j] / chance)) if near[i, j] else 0.0
            assert found[i, j] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("words", [30, FEW + 1])
def test_vectors_are_the_singular_ones_of_a_dense_decomposition(words):
    from scipy import sparse

    matrix = np.random.default_rng(5).random((words, words), dtype=np.float32)
    found = leading_vectors(sparse.csr_array(matrix), 4)
    left, values, _ = np.linalg.svd(matrix)
    wanted = left[:, :4] * np.sqrt(values[:4])
    assert np.abs(found) == pytest.approx(np.abs(wanted), abs=1e-3)
    assert (found[np.abs(found).argmax(axis=0), range(4)] > 0).all()


def test_few_sentences_give_the_same_vectors_each_time():
    """Their singular values are often the same, where ARPACK begins anew at random, or gives up."""
    given = "Angela Merkel flew to Lima. She left at 7.30 p.m.!\n\nA second one (with more).\nDr. No\n"
    options = {"dimension": 2, "window": 1, "min_count": 1, "tokeniser": "blanks"}
    made = [polytag.vectors(io.StringIO(given), **options) for _ in range(8)]
    assert len({one.matrix.tobytes() for one in made}) == 1


def test_a_decomposition_that_fails_is_told():
    from scipy import sparse
    from scipy.sparse.linalg import ArpackError

    with (
        mock.patch("scipy.sparse.linalg.svds", side_effect=ArpackError(3)),
        pytest.raises(PolytagError, match="too few ways for 2 dimensions, expected more text or a smaller dimension"),
    ):
        leading_vectors(sparse.csr_array(sparse.eye(FEW + 1)), 2)


def test_words_of_a_kind_get_vectors_that_are_alike(tmp_path):
    made = polytag.vectors(io.StringIO(text()), dimension=6, min_count=3)
    assert np.isfinite(made.matrix).all()
    rows = {word: row / np.linalg.norm(row) for word, row in zip(made.words, made.matrix, strict=True)}
    alike = rows["lima"] @ rows["oslo"], rows["apples"] @ rows["plums"]
    assert min(alike) > rows["lima"] @ rows["apples"] + 0.2
    assert "0000" in rows  # of all numbers of four digits


@pytest.mark.parametrize("name", ["x.vec", "x.vec.gz"])
def test_what_is_written_reads_back_and_is_the_same_twice(tmp_path, name):
    raw, first, second = tmp_path / "raw.txt", tmp_path / name, tmp_path / f"again-{name}"
    raw.write_text(text(), encoding="utf-8")
    made = polytag.vectors(raw, output=first, dimension=6)
    polytag.vectors([raw], output=second, dimension=6)
    assert first.read_bytes() == second.read_bytes()
    back = load_vectors(first)
    assert (back.format, back.words) == ("word2vec", made.words)
    assert back.matrix == pytest.approx(made.matrix, rel=1e-4, abs=1e-6)


def test_packed_texts_and_several_are_one(tmp_path):
    lines = text().splitlines(keepends=True)
    (tmp_path / "a.txt").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(gzip.compress("".join(lines[:300]).encode()))
    (tmp_path / "c.txt.xz").write_bytes(lzma.compress("".join(lines[300:]).encode()))
    whole = polytag.vectors(tmp_path / "a.txt", dimension=4)
    parts = polytag.vectors([tmp_path / "b.txt", tmp_path / "c.txt.xz"], dimension=4)
    assert parts.words == whole.words
    assert (parts.matrix == whole.matrix).all()


def test_case_is_kept_where_that_is_wanted():
    assert "Lima" in polytag.vectors(io.StringIO(text()), dimension=4, lowercase=False).words


def test_sentences_that_come_again_are_left_out_and_told():
    notes = Notes()
    once = polytag.vectors(io.StringIO(text()), dimension=4)
    twice = polytag.vectors(io.StringIO(text() * 2), dimension=4, notes=notes)
    assert (once.matrix == twice.matrix).all()
    assert "had come before, left out" in str(next(iter(notes)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "found 0 words that occur 5 times or more in 0 words"),
        (b"\n \n\n", "found 0 words"),
        (b"One sentence .\n" * 1000, "found 0 words that occur 5 times or more in 3 words, expected more of them than"),
        (b"One sentence .\n" * 1000, "min_count; 999 sentences of 1,000 (99.9 %) had come before, left out"),
        (b"a\0b\n", "raw.txt:1: a NUL byte"),
        ("année à Orléans\n".encode("cp1252") + b"\x93x\x94\n", "raw.txt:"),
        ("Lima\n".encode("utf-16"), "raw.txt:1: a UTF-16 byte order mark"),
        (gzip.compress(b"Lima is big .\n" * 99)[:-9], "raw.txt: the gzip data end too early"),
        (lzma.compress(random.Random(0).randbytes(5000).hex().encode())[:-900], "raw.txt: the xz data end too early"),
        (b"a " * 6_000_000, "raw.txt:1: a line of over 10,000,000 bytes"),
    ],
    ids=["empty", "blank", "one sentence", "repeated", "binary", "cp1252", "utf-16", "cut gzip", "cut xz", "one line"],
)
def test_bad_text_is_told_in_a_sentence_and_leaves_nothing(tmp_path, content, said):
    (tmp_path / "raw.txt").write_bytes(content)
    with pytest.raises(CorpusError, match=r"^[^\n]*$") as error:
        polytag.vectors(tmp_path / "raw.txt", output=tmp_path / "out.vec")
    assert said in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["raw.txt"]


def test_words_that_are_never_near_each_other_are_told():
    lines = "\n\n".join("abcdefgh" * 9)
    with pytest.raises(CorpusError, match="no words stand near each other"):
        polytag.vectors(io.StringIO(lines), dimension=2, min_count=1)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(PolytagError, match="window is 0, expected at least 1"):
        polytag.vectors(io.StringIO("a b"), window=0)


def test_annotated_files_are_told(tmp_path):
    rows = "Lima\tB-LOC\nis\tO\nbig\tO\n.\tO\n\n" * 50
    (tmp_path / "x.conll").write_text(rows + text(), encoding="utf-8")
    notes = Notes()
    polytag.vectors(tmp_path / "x.conll", dimension=3, notes=notes)
    assert "looks like conll, but is read as raw text" in str(next(iter(notes)))


def test_vectors_among_the_texts_are_told(tmp_path):
    (tmp_path / "raw.txt").write_text(text(), encoding="utf-8")
    for name in ("a.vec", "a.vec.gz"):
        polytag.vectors(tmp_path / "raw.txt", output=tmp_path / name, dimension=3)
        notes = Notes()
        polytag.vectors(tmp_path / name, dimension=1, min_count=1, notes=notes)
        assert str(next(iter(notes))) == f"{tmp_path / name}: looks like word vectors, but is read as raw text"


def test_what_is_written_is_none_of_the_texts_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("texts").mkdir()
    Path("texts/raw.txt").write_text(text(), encoding="utf-8")
    command = "vectors texts -o texts/x.vec --dimension 3 -q"
    assert run(command).code == 0
    done = run(command)
    assert (done.code, done.sentence) == (1, "texts/x.vec: is to be read and to be written, expected two files")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_no_room_for_what_is_kept_while_counting_is_told():
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        mock.patch("tempfile.TemporaryFile", return_value=full),
        pytest.raises(PolytagError, match=r"cannot be written: No space left on device: .*TMPDIR names another place$"),
    ):
        polytag.vectors(io.StringIO(text()), dimension=3)


def test_without_scipy_the_extra_is_named(tmp_path):
    (tmp_path / "raw.txt").write_text(text(), encoding="utf-8")
    with mock.patch.dict("sys.modules", {"scipy": None}):
        done = run(["vectors", str(tmp_path / "raw.txt"), "-o", str(tmp_path / "x.vec")])
    said = "scipy is not installed, expected it for word vectors: pip install 'polytag[raw]'"
    assert (done.code, done.sentence) == (1, said)


def test_the_command_tells_what_it_does_and_quiet_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("raw.txt").write_text(text(), encoding="utf-8")
    done = run("vectors raw.txt -o x.vec --dimension 4 --window 2 --min-count 9 --cased")
    assert done.code == 0, done.err
    assert done.out == f"x.vec: {len(load_vectors('x.vec'))} vectors of 4 dimensions\n"
    assert done.err.startswith("reading\ncounting ")
    assert run("vectors raw.txt -o y.vec -q --dimension 4").code == 0
    done = run("vectors raw.txt -o raw.txt")
    assert (done.code, done.sentence) == (1, "raw.txt: is to be read and to be written, expected two files")


def test_standard_input_is_a_text(tmp_path):
    path = str(tmp_path / "x.vec")
    assert run(["vectors", "-", "-o", path, "--dimension", "4"], stdin=text().encode()).code == 0
    assert load_vectors(path).dimension == 4


def test_a_plan_for_vectors_that_are_yet_to_be_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLYTAG_DATA", raising=False)
    Path("raw texts.txt").write_text(text(), encoding="utf-8")
    Path("t.conll").write_text("Lima\tB-LOC\nis\tO\nbig\tO\n\n" * 30, encoding="utf-8")
    done = run(["init", "--train", "t.conll", "--raw", "raw texts.txt", "--raw", "raw.txt"])
    assert (done.code, done.sentence, Path("plan.toml").exists()) == (1, "raw.txt: no such file", False)
    done = run(["init", "--train", "t.conll", "--language", "en", "--raw", "raw texts.txt"])
    assert done.code == 0, done.err
    assert load_plan("plan.toml").words["en"].vectors == "en.vec.gz"
    assert "en.vec.gz: is there already" not in done.err
    assert "make its vectors with `polytag vectors 'raw texts.txt' -o en.vec.gz`" in done.out
    assert "tag the text with `polytag distill model 'raw texts.txt' --consistent -o distilled`, learn from" in done.out
    assert run(["vectors", "raw texts.txt", "-o", "en.vec.gz", "--dimension", "6"]).code == 0
    done = run(["init", "--train", "t.conll", "--raw", "raw texts.txt", "--vectors", "en.vec.gz", "-o", "new.toml"])
    assert "en.vec.gz: is there already, and polytag vectors would write over it\n" in done.err
    small = ("training.epochs=1", "size=small")
    done = run(["train", "plan.toml", "-o", "model", *(word for s in small for word in ("--set", s))])
    assert done.code == 0, done.err
    assert "vectors of 6 dimensions from en.vec.gz" in done.err
