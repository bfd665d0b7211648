"""What kind of error each is: every gold and every predicted span of a sentence takes part in exactly one outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

from polytag.reports.cases import Key

CORRECT = "correct"
KINDS = {  # errors, in the order of reports -> what they are
    "wrong type": "the right words under another type",
    "too short": "the right type, but words are left out",
    "too long": "the right type, but with words too many",
    "shifted": "the right type, begun too early and ended too early, or both too late",
    "wrong type and boundary": "another type, and other words, some of which are shared",
    "missed": "an annotated span that no prediction overlaps, or whose overlap counts for another span",
    "spurious": "a predicted span that overlaps no annotated one, or whose overlap counts for another span",
}
SIDES = ("left", "right", "both")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A gold span and the predicted one that is held against it; one of them is None where there is no such."""

    kind: str  # CORRECT or one of KINDS
    gold: Key | None
    found: Key | None

    @property
    def side(self) -> str:
        """Which boundary is wrong: left, right, both, or none ("")."""
        if self.gold is None or self.found is None:
            return ""
        left, right = self.gold.start != self.found.start, self.gold.end != self.found.end
        return "both" if left and right else "left" if left else "right" if right else ""

    @property
    def start(self) -> int:
        """The first word of either span."""
        return min(key.start for key in (self.gold, self.found) if key)

    @property
    def end(self) -> int:
        """The word after the last one of either span."""
        return max(key.end for key in (self.gold, self.found) if key)


def outcomes(gold: Sequence[Key], found: Sequence[Key]) -> list[Outcome]:
    """Hold the predicted spans of one sentence against its gold ones, in order of position.

    Equal boundaries pair first; of the rest, those that share most words, each span at most once.
    """
    starts = {(key.start, key.end): key for key in gold}
    pairs = [(starts[key.start, key.end], key) for key in found if (key.start, key.end) in starts]
    matched_gold, matched_found = {key for key, _ in pairs}, {key for _, key in pairs}
    rest_gold = [key for key in gold if key not in matched_gold]
    rest_found = [key for key in found if key not in matched_found]
    pairs += _by_overlap(rest_gold, rest_found)
    matched_gold, matched_found = {key for key, _ in pairs}, {key for _, key in pairs}
    results = [Outcome(_kind(*pair), *pair) for pair in pairs]
    results += [Outcome("missed", key, None) for key in gold if key not in matched_gold]
    results += [Outcome("spurious", None, key) for key in found if key not in matched_found]
    return sorted(results, key=lambda outcome: (outcome.start, outcome.end))


def _by_overlap(gold: Sequence[Key], found: Sequence[Key]) -> list[tuple[Key, Key]]:
    candidates = [
        (min(g.end, f.end) - max(g.start, f.start), g.type == f.type, g, f)
        for g in gold
        for f in found
        if g.start < f.end and f.start < g.end
    ]
    candidates.sort(key=lambda c: (-c[0], not c[1], c[2], c[3]))
    pairs: list[tuple[Key, Key]] = []
    taken: set[tuple[str, Key]] = set()
    for *_, g, f in candidates:
        if not taken & {("gold", g), ("found", f)}:
            pairs.append((g, f))
            taken |= {("gold", g), ("found", f)}
    return pairs


def _kind(gold: Key, found: Key) -> str:
    same_words, same_type = gold[:2] == found[:2], gold.type == found.type
    if same_words:
        return CORRECT if gold == found else "too long" if same_type else "wrong type"  # gold may be part of a word
    if not same_type:
        return "wrong type and boundary"
    if gold.start <= found.start and found.end <= gold.end:
        return "too short"
    return "too long" if found.start <= gold.start and gold.end <= found.end else "shifted"
