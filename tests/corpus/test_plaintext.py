"""Plain text: a sentence per line in, a word per line out."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus import blocks, read
from polytag.errors import CorpusError


def rendered(content: str, tags=None) -> str:
    found = blocks(io.StringIO(content), format="text")
    return "".join(b.render({t: [v] * len(b.sentence or ()) for t, v in (tags or {}).items()}) for b in found)


@given(st.text(st.sampled_from("ab \t\n\u2028"), max_size=30))
def test_rendering_nothing_gives_the_text_back(content):
    assert rendered(content) == content


def test_one_word_per_line_and_a_blank_line_between_sentences():
    assert rendered("Lima  rocks\n\nYes", {"n": "O", "p": "X"}) == "Lima\tO\tX\nrocks\tO\tX\n\nYes\tO\tX\n\n"


def test_sentences_come_with_their_line_and_without_tags(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("\na b\n")
    (found,) = read(path, format="text")
    assert (found.words, list(found.lines)) == (("a", "b"), [2, 2])
    with pytest.raises(CorpusError, match="plain text has no tags for 'ner'"):
        read(path, format="text", tags={"ner": 1})
