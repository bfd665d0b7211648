"""Trees: their words and tags, the sections of the treebank, and what is no tree."""

import pytest

from polytag.corpus import read, wsj_sections
from polytag.errors import CorpusError

TREES = """
( (S
    (NP-SBJ (-NONE- *-1) )
    (VP (MD will) (-LRB- -LRB-) (VB join)
      (NP (DT the) (NN 1\\/2)))
    (. .) ))
( (X (-NONE- *)) )
(NN dog)
"""


@pytest.fixture
def file(tmp_path):
    def write(content: str, name: str = "wsj_0001.mrg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    return write


def test_words_with_their_labels_and_no_traces(file):
    first, second = read(file(TREES), tags={"pos": "pos"})
    assert first.words == ("will", "-LRB-", "join", "the", "1\\/2", ".")
    assert first.tags["pos"] == ("MD", "-LRB-", "VB", "DT", "NN", ".")
    assert list(first.lines) == [4, 4, 4, 5, 5, 6]
    assert second.words == ("dog",)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("(S\n(NP (NN a))\n", 1, "never closed"),
        ("(NN a)\n)", 2, "outside a tree"),
        ("(NN a)\nb", 2, "'b' outside a tree"),
        ("(NN a b)", 1, "'b' where a tree has no word"),
        ("(S (NN a) b)", 1, "'b' where a tree has no word"),
        ("(NN a (NN b))", 1, r"'\(' after the word 'a'"),
        ("(S\n(NN))", 2, r"'\(NN\)', expected a label and a word"),
        ("( )", 1, "expected a label and a word"),
    ],
)
def test_malformed_trees_are_refused(file, content, line, message):
    with pytest.raises(CorpusError, match=message) as caught:
        list(read(file(content)))
    assert caught.value.line == line


def test_trees_have_one_kind_of_tags(file):
    with pytest.raises(CorpusError, match="'upos', which trees do not have"):
        read(file(TREES), tags={"pos": "upos"})


def test_deep_trees_need_no_recursion(file):
    assert [s.words for s in read(file("(S " * 5000 + "(NN a)" + ")" * 5000))] == [("a",)]


def test_a_directory_is_all_its_files_in_the_order_of_names(file, tmp_path):
    for name in ("b/wsj_0002.mrg", "a/wsj_0003.mrg", "a/wsj_0001.mrg"):
        file(f"(NN {name})", name)
    assert [s.words[0] for s in read(tmp_path)] == ["a/wsj_0001.mrg", "a/wsj_0003.mrg", "b/wsj_0002.mrg"]


@pytest.mark.parametrize("layout", ["wsj_{section:02}{number:02}.mrg", "{section:02}/tree{number}.mrg"])
def test_sections_by_file_name_or_folder(file, tmp_path, layout):
    for section in (0, 1, 18, 19, 24):
        for number in (1, 2):
            file(f"(NN w{section}.{number})", layout.format(section=section, number=number))
    assert len(wsj_sections(tmp_path, range(19))) == 6
    assert [s.words[0] for s in read(f"{tmp_path}#sections=19-21")] == ["w19.1", "w19.2"]
    assert [s.words[0] for s in read(f"{tmp_path}#sections=24")] == ["w24.1", "w24.2"]
    with pytest.raises(CorpusError, match="no file of sections 22-23"):
        read(f"{tmp_path}#sections=22-23")


@pytest.mark.parametrize("sections", ["x", "5-3", "1-", "0-18-24"])
def test_impossible_sections(file, tmp_path, sections):
    file(TREES)
    with pytest.raises(CorpusError, match="sections"):
        read(f"{tmp_path}#sections={sections}", format="treebank")


def test_a_directory_without_trees(tmp_path):
    with pytest.raises(CorpusError, match=r"without \*\.mrg files"):
        read(tmp_path, format="treebank")
