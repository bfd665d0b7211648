"""The table of goals: verdicts, failures, what the page says; the measurements run, on networks of a few units."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.goals import cli, layers, machine, processes, report, training
from benchmarks.goals.goals import AT_LEAST, AT_MOST, FAILED, FORMATS, GOALS, PASS, SHORT, Figure, Goal, Row, chosen
from benchmarks.goals.processes import MeasurementError, call, interleaved
from benchmarks.goals.products import LayerProducts, operations
from benchmarks.goals.run import MEASUREMENTS, rows_of
from benchmarks.goals.setting import Setting, repeated, with_new_words, words_in

SPEED = Goal("speed", "words per second", AT_LEAST, 20.0, "words/s", "bulk")
TIME = Goal("time", "seconds | of something", AT_MOST, 2.0, "s", "start")


@pytest.fixture
def threads() -> Iterator[None]:
    """What a measurement makes of the number of threads is undone."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def setting_in(directory: Path) -> Setting:
    return Setting(work=str(directory), data=None, given_model=None, quick=True)


def all_pass(group: str, setting: Setting) -> Mapping[str, Figure]:
    return {goal.name: Figure(goal.bound, f"note on {goal.name}") for goal in GOALS if goal.group == group}


def of_quick(options: list[str], tmp_path: Path, **replaced: object) -> tuple[int, dict, str]:
    files = ["--json", str(tmp_path / "new" / "goals.json"), "--markdown", str(tmp_path / "new" / "goals.md")]
    code = cli.main([*options, *files], tests=lambda: "none", **replaced)  # type: ignore[arg-type]
    directory = tmp_path / "new"
    return code, json.loads((directory / "goals.json").read_text()), (directory / "goals.md").read_text()


@pytest.mark.parametrize(
    ("goal", "measured", "verdict", "ratio"),
    [
        (SPEED, 20.0, PASS, 1.0),
        (SPEED, 30.0, PASS, 1.5),
        (SPEED, 19.9, SHORT, 0.995),
        (SPEED, 0.0, SHORT, None),
        (SPEED, math.nan, SHORT, math.nan),
        (SPEED, None, FAILED, None),
        (TIME, 2.0, PASS, 1.0),
        (TIME, 1.0, PASS, 2.0),
        (TIME, 2.5, SHORT, 0.8),
        (TIME, 0.0, PASS, None),  # nothing lost
        (TIME, -0.1, PASS, None),  # something won
        (TIME, math.nan, SHORT, math.nan),
        (TIME, None, FAILED, None),
    ],
)
def test_a_verdict_is_on_the_bound_s_side(
    goal: Goal, measured: float | None, verdict: str, ratio: float | None
) -> None:
    row = Row(goal, Figure(measured))
    assert row.verdict == verdict
    assert row.ratio == (None if ratio is None else pytest.approx(ratio, nan_ok=True))


def test_the_table_of_goals_is_sound() -> None:
    assert len({goal.name for goal in GOALS}) == len(GOALS)
    assert {goal.group for goal in GOALS} == set(MEASUREMENTS)
    assert {goal.unit for goal in GOALS} <= set(FORMATS)
    assert {goal.direction for goal in GOALS} == {AT_LEAST, AT_MOST}
    assert all(goal.bound > 0 for goal in GOALS)


def test_goals_are_chosen_by_name_or_by_measurement_in_the_table_s_order() -> None:
    assert chosen([]) == list(GOALS)
    assert [goal.name for goal in chosen(["help", "step-10"])] == ["step-10", "help"]
    assert [goal.name for goal in chosen(["loss"])] == ["loss-bfloat16", "loss-int8", "loss-small-int8"]
    with pytest.raises(ValueError, match="no goal 'bulky', expected some of step-32"):
        chosen(["bulky"])


def test_a_failing_measurement_is_told_in_its_rows_and_ends_nothing(tmp_path: Path) -> None:
    def measure(group: str, setting: Setting) -> Mapping[str, Figure]:
        if group == "memory":
            raise MeasurementError("killed by signal 9")
        return {} if group == "workers" else all_pass(group, setting)

    rows, others = rows_of(GOALS, setting_in(tmp_path), tell=lambda _: None, how=measure)
    verdicts = {row.goal.name: row.verdict for row in rows}
    failed = {name for name, verdict in verdicts.items() if verdict == FAILED}
    assert failed == {"memory-paper", "memory-small", "workers", "workers-small"}
    assert {verdict for name, verdict in verdicts.items() if name not in failed} == {PASS}
    assert next(row for row in rows if row.goal.name == "memory-small").figure.note == "killed by signal 9"
    assert set(others) == set(MEASUREMENTS)


def test_a_measurement_is_made_once_for_all_its_goals(tmp_path: Path) -> None:
    asked = []

    def measure(group: str, setting: Setting) -> Mapping[str, Figure]:
        asked.append(group)
        return all_pass(group, setting)

    rows_of(GOALS, setting_in(tmp_path), tell=lambda _: None, how=measure)
    assert asked == list(dict.fromkeys(goal.group for goal in GOALS))


def test_nothing_is_timed_where_the_tests_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = tmp_path / "test_wrong.py"
    wrong.write_text("def test_wrong(): assert 1 == 2\n")
    monkeypatch.setattr(cli, "TESTS", (str(wrong),))
    with pytest.raises(SystemExit, match="nothing is timed"):
        cli.main(["--only", "help"], how=lambda *_: pytest.fail("timed all the same"))


def test_the_tests_that_run_before_are_there() -> None:
    assert all((processes.REPOSITORY / name).exists() for name in cli.TESTS)


