"""The rows of `python -m benchmarks.recipe`: plans that can be read, and a page of what was run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.recipe.__main__ import main
from benchmarks.recipe.elsewhere import score, sentences_of
from benchmarks.recipe.rows import AFRICAN, ROWS
from benchmarks.recipe.votes import vote, voted
from polytag.plan_file import make_plan


@pytest.mark.parametrize("name", ROWS)
def test_each_row_is_a_plan(name: str) -> None:
    plan = make_plan(ROWS[name].plan())
    assert list(plan.tasks) == list(ROWS[name].tasks)
    assert plan.training.recipe == "best"


def test_the_page_has_means_over_seeds(tmp_path: Path) -> None:
    def run(row: str, seed: int, **test: float) -> str:
        scores = {task: {"dev": 50.0, "test": score} for task, score in test.items()}
        if row == "dutch" and seed == 1:  # later runs have more
            scores["dutch"]["test consistent"] = 82.0
        return json.dumps({"row": row, "seed": seed, "scores": scores, "minutes": 1.0, "processor": "one"})

    lines = [run("dutch", 1, dutch=80.0), run("dutch", 2, dutch=82.0)]
    lines += [run(f"masakhaner {code}", 1, **{code: 60.0 + i}) for i, code in enumerate(AFRICAN)]
    (tmp_path / "runs.jsonl").write_text("\n".join(lines))
    main(["--data", ".", "--results", str(tmp_path / "runs.jsonl"), "--markdown", str(tmp_path / "page.md")])
    page = (tmp_path / "page.md").read_text()
    assert "| dutch | dutch | 1, 2 | 50.00 ± 0.00 | 81.00 ± 1.41 |  | 82.00 | 85.5 | paper 85.00 | 1.0 |" in page
    assert "| MasakhaNER, mean of ten | each alone | 1 | 50.00 | 64.50 |  |  |" in page


def test_votes_are_scored_beside_the_runs(tmp_path: Path) -> None:
    row = replace(ROWS["dutch"], name="tiny")
    (tmp_path / "conll2002").mkdir()
    for split in ("train", "testa", "testb"):
        (tmp_path / "conll2002" / f"ned.{split}").write_text("Ann N B-PER\nLee N I-PER\nsaw V O\nOslo N B-LOC\n\n")
    said = {1: "B-PER I-PER O O", 2: "B-PER O O B-LOC", 3: "O I-PER O B-LOC"}
    for seed, tags in said.items():
        runs = {"dutch": {split: [tags.split()] for split in ("dev", "test")}}
        (tmp_path / f"tiny.{seed}.json").write_text(json.dumps(runs))
    found = vote(row, tmp_path, tmp_path)
    assert (found["votes"], found["row"]) == ([1, 2, 3], "tiny, votes of 3 seeds")
    # B-PER, S-PER and O once each: the first seed's; E-PER, O and S-PER; S-LOC twice.
    assert found["scores"] == {"dutch": {"dev": 100.0, "test": 100.0}}
    assert voted([["O", "S-LOC"], ["S-PER", "O"], ["S-PER", "O"]]) == ["S-PER", "O"]


def test_types_of_another_domain_are_read_as_the_corpus_has_them(tmp_path: Path) -> None:
    (tmp_path / "twitter").mkdir()
    lines = ["@you\tO", "Ann\tB-person", "Lee\tI-person", "Oslo\tB-geo-loc", "FC\tB-sportsteam", "Up\tB-movie"]
    (tmp_path / "twitter" / "ner.txt").write_text("\n".join(lines) + "\n")
    (sentence,) = sentences_of("english", "tweets", tmp_path)
    assert sentence.tags["english"] == ("O", "B-PER", "I-PER", "B-LOC", "B-ORG", "B-MISC")
    assert score("english", [sentence], lambda given: given) == 100.0


def test_tasks_of_a_language_share_its_words_and_rates_have_draws_of_their_own() -> None:
    plan = make_plan(ROWS["chunks, entities, parts of speech from the lower layer"].plan(2))
    assert list(plan.words) == ["english"]
    assert [plan.layer_of(task) for task in plan.tasks] == [2, 2, 1]
    assert (plan.training.select, plan.training.seed) == ("chunks", 2)
    tasks = make_plan(ROWS["spanish, 10% of labels, with english"].plan(2)).tasks
    assert (tasks["spanish"].rate, tasks["spanish"].rate_seed, tasks["english"].rate) == (0.1, 14, 1.0)
