"""Pages of benchmarks keep what earlier runs had put there, and tell differences with their interval."""

import json
from pathlib import Path

import pytest
from scipy import stats

from benchmarks.page import merged, without
from benchmarks.recipe.__main__ import main
from benchmarks.recipe.differences import HEADING, section, welch

OLD = """# Scores

| row | task | seeds | dev | test |
|---|---|---|---|---|
| english small | english | 1, 2, 3 | 90.00 ± 1.00 | 80.00 ± 1.00 |
| chunks | chunks | 1 | 70.00 | 60.00 |
| dutch | dutch | 1, 2 | 50.00 | 40.00 |

## Processors

| processor |
|---|
| old |

Told.
"""


def test_rows_stay_where_the_new_page_has_none_or_fewer_seeds() -> None:
    new = OLD.replace("| 1 | 70.00 | 60.00 |", "| 1, 2 | 71.00 ± 0.10 |  |").replace("| old |", "| new |")
    new = new.replace("| 1, 2, 3 | 90.00", "| 1, 2 | 91.00").replace("| dutch | dutch ", "| english | english ")
    found = merged(OLD, new).splitlines()
    assert found[4:8] == [
        "| english small | english | 1, 2, 3 | 90.00 ± 1.00 | 80.00 ± 1.00 |",
        "| chunks | chunks | 1, 2 | 71.00 ± 0.10 |  |",  # other seeds: nothing of the old row
        "| english | english | 1, 2 | 50.00 | 40.00 |",
        "| dutch | dutch | 1, 2 | 50.00 | 40.00 |",
    ]
    assert found[9:] == ["## Processors", "", "| processor |", "|---|", "| new |", "| old |", "", "Told."]


def test_a_page_is_the_same_written_twice() -> None:
    assert merged(OLD, OLD) == merged("", OLD) == OLD


def test_cells_that_the_same_seeds_have_had_stay() -> None:
    new = OLD.replace("| 50.00 | 40.00 |", "|  | 41.00 |")
    assert "| dutch | dutch | 1, 2 | 50.00 | 41.00 |" in merged(OLD, new).splitlines()


def test_a_section_can_be_left_out() -> None:
    assert without(OLD, "## Processors") == OLD[: OLD.index("\n## Processors")]


def test_the_interval_is_that_of_scipy() -> None:
    one, other = [80.0, 82.0, 84.0], [85.0, 87.0]  # means 82 and 86, standard deviations 2 and 1.414
    interval = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert welch((82.0, 2.0, 3), (86.0, 2**0.5, 2)) == pytest.approx((interval.low, interval.high))


def test_differences_are_of_rows_with_several_seeds() -> None:
    rows = "| english | english | 1, 2, 3 | 91.00 ± 1.00 | 83.00 |\n| english, refit | english | 1 | 91.00 | 83.00 |\n"
    found = list(section(OLD.replace("| chunks |", rows + "| chunks |")))
    assert found[0] == HEADING
    # Both means have a variance of 1/3, four degrees of freedom: t(0.975) is 2.776.
    assert found[4:] == ["| english | english small | english | 3 and 3 | +1.00 (−1.27 to +3.27) |  |"]


def test_a_mean_without_several_seeds_has_no_interval() -> None:
    page = OLD.replace("| chunks |", "| english | english | 1 | 91.00 ± 1.00 | 83.00 |\n| chunks |", 1)
    assert list(section(page))[4:] == []


def test_tools_stand_side_by_side_on_the_seeds_that_all_have(tmp_path: Path) -> None:
    runs = [
        {
            "row": f"ewt, 3,000 sentences{more}",
            "seed": seed,
            "scores": {"ewt": {"test": 90.0 + seed}},
            "minutes": 1.0,
            "processor": "one",
        }
        for more, seeds in (("", (1, 2)), (", case augmentation", (2, 1, 3)), (", crfsuite", (1, 2, 3)))
        for seed in seeds
    ]
    (tmp_path / "runs.jsonl").write_text("\n".join(map(json.dumps, runs)))
    main(["--data", ".", "--results", str(tmp_path / "runs.jsonl"), "--markdown", str(tmp_path / "page.md")])
    page = (tmp_path / "page.md").read_text()
    each = "91.50 ± 0.71"
    assert f"| ewt, 3,000 sentences | test | 1, 2 | {each} |  | {each} | {each} |" in page
    assert "| polytag | crfsuite | ewt, 3,000 sentences: test | 2 and 2 |  | +0.00 (" in page
