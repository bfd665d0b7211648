"""The rows of `python -m benchmarks.recipe`: plans that can be read, and a page of what was run."""

import json
from pathlib import Path

import pytest

from benchmarks.recipe.__main__ import main
from benchmarks.recipe.rows import AFRICAN, ROWS
from polytag.plan_file import make_plan


@pytest.mark.parametrize("name", ROWS)
def test_each_row_is_a_plan(name: str) -> None:
    plan = make_plan(ROWS[name].plan())
    assert list(plan.tasks) == list(ROWS[name].tasks)
    assert plan.training.recipe == "best"


def test_the_page_has_means_over_seeds(tmp_path: Path) -> None:
    def run(row: str, seed: int, **test: float) -> str:
        scores = {task: {"dev": 50.0, "test": score} for task, score in test.items()}
        return json.dumps({"row": row, "seed": seed, "scores": scores, "minutes": 1.0, "processor": "one"})

    lines = [run("dutch", 1, dutch=80.0), run("dutch", 2, dutch=82.0)]
    lines += [run(f"masakhaner {code}", 1, **{code: 60.0 + i}) for i, code in enumerate(AFRICAN)]
    (tmp_path / "runs.jsonl").write_text("\n".join(lines))
    main(["--data", ".", "--results", str(tmp_path / "runs.jsonl"), "--markdown", str(tmp_path / "page.md")])
    page = (tmp_path / "page.md").read_text()
    assert "| dutch | dutch | 1, 2 | 50.00 ± 0.00 | 81.00 ± 1.41 | 85.5 | paper 85.00 | 1.0 |" in page
    assert "| MasakhaNER, mean of ten | each alone | | | 64.50 |" in page
