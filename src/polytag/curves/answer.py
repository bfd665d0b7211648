"""One sentence of answer: does training with the partners help, and how much is more annotation worth?"""

from collections.abc import Sequence

from polytag.curves.estimates import Estimate, Point, equivalent_rate
from polytag.curves.runs import ALONE, JOINT

METRICS = {"f1": "F1", "accuracy": "points of accuracy"}


def answer(points: Sequence[Point], *, partners: Sequence[str], metric: str) -> str:
    """What the curve says, in one sentence; a gain whose interval holds 0 is told as what it is.

    The rate it speaks of first is the one with the largest gain that is more than chance; then it says what the
    partners bring with the most labels that were tried, and what these labels bring alone.
    """
    unit = METRICS.get(metric, metric)
    parts = [] if not partners else _gains(points, " and ".join(partners), unit)
    parts.append(_annotation(points, unit))
    text = "; ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}."


def _gains(points: Sequence[Point], partners: str, unit: str) -> list[str]:
    gains = [(point, point.gain) for point in points if point.gain is not None]
    sure = [pair for pair in gains if not pair[1].holds_zero]
    point, gain = max(sure or gains, key=lambda pair: pair[1].mean)
    parts = [f"with {_share(point.rate)}, training with {partners} {_brings(gain, unit)}"]
    if sure:
        parts.append(_worth(points, point))
    last, last_gain = gains[-1]
    if last is not point:
        parts.append(f"with {_share(last.rate)} it {_brings(last_gain, unit)}")
    return parts


def _share(rate: float) -> str:
    return "all labels" if rate == 1 else f"{100 * rate:.3g} % of the labels"


def _brings(gain: Estimate, unit: str) -> str:
    is_loss, points = round(gain.mean, 1) < 0, abs(round(gain.mean, 1))
    text = (
        f"{'lowers' if is_loss else 'raises'} the score by {points:.1f} {unit}"
        if points
        else "leaves the score as it is"
    )
    if gain.half is None:
        return f"{text} (one seed, which says nothing of chance)"
    low, high = (-gain.high, -gain.low) if is_loss else (gain.low, gain.high)
    return f"{text} (95 % interval {low:.1f} to {high:.1f}{', so it may be chance' if gain.holds_zero else ''})"


def _worth(points: Sequence[Point], point: Point) -> str:
    """How many times the annotation the curve alone needs for the same score."""
    curve = [(other.rate, other.means[ALONE].mean) for other in points]
    found = equivalent_rate(curve, point.rate, point.means[JOINT].mean)
    rates = [other.rate for other in points]
    is_loss = point.means[JOINT].mean < point.means[ALONE].mean
    if is_loss:
        times = f"{(found or rates[0]) / point.rate:.2g}"
        return f"that is the score that {'about' if found else 'less than'} {times} times the annotation brings alone"
    if found is not None:
        return f"that is worth about {found / point.rate:.2g} times the annotation"
    if point.rate == rates[-1]:
        return "how much annotation that is worth lies beyond the rates that were measured"
    return f"that is worth more than {rates[-1] / point.rate:.2g} times the annotation, the most that was measured"


def _annotation(points: Sequence[Point], unit: str) -> str:
    """What the step to the highest rate brings alone."""
    if len(points) < 2:
        return ""
    before, last = points[-2:]
    step = last.means[ALONE].mean - before.means[ALONE].mean
    times = last.rate / before.rate
    verb = "raised" if step >= 0 else "lowered"
    return f"alone, the last {times:.2g}-fold increase of annotation {verb} the score by {abs(step):.1f} {unit}"
