"""brat's pairs of files: a text, and annotations that count its characters."""

import gzip
from pathlib import Path

import pytest

from polytag.corpus import read
from polytag.corpus.check import check
from polytag.corpus.documents import files_of, format_of
from polytag.corpus.notes import Notes
from polytag.errors import CorpusError

TEXT = "Olga Berg flew to Lima.\nIt rained in Peru and Chile.\n"
ANN = "T1\tPER 0 9\tOlga Berg\nT2\tLOC 18 22\tLima\nE1\tFly:T1\n#1\tNote T1\tsure\n\nT3\tLOC 37 41\tPeru\n"


def pair(folder: Path, ann: str, text: str = TEXT, name: str = "a") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes(ann.encode())
    return folder / f"{name}.ann"


def told(path: Path, key: str = "spans") -> tuple[str, list[str]]:
    notes = Notes()
    found = [" ".join(s.tags["ner"]) for s in read(path, tags={"ner": key}, notes=notes)]
    return " / ".join(found), [str(note).removeprefix(f"{path}: ") for note in notes]


def test_a_text_is_read_with_its_annotations_by_any_of_its_names(tmp_path: Path) -> None:
    ann = pair(tmp_path, ANN)
    assert (format_of(ann), format_of(tmp_path)) == ("brat", "brat")
    assert files_of(ann.with_suffix(".txt"), "brat") == files_of(tmp_path, "brat") == [ann]
    found = list(read(ann, tags={"ner": "spans"}))
    assert [(word, tag) for s in found for word, tag in zip(s.words, s.tags["ner"], strict=True) if tag != "O"] == [
        ("Olga", "B-PER"), ("Berg", "I-PER"), ("Lima", "B-LOC"), ("Peru", "B-LOC"),
    ]  # fmt: skip
    assert {s.source for s in found} == {str(tmp_path / "a.txt")}
    assert [s.lines[0] for s in found] == [1, 2]
    assert [TEXT[start:end] for s in found for start, end in s.offsets] == [word for s in found for word in s.words]
    assert [column.name for column in check(ann).columns] == ["spans"]


def test_a_directory_is_read_whole_with_crlf_and_without_annotations(tmp_path: Path) -> None:
    pair(tmp_path / "d", "", "Nobody came.\n", name="b")
    pair(tmp_path / "d", "T1\tLOC 13 17\tOslo\r\n", "Rain.\r\nSun.\r\nOslo.\r\n", name="c")
    assert told(tmp_path / "d")[0].count("B-LOC") == 1


def test_a_span_over_a_line_end_is_one_and_one_with_gaps_is_told(tmp_path: Path) -> None:
    tags, notes = told(pair(tmp_path, "T1\tLOC 37 45;46 51\tPeru and Chile\nT2\tPER 0 4;10 14\tOlga flew\n"))
    assert "B-LOC I-LOC I-LOC" in tags
    assert tags.startswith("? ? ? O")
    assert any(note.startswith("span T2 [0, 14, 'PER'], 'Olga Berg flew', has gaps") for note in notes)


def test_types_are_layers(tmp_path: Path) -> None:
    assert "LOC" not in told(pair(tmp_path, ANN), "spans.PER")[0]


@pytest.mark.parametrize(
    ("ann", "line", "message"),
    [
        ("T1 PER 0 4 Olga\n", 1, "found 'T1 PER 0 4 Olga', expected 'T1', a tab"),
        ("T1\tPER 0 4\tOlga\nwhat\n", 2, "found 'what', expected an annotation that begins with one of TERAMN"),
        ("T1\tPER 0 4\tOlgas\n", 0, "span T1 [0, 4, 'PER'] is 'Olga', expected its own text 'Olgas'"),
        ("T1\tPER 90 94\tOlga\n", 0, "span T1 [90, 94, 'PER'] is not within the text"),
        ("T1\tPER 4 0\tOlga\n", 0, "span T1 [4, 0, 'PER'] is not within the text"),
        (f"T1\tPER 0 {'9' * 5000}\tOlga\n", 1, "expected"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_or_name(tmp_path: Path, ann: str, line: int, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        told(pair(tmp_path, ann))
    assert message in caught.value.message
    assert caught.value.line == line


def test_texts_without_annotations_are_left_out_and_told(tmp_path: Path) -> None:
    pair(tmp_path / "d", ANN)
    for name in ("b.txt", "c.txt"):
        (tmp_path / "d" / name).write_text("Rain in Oslo.\n")
    said = "b.txt is left out: no b.ann is beside it (and 1 more like this)"
    assert told(tmp_path / "d") == (told(tmp_path / "d" / "a.ann")[0], [said])
    assert [str(note) for note in check(tmp_path / "d").notes] == [f"{tmp_path / 'd'}: {said}"]


def test_both_files_may_be_packed(tmp_path: Path) -> None:
    whole = told(pair(tmp_path / "plain", ANN))[0]
    for path in (tmp_path / "plain").iterdir():
        packed = tmp_path / "d" / f"{path.name}.gz"
        packed.parent.mkdir(exist_ok=True)
        packed.write_bytes(gzip.compress(path.read_bytes()))
    assert told(tmp_path / "d") == told(tmp_path / "d" / "a.ann.gz") == (whole, [])
    assert files_of(tmp_path / "d" / "a.txt.gz", "brat") == [tmp_path / "d" / "a.ann.gz"]


def test_the_text_is_read_in_the_encoding_that_is_named(tmp_path: Path) -> None:
    ann = pair(tmp_path, "T1\tLOC 0 5\tMálaga\n".replace("5", "6"))
    (tmp_path / "a.txt").write_bytes("Málaga “x”\n".encode("cp1252"))
    ann.write_bytes(ann.read_text("utf-8").encode("cp1252"))
    (sentence,) = read(ann, tags={"ner": "spans"}, encoding="cp1252")
    assert sentence.words[:2] == ("Málaga", "“")


def test_annotations_without_a_text_are_told(tmp_path: Path) -> None:
    ann = pair(tmp_path, ANN)
    (tmp_path / "a.txt").unlink()
    with pytest.raises(CorpusError, match=r"a\.ann: no text a\.txt beside it"):
        told(ann)
