"""results.csv: what is written is read again, and epochs are chosen as the columns' names say."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.results import Result, append, latest, read_results, scores
from polytag.errors import PolytagError

RESULT = Result(
    row="ours", task="ner", seed=1, vectors="ours", dev=90.25, test=88.5, best_on_test=89.0, selected_epoch=3,
    best_on_test_epoch=4, epochs=7, minutes=12.5, commit="abc+", plan="toy/ours.toml", plan_checksum="1",
    vectors_checksum="2", data_checksum="3", machine='a "processor", with a comma', finished="2030-01-01",
)  # fmt: skip


def write_metrics(path: Path, dev: list[float] | None, test: list[float]) -> Path:
    lines = [
        {"dev": {} if dev is None else {"ner": dev[i]}, "test": {"ner": test[i]}, "loss": {"ner": 0.0}}
        for i in range(len(test))
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_what_is_appended_is_read_again(tmp_path: Path) -> None:
    without = replace(RESULT, task="pos", dev=None, test=None, best_on_test=None, best_on_test_epoch=None)
    append(tmp_path, [RESULT], lock=tmp_path / "lock")
    append(tmp_path, [without], lock=tmp_path / "lock")
    assert read_results(tmp_path) == [RESULT, without]


def test_of_a_run_done_twice_the_last_counts_and_both_stay(tmp_path: Path) -> None:
    again = replace(RESULT, test=91.0)
    append(tmp_path, [RESULT, replace(RESULT, seed=2), again], lock=tmp_path / "lock")
    assert len(read_results(tmp_path)) == 3
    assert latest(read_results(tmp_path)) == [again, replace(RESULT, seed=2)]


def test_a_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("row,score\nours,1\n")
    with pytest.raises(PolytagError, match=r"results.csv:1: columns"):
        read_results(tmp_path)


def test_a_value_of_another_kind_is_told_with_its_line(tmp_path: Path) -> None:
    append(tmp_path, [RESULT], lock=tmp_path / "lock")
    path = tmp_path / "results.csv"
    path.write_text(path.read_text().replace("90.25", "ninety"))
    with pytest.raises(PolytagError, match=r"results.csv:2: .*ninety"):
        read_results(tmp_path)


def test_the_epoch_is_chosen_on_dev_and_the_first_of_equals(tmp_path: Path) -> None:
    found = scores(write_metrics(tmp_path / "m", [1.0, 3.0, 3.0, 2.0], [5.0, 6.0, 7.0, 9.0]), "ner")
    assert (found["selected_epoch"], found["dev"], found["test"]) == (2, 3.0, 6.0)
    assert (found["best_on_test_epoch"], found["best_on_test"], found["epochs"]) == (4, 9.0, 4)


@pytest.mark.parametrize(("epoch", "chosen"), [(2, 2), (9, 3), (None, 3)])
def test_without_dev_the_epoch_is_named(tmp_path: Path, epoch: int | None, chosen: int) -> None:
    found = scores(write_metrics(tmp_path / "m", None, [5.0, 6.0, 4.0]), "ner", epoch=epoch)
    assert (found["selected_epoch"], found["dev"]) == (chosen, None)
    assert found["best_on_test"] == 6.0
