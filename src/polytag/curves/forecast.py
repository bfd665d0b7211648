"""What more annotation would bring: the curve of the task alone, drawn on by an inverse power law."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from statistics import linear_regression, mean

from polytag.curves.answer import METRICS
from polytag.curves.estimates import Estimate, estimate
from polytag.curves.runs import ALONE, Result
from polytag.errors import PolytagError

FEWEST = 3  # amounts of annotation that a law of two unknowns is fitted to
REACH = 10  # of what is measured only this far below the highest rate: a curve's beginning is no power law
LAW = (
    "The error (100 less the score) is taken to fall as a power of the number of sentences. That is fitted to each "
    "seed's scores at the rates from a tenth of the highest on (at least three); the interval comes from how the seeds "
    "differ (Student, 95 %) and from how far the law, fitted without the highest rate, misses what that brought. It "
    "holds for sentences drawn at random like those annotated so far."
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """So many sentences more than were trained on at the highest rate, and what they would add to the score."""

    sentences: int
    more: int
    gain: Estimate

    def __str__(self) -> str:
        return f"{self.more:,} more sentences ({self.sentences + self.more:,} instead of {self.sentences:,})"


def forecast(results: Sequence[Result], more: int | None = None) -> Forecast:
    """What ``more`` sentences would bring; half as many again, rounded to one digit, unless given.

    The error of each seed, ``a * sentences ** -b``, is fitted by least squares of its logarithm. To the interval of the
    seeds is added, as a second standard deviation would be, by how much that misses each seed's last step when fitted
    without it, for as large a step in the logarithm of the sentences.

    Raises:
        PolytagError: there are too few amounts of annotation, or a score of 100, whose error has no logarithm.
    """
    by_rate = _alone(results)
    rates = list(by_rate)
    curves: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for rate, found in by_rate.items():
        if rate >= min(rates[-1] / REACH, rates[-FEWEST:][0]):
            for result in found:
                curves[result.run.seed].append((result.sentences, result.score))
    fewest = min(len(set(dict(curve))) for curve in curves.values())
    if fewest < FEWEST:
        raise PolytagError(
            f"what more annotation would bring cannot be told from {fewest} amount{'s' * (fewest != 1)} of it, "
            f"expected at least {FEWEST} (--rates)"
        )
    if any(score >= 100 for curve in curves.values() for _, score in curve):
        raise PolytagError("what more annotation would bring cannot be told where a score is 100 already")
    sentences = _sentences(by_rate[rates[-1]])
    more = _next(sentences) if more is None else more
    gain = estimate([_gain(curve, sentences, more) for curve in curves.values()])
    if gain.half is not None:
        miss = math.sqrt(mean(_miss(curve) ** 2 for curve in curves.values()))
        gain = Estimate(gain.mean, math.hypot(gain.half, miss * math.log1p(more / sentences)))
    return Forecast(sentences, more, gain)


def told(results: Sequence[Result], amounts: Sequence[int]) -> str:
    """One sentence, or why there is none: ``100 more sentences (300 instead of 200): +0.8 to +2.1 F1, about +1.4.``"""
    metric = METRICS.get(results[0].metric, results[0].metric)
    try:
        found = forecasts(results, amounts)
    except PolytagError as error:
        text = str(error)
        return f"{text[:1].upper()}{text[1:]}."
    means = [mean(result.score for result in of_rate) for of_rate in _alone(results).values()]
    falls = "" if means == sorted(means) else "; scores fall between some of the rates, so do not rely on it"
    return f"{'; '.join(f'{one}: {_brings(one.gain, metric)}' for one in found)}{falls}."


def forecasts(results: Sequence[Result], amounts: Sequence[int]) -> list[Forecast]:
    """One for each amount, or one for a sensible next amount where none is given.

    Raises:
        PolytagError: as `forecast` does.
    """
    return [forecast(results, more) for more in amounts] or [forecast(results)]


def looked_back(results: Sequence[Result]) -> str:
    """How the law would have done without the highest rate; nothing where too little is left to fit it to."""
    by_rate = _alone(results)
    if len(by_rate) <= FEWEST:
        return ""
    *lower, before, last = by_rate.values()
    try:
        found = forecast([*chain(*lower), *before], _sentences(last) - _sentences(before))
    except PolytagError:
        return ""
    measured = mean(result.score for result in last) - mean(result.score for result in before)
    metric = METRICS.get(results[0].metric, results[0].metric)
    brings = _brings(found.gain, metric)
    return f"Looked back, without the highest rate: {found}: {brings}; measured was {measured:+.1f}."


def _alone(results: Sequence[Result]) -> dict[float, list[Result]]:
    """Trainings of the task alone, by rate, ascending."""
    alone = sorted((result for result in results if result.run.arm == ALONE), key=lambda result: result.run.rate)
    return {rate: list(found) for rate, found in groupby(alone, key=lambda result: result.run.rate)}


def _sentences(results: Sequence[Result]) -> int:
    return round(mean(result.sentences for result in results))


def _gain(curve: Sequence[tuple[int, float]], sentences: int, more: int) -> float:
    slope, intercept = linear_regression(
        [math.log(count) for count, _ in curve], [math.log(100 - score) for _, score in curve]
    )
    return math.exp(intercept) * (math.pow(sentences, slope) - math.pow(sentences + more, slope))


def _miss(curve: Sequence[tuple[int, float]]) -> float:
    """By how much the law of all amounts but the highest is wrong of what that brought, per e-fold of sentences."""
    last = curve[-1][0]
    lower = [point for point in curve if point[0] < last]
    before, score = lower[-1]
    return (_gain(lower, before, last - before) - (curve[-1][1] - score)) / math.log(last / before)


def _next(sentences: int) -> int:
    half = max(1, sentences // 2)
    return int(round(half, -int(math.log10(half))))


def _brings(gain: Estimate, metric: str) -> str:
    if gain.half is None:
        return f"about {gain.mean:+.1f} {metric} (one seed, which says nothing of chance)"
    chance = " (so it may be nothing)" if gain.holds_zero else ""
    return f"{gain.low:+.1f} to {gain.high:+.1f} {metric}, about {gain.mean:+.1f}{chance}"
