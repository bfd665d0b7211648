"""What more annotation would bring, against the law in closed form."""

import math
import random
from collections.abc import Callable

import pytest

from polytag.curves.estimates import Estimate
from polytag.curves.forecast import Forecast, forecast, looked_back, told
from polytag.curves.runs import ALONE, JOINT, Arm, Result
from polytag.errors import PolytagError

RATES = (0.03, 0.1, 0.3, 1.0)


def law(sentences: float, power: float = 0.35) -> float:
    return 100 - 180 * sentences**-power


def results(
    score: Callable[[float], float] = law, *, rates: tuple[float, ...] = RATES, seeds: int = 3, total: int = 1000
) -> list[Result]:
    counts = [(rate, round(total * rate), seed) for rate in rates for seed in range(1, seeds + 1)]
    return [Result(Arm(ALONE, rate, seed), score(count), "f1", 5, count) for rate, count, seed in counts]


@pytest.mark.parametrize("more", [1, 100, 5000])
def test_points_from_the_law_give_its_difference_back(more: int) -> None:
    found = forecast(results(), more)
    assert (found.sentences, found.more) == (1000, more)
    assert found.gain.mean == pytest.approx(law(1000 + more) - law(1000))
    assert found.gain.half == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("score", "often"), [(law, 0.95), (lambda n: 0.9 * law(n), 0.5)], ids=["of the law", "that levels off"]
)
def test_the_interval_covers_the_truth(score: Callable[[float], float], often: float) -> None:
    draw = random.Random(5)
    intervals = [forecast(results(lambda n: score(n) + draw.gauss(0, 0.3)), 200).gain for _ in range(400)]
    covered = sum(gain.low <= score(1200) - score(1000) <= gain.high for gain in intervals)
    assert covered / len(intervals) >= often


def test_what_the_law_misses_of_the_last_step_is_in_the_interval() -> None:
    off = results(lambda n: law(n) - (n == 1000))
    step = math.log(1200 / 1000) / math.log(1000 / 300)
    miss = 1 - (law(1000) - law(300)) + forecast(results(rates=RATES[:3], total=1000), 700).gain.mean
    assert forecast(off, 200).gain.half == pytest.approx(step * miss)


def test_each_seed_has_a_curve_of_its_own() -> None:
    both = results(seeds=1) + [
        Result(Arm(ALONE, one.run.rate, 2), law(one.sentences, 0.25), "f1", 5, one.sentences)
        for one in results(seeds=1)
    ]
    gains = [law(1100, power) - law(1000, power) for power in (0.25, 0.35)]
    assert forecast(both, 100).gain.mean == pytest.approx(sum(gains) / 2)


def test_trainings_with_partners_and_the_beginning_of_the_curve_do_not_count() -> None:
    odd = [Result(Arm(JOINT, 1.0, 1), 20.0, "f1", 5, 1000), Result(Arm(ALONE, 0.01, 1), 0.0, "f1", 5, 10)]
    assert forecast(results() + odd, 100) == forecast(results(rates=RATES[1:]), 100)


@pytest.mark.parametrize(("total", "more"), [(17, 8), (200, 100), (230, 100), (14041, 7000)])
def test_half_as_many_again_unless_said(total: int, more: int) -> None:
    assert forecast(results(total=total)).more == more


def test_it_is_told_in_one_sentence() -> None:
    shift = iter([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, -2.0])
    scores = results(lambda n: law(n) + next(shift), rates=RATES[1:], total=200)
    assert told(scores, [100]) == "100 more sentences (300 instead of 200): +3.1 to +4.3 F1, about +3.7."
    assert told(results(seeds=1), [100, 200]) == (
        "100 more sentences (1,100 instead of 1,000): about +0.5 F1 (one seed, which says nothing of chance); "
        "200 more sentences (1,200 instead of 1,000): about +1.0 F1 (one seed, which says nothing of chance)."
    )


def test_a_curve_that_falls_is_told() -> None:
    said = told(results(lambda n: 28.0 if n == 300 else 0.0), [100])
    assert said.endswith("; scores fall between some of the rates, so do not rely on it.")


def test_what_may_be_nothing_is_told_so() -> None:
    draw = random.Random(1)
    assert told(results(lambda _: 80 + draw.gauss(0, 1)), [100]).split(";")[0].endswith("(so it may be nothing)")


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        (results(rates=(0.3, 1.0)), "from 2 amounts of it, expected at least 3"),
        (results(rates=(0.6, 0.8, 1.0), total=1), "from 1 amount of it, expected at least 3"),
        (results(lambda _: 100.0), "where a score is 100 already"),
    ],
)
def test_where_it_cannot_be_told_that_is_told(scores: list[Result], why: str) -> None:
    with pytest.raises(PolytagError, match=why):
        forecast(scores, 100)
    assert told(scores, [100]).startswith("What more annotation would bring cannot be told")


def test_looking_back_it_foretells_the_last_step_from_those_before() -> None:
    expected = Forecast(300, 700, Estimate(law(1000) - law(300), 0.0))
    step = f"{expected.gain.mean:+.1f}"
    assert looked_back(results()) == (
        f"Looked back, without the highest rate: {expected}: {step} to {step} F1, about {step}; measured was {step}."
    )
    assert looked_back(results(rates=RATES[1:])) == ""
