"""What the seeds say, in numbers and in a sentence."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.curves.answer import answer
from polytag.curves.estimates import T_975, Estimate, equivalent_rate, estimate, points
from polytag.curves.runs import ALONE, JOINT, Arm, Result

CURVE = [(0.03, 40.0), (0.1, 60.0), (0.3, 70.0), (1.0, 80.0)]
Scores = dict[float, tuple[list[float], list[float]]]


def results(scores: Scores) -> list[Result]:
    return [
        Result(Arm(arm, rate, seed), score, "f1", 5, round(1000 * rate))
        for rate, both in scores.items()
        for arm, of in zip((ALONE, JOINT), both, strict=True)
        for seed, score in enumerate(of, start=1)
    ]


def told(scores: Scores, *, partners: tuple[str, ...] = ("en-ner",)) -> str:
    return answer(points(results(scores)), partners=partners, metric="f1")


def test_the_interval_is_students() -> None:
    scipy = pytest.importorskip("scipy.stats")
    for freedom, quantile in enumerate(T_975, start=1):
        assert quantile == pytest.approx(scipy.t.ppf(0.975, freedom), abs=6e-4)
    for count in (2, 3, 10, 40, 200):
        values = [math.sin(n) for n in range(count)]
        low, high = scipy.t.interval(0.95, count - 1, loc=sum(values) / count, scale=scipy.sem(values))
        assert (estimate(values).low, estimate(values).high) == pytest.approx((low, high), abs=1e-3)


def test_one_seed_has_no_interval() -> None:
    assert estimate([3.0]) == Estimate(3.0, None)
    assert estimate([3.0]).holds_zero


def test_gains_are_paired_by_seed() -> None:
    (point,) = points(results({0.1: ([10.0, 50.0, 30.0], [15.0, 55.0, 35.0])}))
    assert point.gain == Estimate(5.0, 0.0)
    assert point.means[ALONE].mean == 30
    assert point.sentences == 100


@pytest.mark.parametrize(
    ("rate", "score", "expected"),
    [
        (0.1, 60.0, 0.1), (0.1, 70.0, 0.3), (0.03, 60.0, 0.1), (0.1, 65.0, math.sqrt(0.03)), (0.1, 81.0, None),
        (1.0, 85.0, None), (0.1, 50.0, math.sqrt(0.003)), (0.03, 39.0, None), (1.0, 60.0, 0.1),
    ],
)  # fmt: skip
def test_the_annotation_that_a_score_is_worth(rate: float, score: float, expected: float | None) -> None:
    found = equivalent_rate(CURVE, rate, score)
    assert found == (None if expected is None else pytest.approx(expected))


@given(st.sampled_from([rate for rate, _ in CURVE]), st.floats(40, 80))
def test_within_the_measured_range_there_is_always_an_answer(rate: float, score: float) -> None:
    found = equivalent_rate(CURVE, rate, score)
    here = dict(CURVE)[rate]
    assert found is not None
    assert (found - rate) * (score - here) >= -1e-12


def test_where_the_curve_falls_the_first_rate_that_reaches_the_score_counts() -> None:
    assert equivalent_rate([(0.1, 50.0), (0.3, 40.0), (1.0, 60.0)], 0.1, 55.0) == pytest.approx(
        math.exp(math.log(0.3) + 0.75 * math.log(1 / 0.3))
    )


def test_a_clear_gain_is_told_with_its_interval_and_its_worth() -> None:
    found = told({
        0.1: ([60.0, 60.5, 59.5], [66.0, 66.8, 65.2]),
        0.3: ([70.0, 70.4, 69.6], [72.0, 72.2, 71.9]),
        1.0: ([80.0, 80.4, 79.6], [80.1, 79.6, 80.2]),
    })  # fmt: skip
    assert found == (
        "With 10 % of the labels, training with en-ner raises the score by 6.0 F1 (95 % interval 5.3 to 6.7); that is "
        "worth about 1.9 times the annotation; with all labels it leaves the score as it is (95 % interval -1.8 to "
        "1.7, so it may be chance); alone, the last 3.3-fold increase of annotation raised the score by 10.0 F1."
    )


def test_a_gain_that_may_be_chance_has_no_worth() -> None:
    found = told({0.1: ([60.0, 50.0], [61.0, 58.0]), 1.0: ([80.0, 81.0], [80.0, 80.0])})
    assert "raises the score by 4.5 F1 (95 % interval -40.0 to 49.0, so it may be chance)" in found
    assert "worth" not in found


def test_beyond_the_measured_range_nothing_is_promised() -> None:
    scores: Scores = {0.1: ([60.0, 60.0], [90.0, 90.1]), 0.3: ([70.0, 70.0], [71.0, 71.1])}
    assert "that is worth more than 3 times the annotation, the most that was measured" in told(scores)
    assert "lies beyond the rates that were measured" in told({0.3: ([70.0, 70.0], [75.0, 75.1])})


def test_a_loss_is_told_as_a_loss() -> None:
    found = told({0.1: ([60.0, 60.2], [55.0, 55.1]), 0.3: ([70.0, 70.1], [65.0, 65.2])})
    assert "lowers the score by 4.9 F1 (95 % interval 4.3 to 5.6); that is the score that about 0.58 times" in found
    assert "raises" not in found


def test_one_seed_says_so() -> None:
    assert "raises the score by 5.0 F1 (one seed, which says nothing of chance)" in told({0.1: ([60.0], [65.0])})


def test_without_partners_only_annotation_is_told() -> None:
    single = [result for result in results({0.1: ([60.0], []), 0.3: ([70.0], [])}) if result.run.arm == ALONE]
    found = answer(points(single), partners=(), metric="accuracy")
    assert found == "Alone, the last 3-fold increase of annotation raised the score by 10.0 points of accuracy."
