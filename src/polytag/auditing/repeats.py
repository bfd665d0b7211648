"""The same words more than once: annotated differently, copied within training, or in training and in dev or test."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from polytag.corpus.sentence import Sentence
from polytag.reports.cases import Case, line_of

LEAST_WORDS = 4  # of sentences that are compared: shorter ones come twice by chance
ODD = 3  # times as often the same words have another label, for one to be odd
NONE = "O"


class OddLabel(NamedTuple):
    """Words whose label here is rare; ``times`` of it and of the usual one are over all training sentences."""

    case: Case
    start: int
    end: int
    label: str
    usual: str
    times: int
    usual_times: int


class Copy(NamedTuple):
    """A sentence of ``split`` with the words of training sentences; ``same`` says whether all are annotated alike."""

    split: str
    words: tuple[str, ...]
    source: str
    line: int | None
    places: Sequence[str]  # of those training sentences
    same: bool


def odd_labels(cases: Iterable[Case]) -> list[OddLabel]:
    """Annotated spans, and their words in no span, that mostly have another label; the oddest first."""
    by_words: dict[tuple[str, ...], list[tuple[Case, int, str]]] = defaultdict(list)
    cases = list(cases)
    for case in cases:
        for key in case.gold:
            by_words[case.words[key.start : key.end]].append((case, key.start, key.type))
    longest = max(map(len, by_words), default=0)
    for case in cases:
        for start, end in _outside(case, longest):
            if (words := case.words[start:end]) in by_words:
                by_words[words].append((case, start, NONE))
    found = [odd for words, places in by_words.items() for odd in _odd(len(words), places)]
    return sorted(found, key=lambda odd: -odd.usual_times / odd.times)


def duplicates(cases: Iterable[Case]) -> list[Copy]:
    """Training sentences whose words stood in training before."""
    seen: dict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case in cases:
        seen[case.words].append(case)
    return [
        Copy("train", words, of[-1].source, line_of(of[-1]), [each.place for each in of[:-1]], _alike(of))
        for words, of in seen.items()
        if len(of) > 1 and len(words) >= LEAST_WORDS
    ]


def overlap(cases: Iterable[Case], others: Mapping[str, Sequence[Sentence]]) -> list[Copy]:
    """Sentences of other splits whose words are those of a training sentence."""
    seen: dict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case in cases:
        seen[case.words].append(case)
    return [
        Copy(split, other.words, other.source, line_of(other), [each.place for each in of], _alike(of))
        for split, sentences in others.items()
        for other in sentences
        if len(other) >= LEAST_WORDS and (of := seen.get(other.words))
    ]


def _alike(cases: Sequence[Case]) -> bool:
    return len({case.gold for case in cases}) == 1


def _outside(case: Case, longest: int) -> Iterator[tuple[int, int]]:
    """Stretches of up to so many words of which none is in an annotated span."""
    inside = {word for key in case.gold for word in range(key.start, key.end)}
    for start in range(len(case.words)):
        for end in range(start + 1, min(start + longest, len(case.words)) + 1):
            if end - 1 in inside:
                break
            yield start, end


def _odd(size: int, places: Sequence[tuple[Case, int, str]]) -> Iterator[OddLabel]:
    times = Counter(label for *_, label in places)
    usual, most = times.most_common(1)[0]
    for case, start, label in places:
        if most >= ODD * times[label]:
            yield OddLabel(case, start, start + size, label, usual, times[label], most)
