"""Scores by group, their intervals, calibration: held against the counts and the resampling that the package has."""

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings

from polytag.reports.breakdown import MOST_ROWS, breakdowns, overall
from polytag.reports.cases import Cases
from polytag.reports.intervals import bootstrap, intervals, rates, resampled
from polytag.reports.reliability import diagrams
from polytag.scoring import SpanCounts, sentence_counts
from tests.reports.helpers import case, cases, plain_case, random_cases


@settings(max_examples=30)
@given(random_cases())
def test_every_table_adds_up_to_the_counts_that_evaluate_gives(found: Cases) -> None:
    counts = found.counts()
    assert isinstance(counts, SpanCounts)
    whole = (counts.overall.correct, counts.overall.predicted, counts.overall.gold)
    total = overall(found, trials=10)
    assert (total.correct, total.predicted, total.gold) == whole
    assert total.f1.value == pytest.approx(counts.score)
    for table in breakdowns(found, trials=10):
        assert tuple(sum(getattr(r, name) for r in table.rows) for name in ("correct", "predicted", "gold")) == whole
    by_type = {row.name: (row.correct, row.predicted, row.gold) for row in breakdowns(found, trials=10)[0].rows}
    assert by_type == {name: (t.correct, t.predicted, t.gold) for name, t in counts.types.items()}


def test_intervals_are_those_of_samples_drawn_one_by_one() -> None:
    found = [case("a b c", "B-PER O O", said) for said in ("B-PER O O", "O O B-PER", "B-PER O B-LOC") * 40]
    triples = np.array([sentence_counts(one.gold_tags, one.found_tags) for one in found], dtype=np.float64)
    random, scores = np.random.default_rng(8), []
    for _ in range(2_000):
        correct, predicted, gold = triples[random.integers(0, len(triples), len(triples))].sum(0)
        scores.append(2 * correct / (predicted + gold))
    (three,) = intervals(triples[:, None], trials=2_000, seed=3)
    low, high = np.quantile(scores, [0.025, 0.975])
    assert (three[2].low / 100, three[2].high / 100) == pytest.approx((low, high), abs=0.02)
    assert three[2].low < three[2].value < three[2].high


def test_one_sample_is_drawn_for_all_groups() -> None:
    counts = np.random.default_rng(0).integers(0, 4, (40, 1, 3)).astype(float)
    twice = np.concatenate([counts, counts], axis=1)
    assert (bootstrap(twice, trials=50)[0] == bootstrap(twice, trials=50)[1]).all()
    drawn = np.concatenate(list(resampled(np.ones((40, 1, 3)), trials=50)))
    assert (drawn == 40).all()


def test_rates_without_any_item_are_zero() -> None:
    assert rates(np.zeros(3)).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="over 0 sentences"):
        list(resampled(np.zeros((0, 1, 3))))


def test_length_unknown_words_and_frequency() -> None:
    found = cases(
        case("Ann lee saw lima", "B-PER I-PER O B-LOC", "B-PER I-PER O B-LOC"),
        case("the Old Port", "B-LOC I-LOC I-LOC", "O O O"),
        case("x y z u v w", "B-ORG I-ORG I-ORG I-ORG I-ORG I-ORG", "B-ORG I-ORG I-ORG I-ORG I-ORG O"),
        seen=Counter({("lima",): 9, ("Ann", "lee"): 2, ("the", "Old", "Port"): 1}),
    )
    tables = {table.title: {row.name: (row.correct, row.gold) for row in table.rows} for table in breakdowns(found)}
    assert tables["By length in words"] == {"1": (1, 1), "2": (1, 1), "3": (0, 1), "5 or more": (0, 1)}
    assert tables["By known and unknown words"] == {"all words known": (1, 2), "some words unknown": (1, 2)}
    assert tables["By frequency in training"] == {
        "never": (0, 1), "once": (0, 1), "2 to 5 times": (1, 1), "more than 5 times": (1, 1)
    }  # fmt: skip


def test_where_training_files_are_gone_frequency_is_left_out() -> None:
    titles = [table.title for table in breakdowns(cases(case("a", "B-PER", "O")))]
    assert titles == ["By type", "By known and unknown words", "By length in words"]


def test_plain_tags_have_no_lengths_and_their_f1_is_the_accuracy() -> None:
    found = cases(plain_case("a b", "DET NOUN", "DET VERB"), plain_case("c", "NOUN", "NOUN"), plain=True)
    assert overall(found).f1.value == pytest.approx(found.counts().score) == pytest.approx(200 / 3)
    assert [table.title for table in breakdowns(found)] == ["By tag", "By known and unknown words"]


def test_a_large_tag_set_is_cut_to_its_most_frequent_tags() -> None:
    tags = [f"T{n:03}" for n in range(MOST_ROWS + 5)]
    found = cases(plain_case(" ".join(tags), " ".join(tags), " ".join(tags)), plain=True)
    (by_tag, _) = breakdowns(found, trials=5)
    assert (len(by_tag.rows), by_tag.left_out) == (MOST_ROWS, 5)


def test_calibration_error_is_the_distance_from_the_diagonal() -> None:
    right, wrong = case("a b", "B-PER O", "B-PER O", sure=0.8), case("a b", "B-PER O", "B-LOC O", sure=0.8)
    tags, spans = diagrams(cases(right, right, right, wrong))
    assert spans.count == 4
    assert spans.accuracy == 0.75
    assert spans.error == pytest.approx(5)
    assert tags.count == 8
    assert tags.error == pytest.approx(100 * (7 / 8 - 0.8))
    assert spans.svg.startswith("<svg")
    assert diagrams(cases(case("a", "O", "O"))) == []


def test_three_thousand_sentences_take_a_moment() -> None:
    counts = np.random.default_rng(0).integers(0, 4, (3_000, 25, 3)).astype(float)
    began = time.perf_counter()
    bootstrap(counts)
    assert time.perf_counter() - began < 5  # 0.2 s here
