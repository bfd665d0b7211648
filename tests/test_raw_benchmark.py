"""The rows of `python -m benchmarks.raw`: plans that can be read, steps that are shared, and a page of what was run."""

import json
from pathlib import Path

import pytest

from benchmarks.raw.__main__ import main
from benchmarks.raw.learning_on import NEW, OLD, ORGANISATIONS, _plan, _write
from benchmarks.raw.rows import METHODS, OF_CLUSTERS, ROWS
from polytag.plan_file import make_plan

MADE = {size: f"{size}.clusters" for size in OF_CLUSTERS}


@pytest.mark.parametrize("name", ROWS)
def test_each_row_is_a_plan(name: str) -> None:
    row = ROWS[name]
    made = {"vectors": "made.vec.gz"} if row.vectors in METHODS else MADE
    plan = make_plan(row.plan(1, made, draw=2))
    words = plan.words[row.language]
    assert (plan.size, plan.training.recipe, plan.tasks[row.language].rate_seed) == (row.size, "best", 14)
    assert (words.vectors is not None, words.clusters is not None) == (bool(row.vectors), row.clusters)


def test_teachers_are_shared_by_rows() -> None:
    assert ROWS["english 300 three distilled"].teacher.key == ROWS["english 300 labels"].key
    assert ROWS["dutch all everything"].teacher.key == ROWS["dutch all vectors + clusters"].key
    assert ROWS["english small of 3 paper"].teacher.key == ROWS["english paper"].key
    trained = [row.key for row in ROWS.values() if not row.crf]
    assert len(trained) - len(set(trained)) == 2  # vectors by PPMI are a method and a row of their own


@pytest.mark.parametrize("name", ORGANISATIONS)
def test_models_that_learn_on_are_plans(name: str, tmp_path: Path) -> None:
    plan = make_plan(_plan(name, tmp_path, 1))
    assert all(task.tags == "ner" for task in plan.tasks.values())


def test_new_sentences_mark_the_new_type_alone_and_old_ones_the_others(tmp_path: Path) -> None:
    for name in ("eng.train", "eng.testa", "eng.testb"):
        rows = "".join(f"w{n} N I-NP I-{t}\n" for n, t in enumerate(("PER", "LOC", "ORG", "MISC")))
        (tmp_path / name).write_text("-DOCSTART- -X- O O\n\n" + f"{rows}\n" * 400, encoding="utf-8")
    _write(tmp_path, tmp_path, 1)
    tags = {path.name: path.read_text(encoding="utf-8").split()[1::2] for path in tmp_path.glob("*.t*")}
    assert {tag[2:] for tag in tags["new.train"]} == {*NEW, ""}
    assert {tag[2:] for tag in tags["old.test"]} == {*OLD, ""}
    assert (len(tags["new.train"]), len(tags["old.train"]), len(tags["whole.train"])) == (1200, 400, 1600)


def test_the_page_has_means_over_seeds(tmp_path: Path) -> None:
    def run(row: str, seed: int, **scores: float) -> str:
        return json.dumps({"row": row, "seed": seed, "scores": scores, "minutes": 1.0, "processor": "one"})

    lines = [run("dutch 300 labels", 1, dev=50.0, test=60.0), run("dutch 300 labels", 2, dev=52.0, test=62.0)]
    lines += [run("old model", 1, **{"test PER+LOC": 90.0, "test ORG": 80.0})]
    (tmp_path / "runs.jsonl").write_text("\n".join(lines))
    main(["--results", str(tmp_path / "runs.jsonl"), "--markdown", str(tmp_path / "page.md")])
    page = (tmp_path / "page.md").read_text()
    assert "| dutch 300 labels | 1, 2 | 51.00 ± 1.41 | 61.00 ± 1.41 | 1.0 |" in page
    assert "| old model | 1 |  | PER+LOC 90.00, ORG 80.00 | 1.0 |" in page
