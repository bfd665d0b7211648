"""The report is conlleval's, line for line, and the dictionary goes through JSON."""

import json

import pytest

from polytag.scoring import SpanCounts, TagCounts, Tally, as_dict, table

# The report on https://www.clips.uantwerpen.be/conll2000/chunking/output.html; the counts follow from it.
PAGE = """\
processed 961 tokens with 459 phrases; found: 539 phrases; correct: 371.
accuracy:  87.20%; precision:  68.83%; recall:  80.83%; FB1:  74.35
             ADJP: precision:   0.00%; recall:   0.00%; FB1:   0.00  1
             ADVP: precision:  45.45%; recall:  62.50%; FB1:  52.63  11
               NP: precision:  64.98%; recall:  78.63%; FB1:  71.16  317
               PP: precision:  83.18%; recall:  98.89%; FB1:  90.36  107
             SBAR: precision:  66.67%; recall:  33.33%; FB1:  44.44  3
               VP: precision:  69.00%; recall:  79.31%; FB1:  73.80  100"""
BY_TYPE = {
    "ADJP": Tally(0, 1, 6),
    "ADVP": Tally(5, 11, 8),
    "NP": Tally(206, 317, 262),
    "PP": Tally(89, 107, 90),
    "SBAR": Tally(2, 3, 6),
    "VP": Tally(69, 100, 87),
}


def boeing() -> SpanCounts:
    """The example sentence of the page's first version: other tags, the same phrases."""
    counts = SpanCounts()
    counts.add(["B-NP", "B-NP", "I-NP", "I-NP", "O"], ["I-NP", "B-NP", "I-NP", "I-NP", "O"], known=[True] * 4 + [False])
    return counts


def test_the_layout_is_conllevals():
    counts = SpanCounts(sentences=1)
    counts.by_type.update(BY_TYPE)
    counts.tokens["all"] = Tally(838, 961, 961)
    counts.spans["all"] = Tally(371, 539, 459)
    assert table(counts) == PAGE


def test_the_documented_example_with_known_and_unknown_words():
    assert table(boeing()).splitlines() == [
        "processed 5 tokens with 2 phrases; found: 2 phrases; correct: 2.",
        "accuracy:  80.00%; precision: 100.00%; recall: 100.00%; FB1: 100.00",
        "               NP: precision: 100.00%; recall: 100.00%; FB1: 100.00  2",
        "      known words: accuracy:  75.00% of 4 tokens; precision: 100.00%; recall: 100.00%; FB1: 100.00  2",
        "    unknown words: accuracy: 100.00% of 1 tokens; precision:   0.00%; recall:   0.00%; FB1:   0.00  0",
    ]


def test_plain_tags_have_a_line_each():
    counts = TagCounts()
    counts.add(["DT", "NN"], ["DT", "VB"], known=[True, False])
    assert table(counts).splitlines() == [
        "processed 2 tokens in 1 sentences; correct: 1.",
        "accuracy:  50.00%",
        "               DT: precision: 100.00%; recall: 100.00%; FB1: 100.00  1",
        "               NN: precision:   0.00%; recall:   0.00%; FB1:   0.00  0",
        "               VB: precision:   0.00%; recall:   0.00%; FB1:   0.00  1",
        "      known words: accuracy: 100.00% of 1 tokens",
        "    unknown words: accuracy:   0.00% of 1 tokens",
    ]


def test_reports_of_nothing_are_zeros():
    assert table(SpanCounts()).startswith("processed 0 tokens with 0 phrases")
    assert table(TagCounts()).endswith("accuracy:   0.00%")


def test_the_dictionary_goes_through_json():
    numbers = as_dict(boeing())
    assert json.loads(json.dumps(numbers)) == numbers
    assert (numbers["metric"], numbers["score"], numbers["accuracy"], numbers["tokens"]) == ("f1", 100.0, 80.0, 5)
    assert numbers["types"] == {
        "NP": {"precision": 100.0, "recall": 100.0, "f1": 100.0, "correct": 2, "predicted": 2, "gold": 2}
    }
    assert numbers["unknown"]["tokens"] == 1
    tags = TagCounts()
    tags.add(["DT"], ["DT"])
    assert as_dict(tags)["correct"] == 1
    assert "known" not in as_dict(tags)


def test_scores_have_names_and_one_unit():
    counts = boeing()
    assert counts.scores == {"f1": 100, "precision": 100, "recall": 100, "accuracy": 80}
    assert (counts.score, counts.f1, counts.precision, counts.recall) == (100, 100, 100, 100)
    assert (
        repr(counts) == "SpanCounts(f1=100.00, precision=100.00, recall=100.00, accuracy=80.00, sentences=1, words=5)"
    )
    assert str(counts) == table(counts)
    tags = TagCounts()
    tags.add(["DT", "NN"], ["DT", "VB"])
    assert repr(tags) == "TagCounts(accuracy=50.00, sentences=1, words=2)"


def test_notebooks_show_a_table():
    tags = TagCounts()
    tags.add(["<b>", "NN"], ["<b>", "VB"])
    html = tags._repr_html_()
    assert "<th>&lt;b&gt;</th><td>100.00</td>" in html
    assert "<th>all</th><td>50.00</td>" in html


def test_scores_as_a_frame():
    pytest.importorskip("pandas")
    frame = boeing().to_frame()
    assert list(frame.index) == ["NP", "all"]
    assert frame.loc["all", ["precision", "recall", "f1", "gold"]].tolist() == [100, 100, 100, 2]
