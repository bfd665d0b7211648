"""The error browser's sentences: gold above predicted in context, with what is wrong and where it stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from polytag.reports.cases import Case, Cases, Key
from polytag.reports.span_errors import CORRECT, Outcome

CONTEXT = 20  # words before the first and after the last thing shown, where a sentence is longer than LONGEST
LONGEST = 80  # words
NEVER = -1.0  # how sure the tagger is of a span that it did not find


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of words with its type (none: ""), how sure the tagger is, and whether it is wrong."""

    text: str
    type: str = ""
    probability: float | None = None
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One error of a sentence."""

    kind: str
    gold: str  # type, or ""
    found: str
    gold_text: str
    found_text: str
    probability: float | None


@dataclass(frozen=True, slots=True)
class Card:
    """One sentence: its rows of segments by name, its errors, and how sure the tagger was of its surest error."""

    number: int  # of the sentence in the file, from 1
    place: str
    rows: Sequence[tuple[str, Sequence[Segment]]]
    entries: Sequence[Entry]
    sure: float


@dataclass(frozen=True, slots=True)
class Browser:
    """The cards that are shown, in file order, of so many sentences with errors."""

    cards: Sequence[Card]
    sentences: int
    kinds: Sequence[str]
    gold_types: Sequence[str]
    found_types: Sequence[str]

    @property
    def is_cut(self) -> bool:
        """Whether there are more sentences with errors than cards."""
        return self.sentences > len(self.cards)


def browser(
    cases: Cases, found: Sequence[Sequence[Outcome]], *, most: int, sure: Sequence[float] | None = None
) -> Browser:
    """The sentences with errors; of more than ``most``, those with the errors that the tagger was surest of.

    ``sure`` says how sure it is that each sentence is wrong, instead of the probability of its surest wrong span.
    """
    wrong = [
        (number, case, errors)
        for number, (case, results) in enumerate(zip(cases.cases, found, strict=True), start=1)
        if (errors := [outcome for outcome in results if outcome.kind != CORRECT])
    ]
    surest = {number: _surest(case, errors) if sure is None else sure[number - 1] for number, case, errors in wrong}
    ranked = sorted(wrong, key=lambda item: (-surest[item[0]], item[0]))[:most]
    cards = [_card(cases, *item, surest[item[0]]) for item in sorted(ranked, key=lambda item: item[0])]
    entries = [entry for card in cards for entry in card.entries]
    return Browser(
        cards,
        sentences=len(wrong),
        kinds=_ordered(entry.kind for entry in entries),
        gold_types=_ordered(entry.gold for entry in entries),
        found_types=_ordered(entry.found for entry in entries),
    )


def segments(
    case: Case, keys: Sequence[Key], *, within: tuple[int, int], wrong: frozenset[Key], probable: bool, only_wrong: bool
) -> list[Segment]:
    """The words ``within`` two places, cut into spans and what lies between them.

    ``only_wrong`` shows spans that are not wrong as if they were none: of plain tags, every word has one.
    """
    first, last = within
    shown = [k for k in keys if k.end > first and k.start < last and (not only_wrong or k in wrong)]
    sure = dict(zip(case.found, case.probabilities, strict=False)) if probable else {}
    found, at = [], first
    for key in shown:
        if key.start > at:
            found.append(Segment(" ".join(case.words[at : key.start])))
        text = " ".join(case.words[max(key.start, first) : min(key.end, last)])
        found.append(Segment(text, key.type, sure.get(key), key in wrong))
        at = min(key.end, last)
    if at < last:
        found.append(Segment(" ".join(case.words[at:last])))
    return _with_dots(found, before=first > 0, after=last < len(case.words))


def window(length: int, places: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The words to show: all of them, or of a long sentence those around some places, a few times LONGEST at most."""
    if length <= LONGEST:
        return 0, length
    starts, ends = zip(*places, strict=True)
    first = max(0, min(starts) - CONTEXT)
    return first, min(length, max(ends) + CONTEXT, first + 3 * LONGEST)


def _card(cases: Cases, number: int, case: Case, errors: Sequence[Outcome], sure: float) -> Card:
    within = window(len(case.words), [(error.start, error.end) for error in errors])
    sides = {
        "gold": (case.gold, frozenset(e.gold for e in errors if e.gold), False),
        "predicted": (case.found, frozenset(e.found for e in errors if e.found), True),
    }
    rows = [
        (name, segments(case, keys, within=within, wrong=wrong, probable=probable, only_wrong=cases.plain))
        for name, (keys, wrong, probable) in sides.items()
    ]
    entries = [_entry(case, error, plain=cases.plain) for error in errors]
    return Card(number, case.place, rows, entries, sure)


def _entry(case: Case, error: Outcome, *, plain: bool) -> Entry:
    gold, found = error.gold, error.found
    return Entry(
        kind="wrong tag" if plain else error.kind,
        gold=gold.type if gold else "",
        found=found.type if found else "",
        gold_text=_text(case, gold),
        found_text=_text(case, found),
        probability=_probability(case, found),
    )


def _text(case: Case, key: Key | None) -> str:
    if key is None:
        return ""
    words = case.words[key.start : key.end]
    return " ".join(words[:CONTEXT]) + (" …" if len(words) > CONTEXT else "")


def _probability(case: Case, key: Key | None) -> float | None:
    if key is None or not case.probabilities:
        return None
    return case.probabilities[case.found.index(key)]


def _surest(case: Case, errors: Sequence[Outcome]) -> float:
    return max((p for error in errors if (p := _probability(case, error.found)) is not None), default=NEVER)


def _with_dots(found: list[Segment], *, before: bool, after: bool) -> list[Segment]:
    return [*([Segment("…")] if before else []), *found, *([Segment("…")] if after else [])]


def _ordered(names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name})
