"""What readers say of files: refusals are raised or collected; what is told is told once, with its count."""

import pytest

from polytag.corpus.notes import MOST_KEPT, Notes
from polytag.errors import CorpusError


def test_a_refusal_is_raised_with_its_place() -> None:
    with pytest.raises(CorpusError, match="no tag") as raised:
        Notes().refuse("no tag", path="a.conll", line=3, cause=ValueError("x"))
    assert (raised.value.line, str(raised.value.__cause__)) == (3, "x")


def test_collected_refusals_are_all_counted_and_the_first_are_kept() -> None:
    notes = Notes(collects=True)
    for line in range(1, 2 * MOST_KEPT + 1):
        notes.refuse("no tag", path="a.conll", line=line)
    assert notes.refusals == 2 * MOST_KEPT
    assert [error.line for error in notes.refused] == list(range(1, MOST_KEPT + 1))


def test_a_kind_is_told_once_for_each_file_with_its_first_example() -> None:
    notes = Notes()
    notes.tell("comment", "a comment", path="a.conll", line=2)
    notes.tell("comment", "another", path="a.conll", line=5)
    notes.tell("comment", "a comment", path="b.conll")
    assert list(map(str, notes)) == ["a.conll:2: a comment (and 1 more like this)", "b.conll: a comment"]
