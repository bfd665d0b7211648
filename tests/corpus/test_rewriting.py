"""Rewriting of many sentences at once against `convert_tags` of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus.rewriting import Rewriting
from polytag.corpus.schemes import SCHEMES, convert_tags, problems
from polytag.errors import CorpusError, PlanError

SPAN_SCHEMES = [name for name in SCHEMES if name != "plain"]
TAGS = {
    scheme: ["O", *(f"{letter}{type_}" for type_ in ("", "-x", "-y-z") for letter in dict.fromkeys(row.letters[1:]))]
    for scheme, row in SCHEMES.items()
}


def rewritten(rewriting: Rewriting, sentences: list[list[int]]) -> list[list[str]]:
    first = [place == 0 for sentence in sentences for place, _ in enumerate(sentence)]
    indices = np.array([tag for sentence in sentences for tag in sentence], dtype=np.int64)
    found = iter(rewriting.convert(indices, np.flatnonzero(first)).tolist())
    return [[rewriting.written[next(found)] for _ in sentence] for sentence in sentences]


@pytest.mark.parametrize("scheme", SPAN_SCHEMES)
@pytest.mark.parametrize("target", SPAN_SCHEMES)
@given(data=st.data())
def test_sentences_side_by_side_are_rewritten_as_each_is(scheme, target, data):
    tags = TAGS[scheme]
    paths = data.draw(st.lists(st.lists(st.integers(0, len(tags) - 1), max_size=8), max_size=4))
    found = rewritten(Rewriting(tags, scheme, target), paths)
    assert found == [list(convert_tags([tags[tag] for tag in path], target)) for path in paths]
    assert all(not problems(sentence, target) for sentence in found)


def test_tags_of_any_case_and_ill_formed_ones_are_read_as_everywhere():
    tags = ["-X-", "o", "i-a", "L-a", "U", "e-b"]
    paths = [[a, b, c] for a in range(6) for b in range(6) for c in range(6)]
    found = rewritten(Rewriting(tags, "bioes", "iob2"), paths)
    assert found == [list(convert_tags([tags[tag] for tag in path], "iob2")) for path in paths]


def test_plain_tags_stay():
    rewriting = Rewriting(["N", "V"], "plain", "plain")
    indices = np.array([1, 0, 1], dtype=np.uint8)
    assert rewriting.written == ("N", "V")
    assert rewriting.convert(indices, np.arange(3)).tolist() == [1, 0, 1]


def test_small_integers_do_not_overflow():
    tags = ["O", *(f"{letter}-{number}" for number in range(40) for letter in "BIES")]
    rewriting = Rewriting(tags, "bioes", "iob2")
    path = np.arange(len(tags), dtype=np.uint8)
    found = rewriting.convert(path, np.zeros(1, np.intp))
    assert [rewriting.written[tag] for tag in found] == list(convert_tags(tags, "iob2"))


def test_what_cannot_be_rewritten_is_told_at_once():
    with pytest.raises(CorpusError, match="'NN' marks no span"):
        Rewriting(["NN"], "iob2", "bioes")
    with pytest.raises(PlanError, match="unknown tag scheme 'bo'"):
        Rewriting(["O"], "iob2", "bo")
    with pytest.raises(ValueError, match="cannot hold spans"):
        Rewriting(["O"], "iob2", "plain")
