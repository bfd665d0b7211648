"""What the seeds say: means, differences with intervals, and how much annotation a gain is worth."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, stdev

from polytag.curves.runs import ALONE, JOINT, Result

# Student's t, 0.975 quantile, for 1, 2, ... degrees of freedom: scipy would be a large guest for thirty numbers.
T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds, with the half-width of its 95 % interval; None where one seed tells nothing of the spread."""

    mean: float
    half: float | None

    @property
    def low(self) -> float:
        """The lower end, or minus infinity."""
        return -math.inf if self.half is None else self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end, or infinity."""
        return math.inf if self.half is None else self.mean + self.half

    @property
    def holds_zero(self) -> bool:
        """Whether the mean may be nothing but chance, as far as the seeds tell."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class Point:
    """One labeling rate: the scores of each arm by seed, their means, and the gain with partners, seed by seed."""

    rate: float
    sentences: int  # on average
    scores: Mapping[str, Sequence[float]]
    means: Mapping[str, Estimate]
    gain: Estimate | None


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and Student's t interval of at least one value."""
    if len(values) < 2:
        return Estimate(mean(values), None)
    freedom = len(values) - 1
    quantile = T_975[freedom - 1] if freedom <= len(T_975) else 1.960 + 2.45 / freedom  # off by less than 0.002
    return Estimate(mean(values), quantile * stdev(values) / math.sqrt(len(values)))


def points(results: Sequence[Result]) -> list[Point]:
    """The points of the curve, ascending."""
    found = []
    for rate in sorted({result.run.rate for result in results}):
        here = [result for result in results if result.run.rate == rate]
        by_arm = {arm: {r.run.seed: r.score for r in here if r.run.arm == arm} for arm in (ALONE, JOINT)}
        scores = {arm: list(of.values()) for arm, of in by_arm.items() if of}
        paired = [score - by_arm[ALONE][seed] for seed, score in by_arm[JOINT].items() if seed in by_arm[ALONE]]
        sentences = round(mean(result.sentences for result in here))
        means = {arm: estimate(values) for arm, values in scores.items()}
        found.append(Point(rate, sentences, scores, means, estimate(paired) if paired else None))
    return found


def equivalent_rate(curve: Sequence[tuple[float, float]], rate: float, score: float) -> float | None:
    """The labeling rate from which on the curve (rates ascending, and scores) reaches a score, seen from ``rate``.

    Between measured rates the score is taken to grow with the logarithm of the rate. Upwards it is the first rate at
    or above ``rate`` that reaches the score; where the score lies below the curve, the last one under ``rate`` at
    which the curve is as low. None where that lies beyond what was measured.
    """
    here = next(value for at, value in curve if at == rate)
    pairs = list(pairwise(curve))
    if score >= here:
        chosen = [pair for pair in pairs if pair[0][0] >= rate]
    else:
        chosen = [pair for pair in reversed(pairs) if pair[1][0] <= rate]
    if score == here:
        return rate
    for (first, low), (second, high) in chosen:
        if min(low, high) <= score <= max(low, high) and low != high:
            share = (score - low) / (high - low)
            return math.exp(math.log(first) + share * (math.log(second) - math.log(first)))
    return None
