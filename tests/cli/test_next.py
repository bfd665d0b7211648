"""What is said of texts that a model was not made for, and of what would help."""

import json
import re
from pathlib import Path

from tests.cli.conftest import run

LINE = "ÄÖ X O\nxÜx X O\n. X O\n\n"


def test_a_text_that_the_model_does_not_know_is_told(workplace: Path, trained: Path) -> None:
    assert run(f"pack {trained} -o packed.polytag").code == 0
    Path("german.conll").write_text(LINE * 200)
    words = "ner: unlike the text that the model was judged on, so its scores do not hold here; unknown words"
    for model in (trained, "packed.polytag"):
        for command in (f"evaluate {model} --task ner --data-file german.conll", f"tag {model} german.conll"):
            done = run(command)
            assert (done.code, done.err.count(words)) == (0, 1), done.err
            told = run(f"{command} --familiarity").err
            assert f"{words} 66.7 % (dev 0.0 %), unknown characters 83.33 % (dev 0.00 %), mean probability" in told
        assert words not in run(f"tag {model} test.conll").err
        assert "ner: unknown words 0.0 %" in run(f"tag {model} test.conll --familiarity").err
    several = run(f"tag {trained} german.conll --workers 2")
    assert several.err.count(words) == 1


def test_what_would_help_is_said_at_the_end(workplace: Path) -> None:
    done = run("train plan.toml -o model --task pos")
    assert (
        done.err.splitlines()[-1] == "next: no development data chose the epoch: name dev files, or set holdout = 0.1"
    )
    report = json.loads(Path("model/report.json").read_text())
    assert report["next"] == ["no development data chose the epoch: name dev files, or set holdout = 0.1"]
    counts = [of["count"] for of in report["labels"]["pos"].values()]
    assert sum(counts) == len([x for x in Path("train.conll").read_text().split("\n") if x])
    assert run("train plan.toml -o quiet --task pos --quiet").err == ""


def test_a_task_that_learns_no_type_ends_as_any(workplace: Path) -> None:
    Path("train.conll").write_text(re.sub(r"[BI]-\w+$", "O", Path("train.conll").read_text(), flags=re.MULTILINE))
    Path("dev.conll").write_text("Lima X B-LOC\nfell X O\n\n" * 120)  # enough of them for advice
    done = run("train plan.toml -o model --task ner")
    assert done.code == 0, done.err
    assert json.loads(Path("model/report.json").read_text())["scores"]["ner"]["dev"]["score"] == 0.0


def test_counts_of_a_text_that_are_none(workplace: Path, trained: Path) -> None:
    path = trained / "calibration.json"
    good = path.read_text()
    try:
        path.write_text(good.replace('"unknown_words": 0', '"unknown_words": -1'))
        assert (
            "calibration.json: damaged, expected a checksum and temperatures"
            in run(f"tag {trained} test.conll").sentence
        )
    finally:
        path.write_text(good)
