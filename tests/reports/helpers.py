"""Cases made by hand or at random, without any model."""

from collections import Counter

from hypothesis import strategies as st

from polytag.corpus import schemes
from polytag.corpus.sentence import Span
from polytag.reports.cases import Case, Cases, keys

TYPES = ("LOC", "ORG", "PER")


def case(words: str, gold: str, found: str, *, line: int = 0, sure: float | None = None) -> Case:
    """A case from tags: those of spans in any scheme."""
    tags = tuple(gold.split()), tuple(found.split())
    spans = keys(tags[1], plain=False)
    return Case(
        words=tuple(words.split()),
        gold=keys(tags[0], plain=False),
        found=spans,
        gold_tags=tags[0],
        found_tags=tags[1],
        known=tuple(word.islower() for word in words.split()),
        probabilities=(sure,) * len(spans) if sure is not None else (),
        tag_probabilities=(sure,) * len(tags[1]) if sure is not None else (),
        source="news.conll",
        lines=range(line, line + len(tags[0])) if line else (),
    )


def plain_case(words: str, gold: str, found: str) -> Case:
    """A case of plain tags."""
    tags = tuple(gold.split()), tuple(found.split())
    return Case(
        tuple(words.split()), keys(tags[0], plain=True), keys(tags[1], plain=True), *tags, known=(True,) * len(tags[0])
    )


def cases(*found: Case, plain: bool = False, seen: Counter[tuple[str, ...]] | None = None, task: str = "ner") -> Cases:
    return Cases(task, plain, found, seen, sources=("news.conll",))


@st.composite
def tag_sequences(draw: st.DrawFn, *, length: int) -> tuple[str, ...]:
    """Well-formed tags of spans."""
    spans, at = [], 0
    while at < length:
        size = draw(st.integers(1, 3))
        if draw(st.booleans()) and at + size <= length:
            spans.append(Span(draw(st.sampled_from(TYPES)), at, at + size))
        at += size
    return schemes.write(spans, length, scheme="bioes")


@st.composite
def random_cases(draw: st.DrawFn) -> Cases:
    """One to five sentences of random words, gold and predicted tags."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        length = draw(st.integers(1, 9))
        words = draw(st.lists(st.sampled_from(["a", "b", "Lima", "Ann"]), min_size=length, max_size=length))
        gold, said = draw(tag_sequences(length=length)), draw(tag_sequences(length=length))
        found.append(case(" ".join(words), " ".join(gold), " ".join(said), sure=0.5))
    return cases(*found, seen=Counter({("Lima",): 3, ("a", "b"): 1}))