def test_page_and_data_say_what_was_measured_and_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, data, page = of_quick(["--quick", "--only", "help", "tasks"], tmp_path, how=all_pass)
    shown = capsys.readouterr().out
    assert code == 0
    assert [row["name"] for row in data["goals"]] == ["help", "tasks"]
    assert all(row["verdict"] == PASS and row["ratio"] == 1 for row in data["goals"])
    assert data["command"] == "python -m benchmarks.goals --quick --only help tasks"
    for said in ("0.30 s", "at most 1.15 x", "note on tasks", data["torch"], data["date"], "quick run", "small one"):
        assert said in page
        assert said in shown
    assert "| help | polytag --help | 0.30 s | at most 0.30 s | 1.00 | pass |" in page


def test_a_figure_that_is_missing_ends_in_code_1(tmp_path: Path) -> None:
    code, data, page = of_quick(["--quick", "--only", "help"], tmp_path, how=lambda *_: {"help": Figure(None, "why")})
    assert code == 1
    assert data["goals"][0]["verdict"] == FAILED
    assert "| help | polytag --help | - | at most 0.30 s | - | not measured |" in page
    assert "why" in page


def test_a_machine_that_is_not_quiet_is_told() -> None:
    assert report.warnings({"load_before": 0.0}, {"bulk": 0.0}) == []
    (load,) = report.warnings({"load_before": 1.5}, {"bulk": 0.0})
    assert "1.50" in load
    (busy,) = report.warnings({"load_before": 0.0}, {"bulk": 0.7, "start": 0.0})
    assert "bulk (0.70)" in busy


def test_work_of_one_s_own_is_not_that_of_others() -> None:
    watch = machine.Watch(began=machine.time.monotonic() - 10, busy=0.0, own=0.0)
    watch.busy, watch.own = machine._busy() - 6.0, machine._own() - 4.0
    assert watch.others() == pytest.approx(0.2, abs=0.1)


def test_a_command_is_told_without_paths() -> None:
    arguments = ["--data", "/home/x", "--model=/home/y", "--json", "z.json", "--markdown=z.md", "--only", "help"]
    assert cli.command(arguments) == "python -m benchmarks.goals --data DATA --model MODEL --only help"


def test_a_model_without_its_corpus_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parse(["--model", "somewhere"])
    assert "--model needs --data" in capsys.readouterr().err


def test_contenders_take_turns_and_one_that_fails_leaves() -> None:
    log: list[str] = []

    def contender(name: str, *, fails: bool = False) -> int:
        log.append(name)
        if fails:
            raise MeasurementError("broken")
        return len(log)

    results = interleaved(
        {"a": lambda: contender("a"), "b": lambda: contender("b", fails=True), "c": lambda: contender("c")}, rounds=3
    )
    assert log == ["a", "b", "c", "c", "a", "c", "a"]
    assert results["a"] == [1, 5, 7]
    assert str(results["b"]) == "broken"


def test_a_process_that_dies_or_errs_is_a_measurement_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert "OMP_NUM_THREADS" not in processes.environment()
    with pytest.raises(MeasurementError, match="KeyError: 'nowhere'"):
        call("benchmarks.goals.run:measure", group="nowhere", setting={})
    with pytest.raises(MeasurementError, match="killed by signal 6"):
        call("os:abort")
    with pytest.raises(MeasurementError, match="not done after 0 s"):
        call("signal:pause", timeout=0.2)


def test_products_are_all_those_of_a_layer() -> None:
    w, u, sizes = torch.randn(2, 5, 12), torch.randn(2, 4, 12), (3, 3, 2, 1)
    layer = LayerProducts(w, u, sizes)
    with FlopCounterMode(display=False) as counter:
        layer()
    assert counter.get_total_flops() == operations(w, u, sizes) == 36 * 4 * (5 + 4) * 9


def test_texts_are_repeated_and_made_of_new_words(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("-DOCSTART- O\n\n" + "".join(f"w{i} O\n" for i in range(30)) + "\nend O\n")
    assert words_in(source) == 31
    assert words_in(repeated(source, tmp_path / "repeated", copies=3)) == 93
    new = with_new_words(source, tmp_path / "new", size=5_000)
    text = new.read_text()
    words = [line.split()[0] for line in text.splitlines() if line and not line.startswith("-DOC")]
    assert 5_000 <= new.stat().st_size < 5_500
    assert text.endswith("O\n\n")
    unseen = set(words) - {f"w{i}" for i in range(30)} - {"end"}
    assert len(unseen) == pytest.approx(len(words) / 10, rel=0.2)
    other = with_new_words(source, tmp_path / "other", size=5_000, seed=1).read_text()
    assert not unseen & set(other.split())


def test_training_is_measured_for_each_batch_size(tmp_path: Path, threads: None) -> None:
    figures = {**training.steps(setting_in(tmp_path)), **layers.layers(setting_in(tmp_path))}
    assert set(figures) == {goal.name for goal in GOALS if goal.group in ("step", "layers")}
    assert all(figure.measured is not None and figure.measured > 0 for figure in figures.values())
    assert json.loads(json.dumps([dict(figure.details) for figure in figures.values()]))


@pytest.mark.usefixtures("quick_start")
def test_figures_come_back_from_a_process_of_their_own(tmp_path: Path) -> None:
    code, data, _ = of_quick(["--quick", "--only", "memory-training"], tmp_path)
    (row,) = data["goals"]
    assert code == 0
    assert row["measured"] == row["details"]["peak"] > 0
    assert row["details"]["steps"] > 0
