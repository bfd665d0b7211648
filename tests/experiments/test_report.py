"""Pages from results: every row is there, the empty ones with the command that fills them."""

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.catalogue import Catalogue
from experiments.queued import shortfalls
from experiments.results import append
from experiments.tables import mean_and_sd, signed
from experiments.training import Place
from tests.experiments.test_results import RESULT

pytest.importorskip("matplotlib")

from experiments.report import write_reports


@pytest.fixture
def filled(place: Place) -> Place:
    """Two seeds of one row, and a variant."""
    folder = place.catalogue.root / "toy"
    results = [
        RESULT,
        replace(RESULT, seed=2, test=89.5, best_on_test=91.0),
        replace(RESULT, row="ours@wide", test=90.0, best_on_test=91.25),
        replace(RESULT, vectors="senna", test=92.0, best_on_test=98.5),
    ]
    append(folder, results, lock=place.catalogue.root / "lock")
    return place


def pages(place: Place) -> dict[str, str]:
    return {
        str(path.relative_to(place.catalogue.root)): path.read_text(encoding="utf-8") for path in write_reports(place)
    }


def test_a_table_has_paper_and_measurement_side_by_side(filled: Place) -> None:
    page = pages(filled)["toy/README.md"]
    assert "| ours | 99.00 | 90.00 ± 1.41 | 89.00 ± 0.71 | 90.25 ± 0.00 | 3/3 | 1, 2 | ours | 12 |" in page
    assert "| ours | 99.00 | 98.50 | 92.00 | 90.25 | 3 | 1 | senna | 12 |" in page
    assert "| with vectors |  |  |  |  |  |  |  |  |" in page
    assert "python -m experiments run toy --row with-vectors --data DATA" in page
    assert "--row ours" not in page
    assert "* ours (ours): −9.00" in page
    assert "(senna): " not in page  # half a point below is not looked into
    assert "abc+" in page


def test_variants_stand_apart_with_what_they_gain_on_the_same_seeds(filled: Place) -> None:
    page = pages(filled)["toy/README.md"]
    assert "| ours | wide | 99.00 | 91.25 | 90.00 | 90.25 | 3 | 1 | ours | 12 | +1.50 |" in page
    assert "* `wide`: " in page
    assert "* `margin-0`: " not in page  # nothing was run with it


def test_a_difference_over_seeds_has_its_interval(filled: Place) -> None:
    root = filled.catalogue.root
    other = [replace(RESULT, row="with-vectors", seed=seed, test=90.0 + seed) for seed in (1, 2)]
    append(root / "toy", other, lock=root / "lock")
    page = pages(filled)["toy/README.md"]
    assert "| with vectors | ours | 2, 2 | +2.50 | " in page
    assert "## By chance?" not in page  # no model is there to count sentences by


def test_a_variant_of_a_joint_run_is_shown_for_each_of_its_tasks(filled: Place) -> None:
    root = filled.catalogue.root
    with (root / "toy" / "table.toml").open("a") as file:
        file.write('\n[[rows]]\nname = "of-pos"\nlabel = "its words"\ntask = "pos"\nrun = "toy/ours"\n')
    of_pos = [replace(RESULT, task="pos", test=70.0), replace(RESULT, row="ours@wide", task="pos", test=72.0)]
    append(root / "toy", of_pos, lock=root / "lock")
    page = pages(replace(filled, catalogue=Catalogue(root)))["toy/README.md"]
    (shown,) = [line for line in page.splitlines() if line.startswith("| its words | wide |")]
    assert shown.endswith("| +2.00 |")
    assert "| ours | wide | 99.00 |" in page


def test_the_overview_says_what_was_tried_where_the_paper_is_not_reached(filled: Place) -> None:
    page = pages(filled)["README.md"]
    assert "| [toy](toy/README.md) | ours | ours | 99.00 | 90.00 ± 1.41 | −9.00 | wide +2.25 |" in page
    assert "| ours | senna |" not in page


def test_a_cause_is_looked_for_where_the_page_says_that_the_paper_is_not_reached(place: Place) -> None:
    lock, folder = place.catalogue.root / "lock", place.catalogue.root / "toy"
    assert "toy/ours" not in shortfalls(place.catalogue)
    append(folder, [RESULT, replace(RESULT, seed=2, best_on_test=91.0)], lock=lock)
    assert shortfalls(place.catalogue)["toy/ours"] == pytest.approx(
        9.0
    )  # the mean of two seeds; of 50 nothing is short
    append(folder, [replace(RESULT, vectors="senna", best_on_test=98.5)], lock=lock)
    assert shortfalls(place.catalogue)["toy/ours"] == pytest.approx(0.5)


def test_a_quoting_table_shows_the_quoted_run_with_its_own_figure_of_the_paper(filled: Place) -> None:
    found = pages(filled)
    assert "| quoted | 50.00 | 90.00 ± 1.41 |" in found["quoting/README.md"]
    assert "| [Toy](toy/README.md) | 1 of 3 | 4 | 0.8 |" in found["README.md"]


def test_reports_are_the_same_each_time(filled: Place) -> None:
    first = pages(filled)
    picture = (filled.catalogue.root / "overview.svg").read_bytes()
    assert pages(filled) == first
    assert (filled.catalogue.root / "overview.svg").read_bytes() == picture


def test_the_overview_draws_our_recipe_beside_the_row(filled: Place) -> None:
    root = filled.catalogue.root
    pages(filled)
    without = (root / "overview.svg").read_bytes()
    append(root / "toy", [replace(RESULT, row="ours@best", best_on_test=95.0)], lock=root / "lock")
    pages(filled)
    assert (root / "overview.svg").read_bytes() != without


def test_without_any_result_there_are_pages_all_the_same(place: Place) -> None:
    found = pages(place)
    assert "| ours | 99.00 |  |" in found["toy/README.md"]
    assert "overview.svg" not in found["README.md"]


@pytest.mark.parametrize(("values", "text"), [([], ""), ([1.0], "1.00"), ([1.0, 3.0], "2.00 ± 1.41")])
def test_mean_and_sd(values: list[float], text: str) -> None:
    assert mean_and_sd(values) == text


def test_signs() -> None:
    assert (signed(0.5), signed(-0.2)) == ("+0.50", "−0.20")


def test_pages_name_no_place_of_this_machine(filled: Place) -> None:
    assert not any(str(Path.home()) in page or str(filled.runs) in page for page in pages(filled).values())
