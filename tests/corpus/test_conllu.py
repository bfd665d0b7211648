"""CoNLL-U: what is a word, what is refused, and where tags go."""

import io
from dataclasses import replace

import pytest

from polytag.bulk import pieces
from polytag.corpus import FORMATS, blocks, check, read
from polytag.corpus.formats import Cut
from polytag.corpus.text import Layout
from polytag.errors import CorpusError


def row(number, form, upos="NOUN", xpos="_", feats="_", misc="_") -> str:
    return f"{number}\t{form}\t_\t{upos}\t{xpos}\t{feats}\t0\troot\t_\t{misc}\n"


SAMPLE = (
    "# sent_id = 1\n# text = O BNG solicitoulle\n"
    + row(1, "O", "DET", misc="NER=O|SpaceAfter=No")
    + row("2-3", "solicitoulle", "_", misc="NER=X")
    + row(2, "solicitou", "VERB", feats="Mood=Ind|Number=Sing", misc="NER=B-ACT")
    + row(3, "lle", "PRON")
    + row("3.1", "nada", "_")
    + "\n# only a comment\n\n"
    + row(1, "10 000", "NUM")
    + "\n"
)


@pytest.fixture
def file(tmp_path):
    def write(content: str):
        path = tmp_path / "gl.conllu"
        path.write_text(content, encoding="utf-8", newline="")
        return path

    return write


def rendered(content: str, tags=None, **options) -> str:
    found = blocks(io.BytesIO(content.encode()), format="conllu", **options)
    return "".join(b.render({t: [v] * len(b.sentence or ()) for t, v in (tags or {}).items()}) for b in found)


def test_comments_ranges_and_empty_nodes_are_no_words(file):
    first, second = read(file(SAMPLE), tags={"pos": "upos"})
    assert first.words == ("O", "solicitou", "lle")
    assert first.tags["pos"] == ("DET", "VERB", "PRON")
    assert list(first.lines) == [3, 5, 6]
    assert second.words == ("10 000",)


def test_tags_from_any_column_and_key(file):
    first, _ = read(file(SAMPLE), tags={"n": "misc.NER", "m": "feats.Mood", "d": "deprel", "p": 3, "f": "feats"})
    assert first.tags["n"] == ("O", "B-ACT", "O")
    assert first.tags["m"] == ("O", "Ind", "O")
    assert first.tags["d"] == ("root",) * 3
    assert first.tags["p"] == ("DET", "VERB", "PRON")
    assert first.tags["f"] == ("_", "Mood=Ind|Number=Sing", "_")


def test_an_absent_tag_is_an_error(file):
    with pytest.raises(CorpusError, match=r"gl\.conllu:3: no tag in column XPOS"):
        list(read(file(SAMPLE), tags={"pos": "xpos"}))


def test_unknown_columns_are_told_at_once(file):
    with pytest.raises(CorpusError, match=r"no tags 'uppos', expected one of form, .*NER.*did you mean 'upos'"):
        next(read(file(SAMPLE), tags={"pos": "uppos"}))
    with pytest.raises(CorpusError, match=r"no column 'upos\.X'"):
        read(file(SAMPLE), tags={"pos": "upos.X"})
    with pytest.raises(CorpusError, match="no column"):
        blocks(io.BytesIO(), format="conllu", columns={"pos": "tag"})


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (row(1, "a") + "2\tb\n", 2, "2 columns, expected 10"),
        (row(1, "a").replace("\t", " "), 1, "1 column, expected 10"),
        (row(1, "a") + row(3, "b"), 2, "id '3', expected 2"),
        (row(1, "a") + row(1, "b"), 2, "id '1', expected 2"),
        (row("x", "a"), 1, "id 'x', expected 1"),
        (row("9" * 5000, "a"), 1, "expected 1"),
        (row(1, ""), 1, "empty FORM"),
    ],
)
def test_malformed_lines_are_refused(file, content, line, message):
    with pytest.raises(CorpusError, match=message) as caught:
        list(read(file(content)))
    assert caught.value.line == line


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rendering_nothing_gives_the_text_back(end):
    content = SAMPLE.replace("\n", end) + "# no end"
    assert rendered(content) == content


