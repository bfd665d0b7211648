"""Operating points are what tagging with such a least probability gives; the chosen one has the wanted precision."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus.schemes import spans
from polytag.errors import PolytagError
from polytag.tagger.operating import LEAST, OperatingPoints
from polytag.tagger.tagging import Tagger
from tests import tiny


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return tiny.tagger({"ner": "iob2", "pos": "plain"})


def test_they_are_what_tagging_gives(tagger: Tagger) -> None:
    gold = list(tagger.tag_all(tiny.texts(40), min_probability=0.2))  # the tagger's own tags, but for what is unsure
    points = OperatingPoints.of(tagger, gold, "ner")
    for least in LEAST:
        found = tagger.tag_all(tiny.texts(40), min_probability=least)
        counts = points.at(least)
        pairs = [(set(spans(a.tags["ner"])), set(spans(b.tags["ner"]))) for a, b in zip(gold, found, strict=True)]
        assert counts.gold == sum(len(a) for a, _ in pairs)
        assert counts.predicted == sum(len(b) for _, b in pairs)
        assert counts.correct == sum(len(a & b) for a, b in pairs)
    with pytest.raises(PolytagError, match="are no spans"):
        OperatingPoints.of(tagger, gold, "pos")


@given(st.lists(st.tuples(st.integers(0, 10), st.booleans()), max_size=30), st.floats(0, 100))
def test_the_chosen_one_has_the_precision_and_the_most_recall(found: list[tuple[int, bool]], wanted: float) -> None:
    found.sort(reverse=True)
    points = OperatingPoints(np.array([p / 10 for p, _ in found]), np.array([r for _, r in found], bool), 30)
    possible = {p / 10: points.at(p / 10) for p, _ in found}
    good = [least for least, tally in possible.items() if tally.precision >= wanted]
    assert points.least_for(wanted) == (min(good) if good else None)
