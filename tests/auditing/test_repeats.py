"""The same words more than once, without any model."""

from dataclasses import replace

from polytag.auditing.repeats import duplicates, odd_labels
from tests.reports.helpers import case

O2 = "O O"


def test_odd_labels_are_ordered_by_how_rare_they_are() -> None:
    usual = [case("in lima", "O B-LOC", O2) for _ in range(6)]
    rare = [case("lima won", "B-PER O", O2), *[case("of lima", O2, O2)] * 2]
    found = odd_labels([*usual, *rare])
    assert [(odd.label, odd.times, odd.usual_times) for odd in found] == [("PER", 1, 6), ("O", 2, 6), ("O", 2, 6)]


def test_labels_that_are_not_rare_are_left_out() -> None:
    assert not odd_labels([case("in lima", "O B-LOC", O2)] * 2 + [case("lima won", "B-PER O", O2)])


def test_words_within_a_longer_span_do_not_count() -> None:
    usual = [case("in lima", "O B-LOC", O2) for _ in range(6)]
    assert not odd_labels([*usual, case("lima times", "B-ORG I-ORG", O2)])


def test_copies_tell_whether_they_are_annotated_alike() -> None:
    first = case("she is in lima", "O O O B-LOC", "O O O O", line=1)
    other = case("she is in lima", "O O O O", "O O O O", line=6)
    (copy,) = duplicates([first, other])
    assert (copy.line, copy.places, copy.same) == (6, ["news.conll:1"], False)
    assert duplicates([first, first])[0].same


def test_a_format_without_lines_is_told_by_its_file_alone() -> None:
    first = replace(case("she is in lima", "O O O B-LOC", "O O O O"), lines=(0,) * 4)
    (copy,) = duplicates([first, first])
    assert (copy.line, copy.places) == (None, ["news.conll"])


def test_short_sentences_come_twice_by_chance() -> None:
    assert not duplicates([case("in lima", "O B-LOC", O2)] * 2)
