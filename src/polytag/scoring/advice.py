"""What would help most, from what was measured: at most three sentences, those that promise most first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from polytag.scoring.counts import Counts, Tally
from polytag.scoring.familiarity import Familiarity
from polytag.scoring.spans import SpanCounts

MOST = 3  # sentences
FEWEST = 100  # gold spans, or words with plain tags, from which anything is concluded
FEW = 100  # examples of a label
LEAST = 0.5  # points that something must promise to be worth a sentence
GAP = 5.0  # points between precision and recall
UNLIKE, NO_DEV, WASTED = 100.0, 5.0, 0.1  # what these promise, beside points that are measured


@dataclass(frozen=True)
class Scored:
    """A task as it was scored: what was counted, how often training has each label, and how its text is known."""

    task: str
    counts: Counts
    examples: Mapping[str, int] = field(default_factory=dict)  # empty where nobody knows
    vectors: bool = False  # whether its words have pretrained vectors
    text: Familiarity | None = None
    dev: Familiarity | None = None  # how the model knew the text that it was judged on
    consistent: Counts | None = None  # of the same text, its names consistent; None where it was not tagged so


class Epochs(NamedTuple):
    """The epochs of a training: the development score after each (none without development data), and all planned."""

    scores: Sequence[float]
    planned: int


class Advice(NamedTuple):
    """A sentence and the points that it promises."""

    points: float
    sentence: str


def next_steps(scored: Sequence[Scored], epochs: Epochs | None = None) -> list[str]:
    """What would help most, in at most three sentences."""
    found = [_of_epochs(epochs)] if epochs else []
    for one in scored:
        if is_enough(one.counts):
            found += [rule(one) for rule in (_unlike, _unknown_words, _few_examples, _precision_or_recall, _consistent)]
    worth = [advice for advice in found if advice]
    return [advice.sentence for advice in sorted(worth, key=lambda advice: -advice.points)[:MOST]]


def is_enough(counts: Counts) -> bool:
    """Whether anything is concluded from them."""
    return _all(counts).gold >= FEWEST


def _all(counts: Counts, group: str = "all") -> Tally:
    """Spans, or words with plain tags: of all, or of those known or unknown."""
    return counts.spans[group] if isinstance(counts, SpanCounts) else counts.tokens[group]


def _unlike(one: Scored) -> Advice | None:
    if one.text is None or one.dev is None or not one.text.is_far(one.dev):
        return None
    does = "train on sentences of this text too ('polytag suggest' chooses which to annotate)"
    return Advice(UNLIKE, f"{one.task}: this text is unlike dev: {does}")


def _unknown_words(one: Scored) -> Advice | None:
    whole, known, unknown = (_all(one.counts, group) for group in ("all", "known", "unknown"))
    points = unknown.gold * (known.recall - unknown.recall) / whole.gold
    missed, unknown_missed = whole.gold - whole.correct, unknown.gold - unknown.correct
    if points < LEAST or not missed:
        return None
    is_spans = isinstance(one.counts, SpanCounts)
    what, have = ("missed spans", "hold words") if is_spans else ("wrong tags", "are of words")
    does = "word vectors of much text (words.NAME.vectors; 'polytag vectors' makes them of raw text)"
    if one.vectors:
        does = "vectors of more text, or of text like this, or a gazetteer"
    share = f"{100 * unknown_missed / missed:.0f} % of {missed:,} {what} {have} that training has not"
    rates = f"{unknown.recall:.0f} % of such are right, {known.recall:.0f} % of others"
    return Advice(points, f"{one.task}: {share} ({rates}): {does}")


def _few_examples(one: Scored) -> Advice | None:
    whole = _all(one.counts)
    lost = {
        label: tally.gold * (whole.recall - tally.recall) / whole.gold
        for label, tally in one.counts.types.items()
        if one.examples and tally.gold and one.examples.get(label, 0) < FEW
    }
    worst = sorted((label for label in lost if lost[label] > 0), key=lambda label: -lost[label])[:MOST]
    points = sum(lost[label] for label in worst)
    if points < LEAST:
        return None
    named = ", ".join(
        f"{label} {one.examples.get(label, 0):,} (F1 {one.counts.types[label].f1:.0f})" for label in worst
    )
    said = f"few examples in training, and F1 {one.counts.score:.0f} over all: annotate more of these"
    return Advice(points, f"{one.task}: {named}: {said}")


def _precision_or_recall(one: Scored) -> Advice | None:
    whole = _all(one.counts)
    gap = whole.precision - whole.recall
    if not isinstance(one.counts, SpanCounts) or abs(gap) < GAP:
        return None
    rates = f"precision {whole.precision:.1f}, recall {whole.recall:.1f}"
    if gap < 0:
        wrong = f"{whole.predicted - whole.correct:,} of {whole.predicted:,} spans found are wrong"
        does = "--min-probability leaves out doubtful ones ('polytag evaluate --operating-points' shows what it brings)"
        return Advice(-gap / 4, f"{one.task}: {rates}: {wrong}: {does}")
    missed = {label: tally.gold - tally.correct for label, tally in one.counts.types.items()}
    most = max(missed, key=lambda label: missed[label])
    does = (
        f"see to it that training files mark them all, and add sentences with {most} ({missed[most]:,} of those missed)"
    )
    return Advice(gap / 4, f"{one.task}: {rates}: {whole.gold - whole.correct:,} spans are missed: {does}")


def _consistent(one: Scored) -> Advice | None:
    points = one.consistent.score - one.counts.score if one.consistent else 0.0
    if points < LEAST:
        return None
    assert one.consistent is not None
    said = f"F1 {one.counts.score:.1f} becomes {one.consistent.score:.1f} where a name's other mentions count"
    return Advice(points, f"{one.task}: {said}: 'polytag tag --consistent' for whole texts")


def _of_epochs(epochs: Epochs) -> Advice | None:
    scores, done = epochs.scores, len(epochs.scores)
    if not scores:
        return Advice(NO_DEV, "no development data chose the epoch: name dev files, or set holdout = 0.1")
    best = max(range(done), key=lambda epoch: (scores[epoch], -epoch)) + 1
    stretch = max(1, done // 5)
    rise = scores[-1] - max(scores[:-stretch], default=scores[-1])
    if best == done == epochs.planned and rise >= LEAST:
        last = "epoch" if stretch == 1 else f"{stretch} epochs"
        said = f"dev still rose by {rise:.1f} in the last {last} of {done}"
        return Advice(rise, f"{said}: train longer, such as training.epochs = {2 * done}")
    if 2 * best <= done and done - best >= 3:
        said = f"dev was best after epoch {best} of {done}"
        return Advice(WASTED, f"{said}: training.epochs = {best + 2} takes {100 * (best + 2) / done:.0f} % of the time")
    return None
