"""Character spans, as annotation tools export them, to tags of words, which see nothing of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import NamedTuple

from polytag.corpus.sentence import CharSpan, Sentence, Span
from polytag.corpus.tag_rules import UNKNOWN
from polytag.tag_schemes import SCHEMES

_IOB2 = SCHEMES["iob2"]


class Offsets(NamedTuple):
    """Where a word stands: ``text[start:end]``."""

    start: int
    end: int


def located(text: str, tokens: Iterable[str]) -> list[Offsets]:
    """Where the given words stand in the text, one after the other.

    Raises:
        ValueError: a word does not occur after the one before it.
    """
    found, position = [], 0
    for token in tokens:
        start = text.find(token, position)
        if start < 0:
            raise ValueError(f"word '{token}' is not in the text after character {position}, expected it there")
        position = start + len(token)
        found.append(Offsets(start, position))
    return found


def tagged(
    words: Sequence[tuple[int, int]],
    spans: Sequence[CharSpan],
    *,
    unfit: Sequence[CharSpan] = (),
    unknown: Sequence[CharSpan] = (),
) -> tuple[tuple[str, ...], tuple[CharSpan, ...]]:
    """The tags of words in IOB2, and the spans that do not fit them: which begin or end within a word, or hold none.

    A word that such a span touches has the tag ``?``, unknown, and so has one that ``unfit`` spans touch, which fit no
    words whatever they are, and one that is in no span and ``unknown`` spans touch. Blanks at the ends of a span are no
    matter.
    """
    tags, misfits = ["O"] * len(words), list(unfit)
    for span in (*unfit, *unknown):
        first, last = touched(words, span)
        tags[first:last] = [UNKNOWN] * (last - first)
    for span in spans:
        first, last = touched(words, span)
        if first < last and words[first][0] >= span.start and words[last - 1][1] <= span.end:
            tags[first:last] = [f"{letter}-{span.type}" for letter in _IOB2.letters_of(last - first)]
        else:
            tags[first:last] = [UNKNOWN] * (last - first)
            misfits.append(span)
    return tuple(tags), tuple(misfits)


def misfit_note(span: CharSpan, text: str, words: Sequence[tuple[int, int]]) -> str:
    """What to say of a span that does not fit the words of its text."""
    first, last = touched(words, span)
    found = f"span {list(span)}, {text[span.start : span.end]!r:.60},"
    if first == last:
        return f"{found} holds no word; it counts as missed where taggers are scored"
    here = f"{text[words[first][0] : words[last - 1][1]]!r:.60}"
    return (
        f"{found} does not fit the words, {here}; they are unknown ({UNKNOWN}) in training, and the span counts as "
        "missed where taggers are scored"
    )


def is_scored(sentence: Sentence, task: str) -> bool:
    """Whether taggers can be scored on a sentence: all its tags are known, but those that misfits touch."""
    return UNKNOWN not in sentence.tags[task] or task in sentence.misfits


def as_scored(sentence: Sentence, task: str) -> Sentence:
    """A sentence as taggers are scored on it: words that misfits touch are in no span, so that none is found there."""
    if task not in sentence.misfits:
        return sentence
    tags = tuple(["O" if tag == UNKNOWN else tag for tag in sentence.tags[task]])
    return replace(sentence, tags={**sentence.tags, task: tags})


def missed(sentence: Sentence, task: str) -> list[Span]:
    """The misfits of a task, which no tagger finds, each as the words that it touches."""
    return [Span(span.type, *touched(sentence.offsets, span)) for span in sentence.misfits.get(task, ())]


def touched(words: Sequence[tuple[int, int]], span: CharSpan) -> tuple[int, int]:
    """The first word, of those at these places, that a span touches, and the one after the last."""
    return bisect_right(words, span.start, key=itemgetter(1)), bisect_left(words, span.end, key=itemgetter(0))
