"""Samples of sentences: shares, nesting, the authors' own draw, and held-out parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus.sampling import holdout, sample
from polytag.errors import CorpusError, PlanError

SIZES = st.integers(1, 200)
RATES = st.floats(0.001, 1.0)
SEEDS = st.integers(0, 100)


@given(SIZES, RATES, RATES, SEEDS)
def test_lower_rates_are_nested_in_higher_ones(n, one, other, seed):
    low, high = (sample(n, rate, seed=seed) for rate in sorted((one, other)))
    assert set(low) <= set(high)
    assert low == sorted(set(low))
    assert len(high) == max(1, round(max(one, other) * n))
    assert set(high) <= set(range(n))


def test_rate_one_keeps_every_sentence_in_order():
    assert sample(50, 1.0, seed=3) == list(range(50))


def test_seeds_draw_different_sentences_and_repeat_themselves():
    assert sample(1000, 0.1, seed=1) == sample(1000, 0.1, seed=1) != sample(1000, 0.1, seed=2)


@pytest.mark.parametrize("rate", [0.1, 0.3, 1.0])
def test_with_replacement_is_the_authors_draw(rate):
    expected = np.random.RandomState(13).choice(14041, int(rate * 14041))
    drawn = sample(14041, rate, replacement=True)
    assert drawn == expected.tolist()
    assert len(set(drawn)) < len(drawn)


@given(st.integers(2, 200), st.floats(0.001, 0.999), SEEDS)
def test_holdout_splits_in_two(n, fraction, seed):
    train, dev = holdout(n, fraction, seed=seed)
    assert sorted(train + dev) == list(range(n))
    assert (train, dev) == (sorted(train), sorted(dev))
    assert abs(len(dev) - fraction * n) <= 1
    assert train
    assert dev
    assert (train, dev) == holdout(n, fraction, seed=seed)


@pytest.mark.parametrize("rate", [0, -0.1, 1.5, float("nan")])
def test_impossible_rates_are_refused(rate):
    with pytest.raises(PlanError, match="expected one above 0 and at most 1"):
        sample(10, rate, seed=1)
    with pytest.raises(PlanError, match="expected one between 0 and 1"):
        holdout(10, rate, seed=1)


def test_nothing_to_draw_from_is_refused():
    with pytest.raises(CorpusError, match="expected at least 1"):
        sample(0, 0.5, seed=1)
    with pytest.raises(CorpusError, match="expected at least 2"):
        holdout(1, 0.5, seed=1)
