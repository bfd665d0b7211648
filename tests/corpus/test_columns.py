"""CoNLL columns: reading, what is refused, and rendering."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus import blocks, read
from polytag.corpus.notes import Notes
from polytag.errors import CorpusError

ENG = "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\nPeter NNP I-NP I-PER\n"


@pytest.fixture
def file(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "eng.train"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def rendered(content: str, tags=None, **options) -> str:
    found = blocks(io.BytesIO(content.encode()), format="conll", **options)
    return "".join(block.render(tags(block.sentence) if tags else {}) for block in found)


def test_words_tags_lines_and_source(file):
    path = file(ENG)
    first, second = read(path, tags={"ner": 3, "pos": 1})
    assert first.words == ("EU", "rejects")
    assert first.tags == {"ner": ("I-ORG", "O"), "pos": ("NNP", "VBZ")}
    assert list(first.lines) == [3, 4]
    assert second.source == str(path)


def test_docstart_lines_count_when_asked_for(file):
    found = list(read(file(ENG), tags={"ner": -1}, docstart=True))
    assert found[0].words == ("-DOCSTART-",)
    assert found[0].tags == {"ner": ("O",)}
    assert sum(map(len, found)) == 4


@pytest.mark.parametrize("docstart", [False, True])
def test_docstart_ends_a_sentence_even_without_blank_lines(file, docstart):
    path = file("a O\n-DOCSTART- -DOCSTART- O\nb O\n-DOCSTART-\n")
    found = [s.words for s in read(path, tags={"ner": 1}, docstart=docstart)]
    assert [words for words in found if words != ("-DOCSTART-",)] == [("a",), ("b",)]


def test_a_word_that_only_begins_like_docstart_is_a_word(file):
    assert [s.words for s in read(file("-DOCSTART-x O\n"))] == [("-DOCSTART-x",)]


def test_blanks_and_tabs_part_columns_and_no_break_spaces_do_not(file):
    (found,) = read(file("  10\u00a0000 \t  B-X  \n\u2003\tO\t\n"), tags={"t": 1})
    assert found.words == ("10\u00a0000", "\u2003")
    assert found.tags["t"] == ("B-X", "O")


def test_lines_of_blanks_part_sentences(file):
    assert len(list(read(file("a O\n \t\nb O\r\n\r\nc O")))) == 3


def test_any_number_of_columns_with_the_needed_ones(file):
    (found,) = read(file("a X O\nb O\nc X Y O\n"), tags={"t": -1})
    assert found.tags["t"] == ("O", "O", "O")


@pytest.mark.parametrize(
    ("content", "word", "tag", "message"),
    [
        ("a X O\n", 0, 3, "3 columns, expected at least 4 (tag of 'ner' in column 3)"),
        ("a\n", 0, -1, "1 column, expected at least 2 (tag of 'ner' in column -1)"),
        ("a X\n", 0, -3, "2 columns, expected at least 3 (tag of 'ner' in column -3)"),
        ("a X\n", 2, 0, "2 columns, expected at least 3 (word in column 2)"),
        ("a\n", -1, 0, "1 column, expected at least 2 (tag of 'ner' in column 0)"),
    ],
)
def test_a_missing_column_is_told_with_its_line(file, content, word, tag, message):
    with pytest.raises(CorpusError) as caught:
        list(read(file("\n" + content), word=word, tags={"ner": tag}))
    assert caught.value.message == message
    assert caught.value.line == 2


def test_impossible_places_are_told_at_once(file):
    with pytest.raises(CorpusError, match="expected a column number"):
        read(file(ENG), tags={"ner": "upos"})
    with pytest.raises(CorpusError, match="word's column 0"):
        read(file(ENG), tags={"ner": 0})


# A line "# a" is a word or a comment by the number of its columns, which tags change where blanks part them.
LINES = st.text(st.sampled_from("ab \u00a0é#"), max_size=6).filter(
    lambda line: not line.startswith("# ")
) | st.sampled_from(["", "\t", "# a = b", "a\tb", "a b\t\tc ", "-DOCSTART- -X-", "-DOCSTART-"])
CONTENT = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n"]))).map(lambda p: "".join(a + b for a, b in p))


@given(CONTENT, LINES)
def test_rendering_nothing_gives_the_text_back(content, unfinished):
    assert rendered(content + unfinished) == content + unfinished


@given(CONTENT)
def test_rendered_tags_read_back(content):
    def tags(sentence):
        words = sentence.words if sentence else ()
        return {"n": [str(i) for i in range(len(words))], "w": [f"T-{word}" for word in words]}

    content = "w\n\n" + content
    read_back = list(blocks(io.BytesIO(rendered(content, tags).encode()), format="conll"))
    before = list(blocks(io.BytesIO(content.encode()), format="conll"))
    assert [b.sentence and b.sentence.words for b in read_back] == [b.sentence and b.sentence.words for b in before]
    for block in read_back:
        for line, word in zip(
            reversed(block.lines), reversed(block.sentence.words if block.sentence else ()), strict=False
        ):
            assert line.text.replace("\t", " ").endswith(f" T-{word}")


def test_tags_become_columns_with_the_separator_of_the_line():
    def tags(sentence):
        return {"ner": ["X"] * len(sentence or ()), "pos": ["Y"] * len(sentence or ())}

    assert rendered("-DOCSTART- O\n\na b\r\nc\td  \ne", tags) == "-DOCSTART- O O O\n\na b X Y\r\nc\td\tX\tY\ne X Y"


def test_another_column_can_hold_the_words():
    (block,) = blocks(io.BytesIO(b"1 Lima\n"), format="conll", word=1)
    assert block.sentence.words == ("Lima",)


def test_tags_must_be_as_many_as_words():
    (block,) = blocks(io.BytesIO(b"a\nb\n"), format="conll")
    with pytest.raises(ValueError, match="1 tags, expected one for each of 2 words"):
        block.render({"ner": ["O"]})


def words_and_notes(path, **options):
    notes = Notes()
    return [s.words for s in read(path, notes=notes, **options)], list(map(str, notes))


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("# sent_id = 1\n# text = a b\n", "1\ta\tO\n2\tb\tO\n"),
        ("#\thttp://de.wikipedia.org/wiki/Mainz\t[2009-10-17]\n", "1\ta\tO\tO\n2\tb\tO\tO\n"),
        ("# id 7f-3a\tdomain=en\n", "1 a _ O\n2 b _ O\n"),
        ("# id 7f-3a domain=en\n", "1 a _ O\n2 b _ O\n"),
        ("# sent_id = 1\n", "1 a _ O\n2 b _ O\n"),
        ("#begin document (x); part 000\n", "1 a - O *\n2 b - O *\n"),
        ("# Licence: free to all\n\n", "1 a O\n2 b O\n"),
        ("#sent_id=1\n", "1 a O\n2 b O\n"),
    ],
)
def test_comments_before_a_sentence_are_no_words_and_are_kept(file, comment, words):
    path = file(f"{comment}{words}\n{comment}{words}")
    found, notes = words_and_notes(path, word=1, tags={"ner": -1})
    assert found == [("a", "b")] * 2
    assert any(note.startswith(f"{path}:1: a comment, not read: {comment.splitlines()[0]!r} (and ") for note in notes)
    tagged = rendered(path.read_text(), lambda s: {"ner": ["X"] * len(s or ())}, word=1)
    separator = "\t" if "\t" in words else " "
    assert tagged == path.read_text().replace("O\n", f"O{separator}X\n").replace("*\n", f"*{separator}X\n")


@pytest.mark.parametrize("first", ["#\tO", "#tag\tO", "# \tO"])
def test_a_word_that_is_or_begins_with_a_number_sign_stays_one(file, first):
    for lines in (f"a\tO\n\n{first}\nb\tO\n", f"{first}\na\tO\n", f"a\tO\n{first}\n\n{first}\n"):
        for content in (lines, lines.replace(" ", "").replace("\t", " ")):
            found, notes = words_and_notes(file(content), tags={"ner": 1})
            assert sum(word.startswith("#") for words in found for word in words) == content.count("#")
            assert notes == []
    assert words_and_notes(file("a\n\n#\n#b\n"))[0] == [("a",), ("#", "#b")]


def test_where_tabs_part_columns_words_and_tags_hold_blanks(file):
    path = file("Anh\tO\nHà Nội\tB-tên riêng\n\nĐà Nẵng\tO\n")
    found = list(read(path, tags={"ner": 1}))
    assert [s.words for s in found] == [("Anh", "Hà Nội"), ("Đà Nẵng",)]
    assert found[0].tags["ner"] == ("O", "B-tên riêng")
    with pytest.raises(CorpusError, match=r":4: 1 column, expected at least 2 \(tag of 'ner' in column 1\)"):
        list(read(file("Anh\tO\n.\tO\n\nHà Nội\n"), tags={"ner": 1}))


def test_empty_cells_are_columns(file):
    found = list(read(file("a\t\tO\nb\tN\tB-X\n"), tags={"ner": 2}))
    assert found[0].tags["ner"] == ("O", "B-X")
    with pytest.raises(CorpusError, match=r":1: column 1 is empty, expected a tag of 'pos'"):
        list(read(file("a\t\tO\nb\tN\tB-X\n"), tags={"pos": 1}))
    with pytest.raises(CorpusError, match=r":2: column 0 is empty, expected a word"):
        list(read(file("a\tO\n\tO\n"), tags={"ner": 1}))
    assert rendered("a\tN\t\nb\tN\tX\n", lambda s: {"n": "OO"}) == "a\tN\t\tO\nb\tN\tX\tO\n"


def test_a_line_that_is_wider_than_the_first_is_told_and_read(file):
    path = file("a O\nb c O\nd e O\n")
    assert words_and_notes(path, tags={"ner": -1}) == (
        [("a", "b", "d")],
        [f"{path}:2: 3 columns, where the first line of words has 2 (and 1 more like this)"],
    )


def test_a_label_with_blanks_has_no_place_where_blanks_part_columns():
    with pytest.raises(CorpusError, match=r"<stdin>:2: tag 'B-11 Place' holds a blank, which parts columns here"):
        rendered("We O\nRome O\n", lambda s: {"ner": ["O", "B-11 Place"]})
    assert rendered("We\tO\nRome\tO\n", lambda s: {"ner": ["O", "B-1 x"]}) == "We\tO\tO\nRome\tO\tB-1 x\n"


WNUT = (
    "@paulwalk\tO\n#hashtag\tO\n#\tO\n&amp;\tO\n\n#LoL\tB-creative-work\n❤️\tI-creative-work\n\t\n#\tO\nESB\tB-location\n"
    "\u00a0\tO\nhttp://t.co/1#2=3\tO\n'\tO\n"
)


def test_tweets_of_wnut_are_words_and_tags_parted_by_tabs(file):
    path, notes = file(WNUT), Notes()
    found = list(read(path, tags={"ner": 1}, notes=notes))
    assert [sentence.words for sentence in found] == [
        ("@paulwalk", "#hashtag", "#", "&amp;"),
        ("#LoL", "❤️"),
        ("#", "ESB", "\u00a0", "http://t.co/1#2=3", "'"),
    ]
    assert found[1].tags["ner"] == ("B-creative-work", "I-creative-work")
    assert [(note.kind, note.line) for note in notes] == [("unseen", 11)]
    assert rendered(WNUT) == WNUT
    with pytest.raises(CorpusError, match=r"eng\.train:1: column 0 is empty, expected a word"):
        list(read(file("\tO\na\tO\n"), tags={"ner": 1}))
