"""CSV with a header, and OntoNotes' columns: reading, what is refused, and where tags go."""

import io
from pathlib import Path

import pytest

from polytag.corpus import blocks, check, read
from polytag.errors import CorpusError

KAGGLE = (
    "Sentence #,Word,POS,Tag\nSentence: 1,Thousands,NNS,O\n,of,IN,O\n,\"Paris, Texas\",NNP,B-geo\n"
    "Sentence: 2,\"\"\"\",``,O\n,He,PRP,O\n"
)  # fmt: skip
SEMICOLONS = "tok;ner\nHà Nội;B-LOC\n.;O\n\nLima;B-LOC\n"
DOCUMENT = "#begin document (bc/cctv/00/cctv_0001); part 000\n{}\n#end document\n"
ROW = "bc/cctv/00/cctv_0001 0 {} {} {} (X* - - - Speaker#1 {} (ARG0*) -\n"
WORDS = [("The", "DT", "*"), ("United", "NNP", "(ORG*"), ("Nations", "NNPS", "*)"), ("#", "#", "(MONEY)")]
ONTONOTES = DOCUMENT.format("".join(ROW.format(n, *row) for n, row in enumerate(WORDS)))


def written(directory: Path, name: str, content: str) -> Path:
    path = directory / name
    path.write_text(content, encoding="utf-8", newline="")
    return path


def rendered(format: str, content: str, task: str = "new", tag: str = "X") -> str:
    found = blocks(io.BytesIO(content.encode()), format=format)
    return "".join(block.render({task: [tag] * len(block.sentence or ())}) for block in found)


def test_a_column_of_numbers_parts_sentences(tmp_path: Path) -> None:
    path = written(tmp_path, "ner_dataset.csv", KAGGLE)
    first, second = read(path, tags={"ner": "Tag", "pos": 2})
    assert (first.words, second.words) == (("Thousands", "of", "Paris, Texas"), ('"', "He"))
    assert first.tags == {"ner": ("O", "O", "B-geo"), "pos": ("NNS", "IN", "NNP")}
    assert list(second.lines) == [5, 6]
    assert [column.name for column in check(path).columns] == ["POS", "Tag"]


def test_empty_rows_part_sentences_and_semicolons_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", SEMICOLONS)
    assert [s.words for s in read(path, tags={"ner": -1})] == [("Hà Nội", "."), ("Lima",)]
    assert [s.words for s in read(path, word="ner")] == [("B-LOC", "O"), ("B-LOC",)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("word,tag\na,O,x\n", ":2: 3 columns, expected 2 as in the header"),
        ("word,tag\na,\n", ":2: column 'tag' is empty, expected a value"),
        ("word,tag\n,O\n", ":2: column 'word' is empty, expected a value"),
        ('word,tag\n"a,O\n', ":2: no row of CSV"),
        ("word,NER\na,O\n", ":1: no column 'tag', expected one of the header"),
        ("word,tag,tag\na,O,O\n", ":1: 2 columns are called 'tag', expected one"),
    ],
)
def test_what_is_no_csv_is_told_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        list(read(written(tmp_path, "a.csv", content), tags={"t": "tag"}))


def test_tags_become_a_column_named_as_the_task() -> None:
    assert rendered("csv", SEMICOLONS) == "tok;ner;new\nHà Nội;B-LOC;X\n.;O;X\n\nLima;B-LOC;X\n"
    assert rendered("csv", KAGGLE, tag="a,b").startswith(
        'Sentence #,Word,POS,Tag,new\nSentence: 1,Thousands,NNS,O,"a,b"'
    )


def test_brackets_of_ontonotes_mark_names(tmp_path: Path) -> None:
    path = written(tmp_path, "cctv_0001.v4_gold_conll", ONTONOTES)
    (found,) = read(path, tags={"ner": "ner", "pos": "pos"})
    assert found.words == ("The", "United", "Nations", "#")
    assert found.tags == {"ner": ("O", "B-ORG", "I-ORG", "B-MONEY"), "pos": ("DT", "NNP", "NNPS", "#")}
    assert [(column.name, column.scheme) for column in check(path).columns] == [("pos", "plain"), ("ner", "iob2")]
    assert rendered("ontonotes", ONTONOTES) == ONTONOTES.replace("(ARG0*) -\n", "(ARG0*) - X\n")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["(ORG*", "(PER*)"], r":3: '\(PER\*\)' within a name"),
        (["*", "*)"], r":3: '\*\)' without a name"),
        (["(ORG*", "*"], ":3: a name of type ORG is never closed"),
    ],
)
def test_brackets_that_do_not_match_are_told(tmp_path: Path, rows: list[str], message: str) -> None:
    content = DOCUMENT.format("".join(ROW.format(n, "a", "N", ner) for n, ner in enumerate(rows)))
    with pytest.raises(CorpusError, match=message):
        list(read(written(tmp_path, "a.gold_conll", content), tags={"ner": "ner"}))
