"""Approximate randomisation against enumeration of all swaps."""

import random
from itertools import product

import pytest

from polytag.scoring import approximate_randomisation


def f1(triples):
    correct, predicted, gold = map(sum, zip(*triples, strict=True))
    return 2 * correct / (predicted + gold)


def sentences(count, *, quality, seed):
    source = random.Random(seed)
    golds = [1 + i % 4 for i in range(count)]
    return [(sum(source.random() < quality for _ in range(gold)), gold, gold) for gold in golds]


def test_the_probability_is_that_of_all_swaps():
    a, b = sentences(8, quality=0.9, seed=1), sentences(8, quality=0.4, seed=2)
    observed, as_large = abs(f1(a) - f1(b)), 0
    for swaps in product([False, True], repeat=8):
        first = [y if swap else x for x, y, swap in zip(a, b, swaps, strict=True)]
        second = [x if swap else y for x, y, swap in zip(a, b, swaps, strict=True)]
        as_large += abs(f1(first) - f1(second)) >= observed - 1e-12
    assert approximate_randomisation(a, b) == pytest.approx(as_large / 2**8, abs=0.02)


def test_equal_taggers_differ_by_chance_and_unequal_ones_do_not():
    good, better = sentences(300, quality=0.7, seed=1), sentences(300, quality=0.9, seed=2)
    assert approximate_randomisation(good, good, trials=200) == 1
    assert approximate_randomisation(good, better, trials=999) == pytest.approx(1 / 1000)
    assert approximate_randomisation(good, better, trials=99) == approximate_randomisation(better, good, trials=99)


def test_other_sentences_are_refused():
    with pytest.raises(ValueError, match="expected the same sentences twice"):
        approximate_randomisation([(1, 1, 1)], [(1, 1, 2)])
    with pytest.raises(ValueError, match="expected the same sentences twice"):
        approximate_randomisation([(1, 1, 1)], [(1, 1, 1)] * 2)
    with pytest.raises(ValueError, match="expected at least 1 of each"):
        approximate_randomisation([], [])
