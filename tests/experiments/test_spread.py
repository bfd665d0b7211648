"""Differences over seeds, against the formula by hand."""

from dataclasses import replace

import pytest

from experiments.results import append
from experiments.training import Place
from tests.experiments.test_results import RESULT

pytest.importorskip("scipy")

from experiments.spread import spreads


def fill(place: Place, row: str, *scores: float, vectors: str = "ours") -> None:
    results = [replace(RESULT, row=row, seed=i, test=test, vectors=vectors) for i, test in enumerate(scores, 1)]
    append(place.catalogue.root / "toy", results, lock=place.catalogue.root / "lock")


def test_the_interval_is_that_of_welch(place: Place) -> None:
    fill(place, "ours", 80.0, 82.0, 84.0)
    fill(place, "with-vectors", 85.0, 87.0)
    (found,) = spreads(place.catalogue.table("toy"), place.catalogue)
    assert (found.row, found.against, found.seeds) == ("with-vectors", "ours", (2, 3))
    # Variances of the means 1 and 4/3, so (1 + 4/3)^2 / (1 + (16/9)/2) = 2.88 degrees of freedom: t(0.975) is 3.262.
    assert found.difference == pytest.approx(4.0)
    assert found.high - found.difference == pytest.approx(found.difference - found.low)
    assert found.high - found.difference == pytest.approx(3.262 * (1 + 4 / 3) ** 0.5, abs=0.01)
    assert 0.05 < found.probability < 0.1  # the interval of 95 % holds 0


def test_variants_meet_the_same_variant_and_vectors_the_same_vectors(place: Place) -> None:
    fill(place, "ours@wide", 80.0, 81.0)
    fill(place, "with-vectors@wide", 80.0, 81.5)
    fill(place, "with-vectors", 80.0, 81.5)  # nothing to compare with
    fill(place, "ours", 70.0, 71.5, vectors="senna")
    (found,) = spreads(place.catalogue.table("toy"), place.catalogue)
    assert (found.row, found.against) == ("with-vectors@wide", "ours@wide")


def test_a_partner_may_bring_vectors_of_its_own(place: Place) -> None:
    fill(place, "ours", 80.0, 82.0, vectors="none")
    fill(place, "with-vectors", 85.0, 87.0)
    (found,) = spreads(place.catalogue.table("toy"), place.catalogue)
    assert found.difference == pytest.approx(5.0)


def test_one_seed_says_nothing_of_others(place: Place) -> None:
    fill(place, "ours", 80.0, 82.0, 84.0)
    fill(place, "with-vectors", 85.0)
    assert list(spreads(place.catalogue.table("toy"), place.catalogue)) == []
