"""Comparisons of two runs, and the vectors of names, on toy models."""

import numpy as np
import pytest

from experiments import countries
from experiments.catalogue import HERE, Table
from experiments.countries import character_vectors, neighbours, pairs
from experiments.queued import stages_of
from experiments.results import read_results
from experiments.significance import comparisons, counts
from experiments.supervisor import supervise
from experiments.training import Place, Run, directory
from polytag.tagger.tagging import Tagger


@pytest.mark.usefixtures("quick_start")
def test_rows_are_compared_on_the_same_sentences_and_what_was_computed_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = stages_of("toy", place.catalogue, rows=["ours", "with-vectors"])
    assert len(supervise(place, stages, jobs=2, say=lambda _: None).done) == 2
    table: Table = place.catalogue.table("toy")
    (found,) = comparisons(table, place)
    assert (found.row, found.against, found.task, found.seeds) == ("with-vectors", "ours", "ner", "1")
    assert 0 < found.probability <= 1
    scores = {result.row: result.test for result in read_results(place.catalogue.root / "toy")}
    assert found.difference == pytest.approx(scores["with-vectors"] - scores["ours"], abs=0.011)

    counted = counts(Run("toy/ours", 1), "ner", place)
    tagger = Tagger.load(directory(Run("toy/ours", 1), place))
    assert len(counted) == 8
    elsewhere = Place(place.catalogue, place.runs / "nothing-here")
    assert comparisons(table, elsewhere) == [found]

    wide = stages_of("toy", place.catalogue, rows=["ours", "with-vectors"], variants=["wide"])
    supervise(place, wide, jobs=2, say=lambda _: None)
    same, of_variant = comparisons(table, place)
    assert same == found
    assert (of_variant.row, of_variant.against) == ("with-vectors@wide", "ours@wide")

    again = stages_of("toy", place.catalogue, rows=["ours", "with-vectors"], seeds=[2])
    supervise(place, again, jobs=2, say=lambda _: None)
    first, second, both, _ = comparisons(table, place)
    assert [c.seeds for c in (first, second, both)] == ["1", "2", "1 2"]
    assert first == found
    assert both.difference == pytest.approx(_f1_of_both("with-vectors", place) - _f1_of_both("ours", place), abs=0.01)
    assert comparisons(table, elsewhere) == [first, second, both, of_variant]

    vectors = character_vectors(tagger, "ner", ["Lima", "Oslo", "Lima"])
    assert vectors.shape == (3, 8)
    assert (vectors[0] == vectors[2]).all()
    assert (vectors[0] != vectors[1]).any()

    monkeypatch.setattr(countries, "MEASURED", {"one for both": (("toy/ours", "ner"), ("toy/ours", "ner"))})
    folder = place.catalogue.root
    (folder / countries.NAMES).write_text("english,spanish\nLima,Lima\nOslo,Oslos\nRome,Roma\n")
    keys = [("one for both", "1"), ("one for both", "2"), (countries.NOT_TRAINED, "")]
    assert list(countries.measure(folder, place)) == keys
    shown = countries.table(folder)
    assert [tuple(line.split(" | ")[:2]) for line in shown.splitlines()[2:]] == [(f"| {a}", b) for a, b in keys]
    assert list(countries.measure(folder, elsewhere)) == keys[-1:]
    assert countries.table(folder) == shown


def _f1_of_both(row: str, place: Place) -> float:
    all_counts = [triple for seed in (1, 2) for triple in counts(Run(f"toy/{row}", seed), "ner", place)]
    correct, predicted, gold = (sum(column) for column in zip(*all_counts, strict=True))
    return 200 * correct / (predicted + gold)


def test_neighbours_by_hand() -> None:
    english = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    spanish = np.array([[2.0, 0.1], [0.9, 0.1]], dtype=np.float32)
    # Of English 0 the nearest Spanish one is 1, of English 1 it is 1; of both Spanish ones it is English 0.
    assert neighbours(english, spanish, cosine=False, both=False).tolist() == [False, True, True, False]
    assert neighbours(english, spanish, cosine=True, both=False).tolist() == [True, True, True, False]
    assert neighbours(english, english, cosine=False, both=True).all()


def test_country_names_are_whole() -> None:
    names = pairs(HERE / "figure3")
    assert len(names) > 100
    for language in zip(*names, strict=True):
        assert len(set(language)) == len(language)
        assert all(name == name.strip() and " " not in name for name in language)
