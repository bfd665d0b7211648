"""Accuracy of plain tags, each tag's scores, and known and unknown words."""

import pytest

from polytag.scoring import SpanCounts, TagCounts, as_dict, counts_for

GOLD = ["DT", "NN", "VB", "NN", "."]
PREDICTED = ["DT", "NN", "NN", "JJ", "."]


def counted(*, known: list[bool] | None = None) -> TagCounts:
    counts = TagCounts()
    counts.add(GOLD, PREDICTED, known=known)
    return counts


def test_accuracy_and_each_tag():
    counts = counted()
    assert counts.score == pytest.approx(60)
    assert counts.metric == "accuracy"
    noun = counts.types["NN"]
    assert (noun.correct, noun.predicted, noun.gold) == (1, 2, 2)
    assert (noun.precision, noun.recall, noun.f1) == (50, 50, 50)
    assert counts.confusion["NN", "JJ"] == 1
    assert (counts.types["VB"].recall, counts.types["JJ"].precision, counts.types["JJ"].recall) == (0, 0, 0)


def test_tags_add_up_to_words():
    tags = counted().types.values()
    assert sum(tag.gold for tag in tags) == sum(tag.predicted for tag in tags) == len(GOLD)
    assert sum(tag.correct for tag in tags) == 3


def test_known_and_unknown_words():
    counts = counted(known=[True, True, False, False, True])
    assert (counts.tokens["known"].f1, counts.tokens["unknown"].f1) == (100, 0)
    assert "known" not in counted().tokens


def test_merging_counts_all_and_only_its_own_kind():
    merged, expected = counted(known=[True] * 5), TagCounts()
    merged.merge(counted())
    expected.add(GOLD * 2, PREDICTED * 2)
    assert merged.sentences == 2
    assert merged.confusion == expected.confusion
    assert (merged.tokens["all"], merged.tokens["known"].gold) == (expected.tokens["all"], 5)
    with pytest.raises(TypeError, match="cannot merge SpanCounts into TagCounts"):
        merged.merge(SpanCounts())


def test_the_scheme_chooses_the_counts():
    assert (counts_for(True).metric, counts_for(False).metric) == ("accuracy", "f1")
    assert as_dict(counts_for(True))["score"] == 0
