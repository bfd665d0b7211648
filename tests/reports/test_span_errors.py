"""Kinds of errors: what is what, and that they add up to all errors."""

import pytest
from hypothesis import given

from polytag.reports.cases import Cases
from polytag.reports.confusion import NONE, all_outcomes, boundaries, confusion, kinds, most_frequent
from polytag.reports.span_errors import CORRECT, KINDS, SIDES
from tests.reports.helpers import case, cases, plain_case, random_cases

WORDS = "a b c d e f"
EXAMPLES = {  # gold, predicted -> kind and side of each outcome
    "the same": ("O B-PER I-PER O O O", "O B-PER I-PER O O O", [("correct", "")]),
    "another type": ("O B-PER I-PER O O O", "O B-LOC I-LOC O O O", [("wrong type", "")]),
    "cut on the right": ("O B-PER I-PER O O O", "O B-PER O O O O", [("too short", "right")]),
    "cut on the left": ("O B-PER I-PER O O O", "O O B-PER O O O", [("too short", "left")]),
    "cut on both sides": ("B-PER I-PER I-PER O O O", "O B-PER O O O O", [("too short", "both")]),
    "too much on the right": ("O B-PER O O O O", "O B-PER I-PER O O O", [("too long", "right")]),
    "shifted": ("O B-PER I-PER O O O", "O O B-PER I-PER O O", [("shifted", "both")]),
    "all wrong": ("O B-PER I-PER O O O", "O O B-LOC I-LOC O O", [("wrong type and boundary", "both")]),
    "nothing said": ("O B-PER O O O O", "O O O O O O", [("missed", "")]),
    "nothing there": ("O O O O O O", "O B-PER O O O O", [("spurious", "")]),
    "side by side": ("B-PER O O O O O", "O B-PER O O O O", [("missed", ""), ("spurious", "")]),
    "two for one": ("B-PER I-PER I-PER O O O", "B-PER B-PER I-PER O O O", [("spurious", ""), ("too short", "left")]),
    "one for two": ("B-PER B-LOC I-LOC O O O", "B-PER I-PER I-PER O O O",
                    [("missed", ""), ("wrong type and boundary", "left")]),
}  # fmt: skip


@pytest.mark.parametrize(("gold", "found", "expected"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_what_is_what(gold: str, found: str, expected: list[tuple[str, str]]) -> None:
    (results,) = all_outcomes(cases(case(WORDS, gold, found)))
    assert sorted((outcome.kind, outcome.side) for outcome in results) == sorted(expected)


@given(random_cases())
def test_every_span_takes_part_in_exactly_one_outcome(found: Cases) -> None:
    for one, results in zip(found.cases, all_outcomes(found), strict=True):
        assert sorted(outcome.gold for outcome in results if outcome.gold) == sorted(one.gold)
        assert sorted(outcome.found for outcome in results if outcome.found) == sorted(one.found)


@given(random_cases())
def test_kinds_add_up_to_all_errors(found: Cases) -> None:
    results = all_outcomes(found)
    counts = found.counts()
    correct = sum(outcome.kind == CORRECT for sentence in results for outcome in sentence)
    assert correct == sum(tally.correct for tally in counts.types.values())
    by_kind = {kind.kind: kind.count for kind in kinds(results)}
    assert list(by_kind) == list(KINDS)
    assert sum(by_kind.values()) + correct == sum(map(len, results))
    gold, predicted = (sum(getattr(t, name) for t in counts.types.values()) for name in ("gold", "predicted"))
    assert correct + sum(by_kind.values()) - by_kind["spurious"] == gold
    assert correct + sum(by_kind.values()) - by_kind["missed"] == predicted
    assert sum(sum(of) for _, of in boundaries(results)) == sum(by_kind[kind] for kind, _ in boundaries(results))
    shares = [kind.share for kind in kinds(results)]
    assert sum(shares) == pytest.approx(1.0 if sum(by_kind.values()) else 0.0)


@given(random_cases())
def test_the_confusion_of_types_holds_every_span(found: Cases) -> None:
    table = confusion(found)
    gold = {name: sum(row) for name, row in zip(table.names, table.cells, strict=True)}
    predicted = {name: sum(column) for name, column in zip(table.names, zip(*table.cells, strict=True), strict=True)}
    tallies = found.counts().types
    assert {name: tally.gold for name, tally in tallies.items()} == {n: c for n, c in gold.items() if n != NONE}
    assert {name: tally.predicted for name, tally in tallies.items()} == {n: predicted[n] for n in gold if n != NONE}


def test_sides_are_counted() -> None:
    found = cases(
        case(WORDS, "B-PER I-PER O O O O", "B-PER O O O O O"), case(WORDS, "B-PER O O O O O", "B-PER I-PER O O O O")
    )
    assert boundaries(all_outcomes(found))[:2] == [("too short", [0, 1, 0]), ("too long", [0, 1, 0])]
    assert SIDES == ("left", "right", "both")


def test_plain_tags_are_confused_word_by_word() -> None:
    found = cases(plain_case("a b c", "DET NOUN VERB", "DET VERB VERB"), plain_case("d", "NOUN", "VERB"), plain=True)
    assert most_frequent(found) == [("NOUN", "VERB", 2)]
    assert {kind.kind: kind.count for kind in kinds(all_outcomes(found)) if kind.count} == {"wrong type": 2}
    assert confusion(found).names == ["DET", "NOUN", "VERB"]