def test_upos_and_xpos_fill_their_columns_and_others_a_key_of_misc(file):
    text = rendered(SAMPLE, {"xpos": "X", "NER": "B-N", "chunk": "N|soort ev"})
    first, second = read(file(text), tags={"x": "xpos", "n": "misc.NER", "c": "misc.chunk"})
    assert first.tags == {"x": ("X",) * 3, "n": ("B-N",) * 3, "c": ("N|soort ev",) * 3}
    assert second.tags["c"] == ("N|soort ev",)
    lines = text.splitlines()
    assert lines[2].endswith("\tNER=B-N|SpaceAfter=No|chunk=N\\psoort\\sev")
    kept = [line for line in SAMPLE.splitlines() if line[:2] not in ("1\t", "2\t", "3\t")]
    assert [line for line in lines if line[:2] not in ("1\t", "2\t", "3\t")] == kept


def test_a_task_can_be_given_its_column():
    text = rendered(row(1, "a"), {"en-pos": "VERB", "ner": "O"}, columns={"en-pos": "upos", "ner": "misc.Entity"})
    assert text == row(1, "a", "VERB", misc="Entity=O")


def test_older_values_of_a_key_are_replaced():
    assert rendered(row(1, "a", misc="t=1|u|t=2"), {"t": "3"}) == row(1, "a", misc="t=3|u")


PLUS = (
    "# global.columns = ID FORM UPOS MISC PARSEME:MWE\n# text = take off\n1\ttake\tVERB\t_\t1:VPC\n"
    "2\toff\tADP\tA=b\t1\n\n1\tgo\tVERB\t_\t*\n\n"
)


def test_the_first_line_of_conllu_plus_names_the_columns(file):
    path = file(PLUS)
    found = list(read(path, tags={"mwe": "parseme:mwe", "pos": "upos", "a": "misc.A"}))
    assert [s.words for s in found] == [("take", "off"), ("go",)]
    assert found[0].tags == {"mwe": ("1:VPC", "1"), "pos": ("VERB", "ADP"), "a": ("O", "b")}
    assert [column.name for column in check(path).columns] == ["upos", "parseme:mwe"]
    with pytest.raises(CorpusError, match="no tags 'xpos', expected one of form, upos, misc, parseme:mwe, A, or"):
        list(read(path, tags={"pos": "xpos"}))
    with pytest.raises(CorpusError, match=":1: no column FORM, found ID, UPOS"):
        list(read(file("# global.columns = ID UPOS\n1\tX\n")))


def test_a_task_fills_the_column_of_its_name_in_conllu_plus():
    tags = {"parseme:mwe": "*", "upos": "X", "ner": "O"}
    expected = PLUS.replace("1:VPC", "*").replace("\t1\n", "\t*\n").replace("VERB", "X").replace("ADP", "X")
    assert rendered(PLUS, tags) == expected.replace("\t_\t", "\tner=O\t").replace("A=b", "A=b|ner=O")


def test_pieces_of_conllu_plus_know_its_columns(tmp_path, monkeypatch):
    row = FORMATS["conllu"]
    monkeypatch.setattr(pieces, "FORMATS", {"conllu": replace(row, cut=Cut(True, 1))})
    path = tmp_path / "x.cupt"
    path.write_text(PLUS)
    found = list(pieces.cut(path))
    assert [piece.head for piece in found] == ["", PLUS.splitlines()[0]]
    layouts = [Layout("x", head=piece.head) for piece in found]
    made = [block for p, of in zip(found, layouts, strict=True) for block in row.blocks(p.lines(), of)]
    words = [block.sentence.words for block in made if block.sentence]
    assert words == [("take", "off"), ("go",)]
