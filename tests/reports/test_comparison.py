"""Two models on the same sentences."""

import random

import pytest

from polytag.errors import PlanError
from polytag.reports.cases import Cases
from polytag.reports.comparison import Comparison, compare_cases, rows
from polytag.scoring import approximate_randomisation, sentence_counts
from tests.reports.helpers import case, cases, plain_case

GOLD = "B-PER O B-LOC"


def compared(a: list[str], b: list[str]) -> Comparison:
    return compare_cases(*(cases(*(case("Ann saw Lima", GOLD, tags) for tags in side)) for side in (a, b)), trials=200)


def test_who_is_right() -> None:
    found = compared([GOLD, "O O B-LOC", "O O B-LOC", GOLD], [GOLD, GOLD, "B-PER O O", "O O O"])
    assert [(d.number, d.verdict) for d in found.differences] == [(2, "B"), (3, "neither"), (4, "A")]
    assert found.verdicts == {"A": 1, "B": 1, "neither": 1}
    assert [d.errors for d in found.differences] == [(1, 0), (1, 1), (0, 2)]
    assert {line.name: line.difference for line in found.types} == pytest.approx(
        {"LOC": -100 / 3, "PER": 600 / 7 - 200 / 3}
    )


def test_as_text_it_is_its_table_and_its_repr_one_line() -> None:
    found = compared([GOLD, "O O B-LOC"], [GOLD, GOLD])
    assert repr(found) == f"Comparison(ner: {found.answer})"
    assert "PER                    66.67  100.00  +33.33       2" in str(found).splitlines()
    assert "<tr><th>PER</th><td>66.67</td><td>100.00</td><td>+33.33</td><td>2</td></tr>" in found._repr_html_()
    assert f"<p>{found.answer}</p>" in found._repr_html_()


def test_a_model_does_not_differ_from_itself() -> None:
    found = compared([GOLD, "O O O"], [GOLD, "O O O"])
    assert found.differences == []
    assert (found.score.difference, found.interval.low, found.interval.high, found.probability) == (0, 0, 0, 1)
    assert found.answer.startswith("A and B have the same F1")


def test_the_probability_is_that_of_approximate_randomisation_and_swapping_changes_the_sign() -> None:
    source = random.Random(0)
    sides = [[GOLD if source.random() < share else "O O B-LOC" for _ in range(60)] for share in (0.5, 0.9)]
    found, swapped = compared(*sides), compared(*reversed(sides))
    triples = [[sentence_counts(GOLD.split(), tags.split()) for tags in side] for side in sides]
    assert found.probability == approximate_randomisation(*triples)
    assert found.probability < 0.05
    assert found.answer.startswith("B is better by ")
    assert swapped.answer.startswith("A is better by ")
    assert found.interval.low > 0
    assert swapped.interval == pytest.approx((-found.interval.value, -found.interval.high, -found.interval.low))


def test_schemes_are_compared_as_spans() -> None:
    found = compared(["B-PER O B-LOC"], ["S-PER O I-LOC"])
    assert found.differences == []
    assert found.score.b == 100


def test_words_and_spans_cannot_be_compared() -> None:
    with pytest.raises(PlanError, match="'ner' labels single words and 'ner' spans"):
        compare_cases(cases(case("a", "O", "O")), cases(plain_case("a", "X", "X"), plain=True))


def test_other_sentences_are_refused() -> None:
    with pytest.raises(ValueError, match="different sentences"):
        compare_cases(cases(case("a", "O", "O")), cases(case("a", "B-PER", "O")))


def test_rows_show_both_sides_and_of_plain_tags_what_is_disputed() -> None:
    (difference,) = compared([GOLD], ["O O B-LOC"]).differences
    shown = [(name, [(s.text, s.type, s.wrong) for s in segments]) for name, segments in rows(difference, plain=False)]
    right = [("Ann", "PER", False), ("saw", "", False), ("Lima", "LOC", False)]
    assert shown == [("gold", right), ("A", right), ("B", [("Ann saw", "", False), ("Lima", "LOC", False)])]
    sides: list[Cases] = [cases(plain_case("a b", "X Y", said), plain=True) for said in ("X Y", "X Z")]
    (plain,) = compare_cases(*sides, trials=10).differences
    assert [[s.type for s in segments] for _, segments in rows(plain, plain=True)] == [["", "Y"], ["", "Y"], ["", "Z"]]
