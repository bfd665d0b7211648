"""A search over settings, with trainings that take a moment: resumed, added to, stopped early, refused."""

import json
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import pytest

from polytag.errors import PlanError, PolytagError
from polytag.plan_file import load_plan
from polytag.runs.space import Dimension, default_space, dimension
from polytag.runs.tune import resume, tune
from polytag.runs.work import Run
from tests.cli.conftest import run as run_command
from tests.curves.test_curve import PLAN
from tests.training import toy

RATE = "training.learning_rate=0.001..0.1"
DROPOUT = "words.*.dropout=[0.0, 0.5]"


pytestmark = pytest.mark.usefixtures("quick_start")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a plan and its files."""
    folder = toy.write_all(tmp_path_factory.mktemp("tune"))
    plan = PLAN.replace("epochs = 1", "epochs = 2\nseed = 3")
    (folder / "plan.toml").write_text(plan, encoding="utf-8")
    return folder


def search(place: Path, line: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(place)
    return run_command(f"tune {line}")


def test_a_search_is_interrupted_goes_on_and_writes_the_winning_plan(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    started: list[Popen[bytes]] = []
    begin = Run.start
    with monkeypatch.context() as patch:
        patch.setattr(Run, "start", lambda run, **more: started.append(begin(run, **more)) or started[-1])
        patch.setattr("polytag.runs.work._look", interrupted)
        done = search(place, f"plan.toml -o out --task ner --trials 3 --vary {RATE} --vary '{DROPOUT}'", patch)
    assert done.code == 130
    assert "interrupted; to go on: polytag tune --resume out" in done.err
    assert [process.returncode is not None for process in started] == [True]

    done = search(place, "--resume out", monkeypatch)
    assert done.code == 0, done.err
    begun = [line for line in done.err.splitlines() if "learning_rate" in line]
    # The first is the plan itself, in the directory that the interrupt has left.
    assert begun[0] == "trial0: training.learning_rate=0.01 words.en.dropout=0.0 words.xx.dropout=0.0"
    assert len(begun) == 3
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["trial", "dev", "epochs", "training.learning_rate", "words.*.dropout"]
    assert {row[0] for row in rows[1:4]} == {line.partition(":")[0] for line in begun}
    trials = json.loads((place / "out" / "trials.json").read_text())
    assert [trial["dev"] for trial in trials] == sorted((trial["dev"] for trial in trials), reverse=True)
    best = trials[0]
    models = [path.parent.name for path in (place / "out").glob("*/report.json")]
    assert models == [best["trial"]]
    report = json.loads((place / "out" / best["trial"] / "report.json").read_text())
    assert report["scores"]["ner"]["dev"]["score"] == pytest.approx(best["dev"])
    found = load_plan(place / "out" / "best.toml")
    now = load_plan(place / "plan.toml", settings=best["settings"])
    assert found.model_copy(update={"search": ()}) == now.model_copy(update={"search": ()})
    assert found.find("en.train", "").exists()

    more = resume(place / "out", trials=4)
    assert len(json.loads((place / "out" / "trials.json").read_text())) == 4
    assert more.score >= best["dev"]
    with pytest.raises(PlanError, match=r"training\.epochs was 2 for the trainings here, now it is 3"):
        tune(place / "plan.toml", output=place / "out", vary=[RATE, DROPOUT], tasks=["ner"],
             settings=["training.epochs=3"])  # fmt: skip


def test_bad_trials_are_stopped_early(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such are those whose score lies below the median of the four before."""

    def epochs(run: Run) -> list[dict[str, object]]:
        good = int(run.name.removeprefix("trial")) < 4
        return [{"epoch": epoch, "selected": 90.0 if good else 10.0} for epoch in (1, 2)]

    with monkeypatch.context() as patch:
        patch.setattr(Run, "epochs", epochs)
        said: list[str] = []
        found = tune(place / "plan.toml", output=place / "stopped", trials=5, vary=[RATE], tasks=["ner"],
                     say=said.append)  # fmt: skip
    assert said[-1] == "trial4: stopped early, after epoch 2"
    assert found.score == 90.0
    trials = json.loads((place / "stopped" / "trials.json").read_text())
    assert [trial["dev"] for trial in trials] == [90.0] * 4 + [None]
    assert not (place / "stopped" / "trial4").exists()
    assert found.table.splitlines()[-1].split()[:3] == ["trial4", "stopped", "1"]


def test_the_first_training_must_not_fail(place: Path) -> None:
    with pytest.raises(PolytagError, match=r"trial0: the training failed: .*there is no 'absent'"):
        tune(place / "plan.toml", output=place / "failed", settings=["words.en.vectors=absent"], vary=[RATE])


def test_what_is_searched_by_default_holds_the_plan_itself(place: Path) -> None:
    plan = load_plan(place / "plan.toml")
    space = default_space(plan, lambda setting: True)
    assert [each.key for each in space] == [
        "training.learning_rate", "training.batch_sentences", "words.*.dropout", "tags.*.dropout", "size"
    ]  # fmt: skip
    assert [each.value_of(plan) for each in space[:4]] == [0.01, 4, 0.0, 0.0]
    assert [each.key for each in default_space(plan, lambda setting: False)][-1] == "tags.*.dropout"
    assert space[2].settings(0.12345, plan) == ["words.en.dropout=0.123", "words.xx.dropout=0.123"]


def test_a_size_that_lacks_a_layer_which_tasks_read_is_not_searched(place: Path) -> None:
    def changes(setting: str) -> bool:
        if setting != 'size="paper"':
            raise PlanError("tags.ner.layer: found 2, expected at most 1")
        return False

    keys = [each.key for each in default_space(load_plan(place / "plan.toml"), changes)]
    assert keys[-1] == "tags.*.dropout"


def test_ranges_and_choices_are_read() -> None:
    assert dimension("training.batch_sentences=4..16") == Dimension("training.batch_sentences", low=4, high=16)
    assert dimension('size = ["small", "paper"]') == Dimension("size", ("small", "paper"))
    assert str(dimension('size = ["small", "paper"]')) == 'size=["small", "paper"]'


@pytest.mark.parametrize(
    "text", ["size", "size=", "size=small", "size=[]", "a.=1..2", "a=2..1", "a=1..x", "a=true..2", "a=[[1], [2]]"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match=r"expected KEY=LOW\.\.HIGH or KEY=\[A, B\]"):
        dimension(text)


WRONG = {
    "plan.toml -o new --vary training.learning_rte=1..2": "learning_rte'; did you mean 'learning_rate'?",
    "plan.toml -o new --vary words.*.dropout=0..2": "words.en.dropout: input should be less than 1",
    "plan.toml -o new --vary training.*.dropout=0..2": "* stands for the names below chars, words, tags or tasks",
    "plan.toml -o new --task xx": "no task has dev files to choose by",
    "plan.toml -o new --task yy": "there is no task 'yy'",
    "absent.toml -o new": "the plan cannot be read",
    "en.train -o new --trials 0": "0 is not in the range",
}


@pytest.mark.parametrize(("line", "expected"), WRONG.items(), ids=WRONG.keys())
def test_what_is_wrong_is_told_before_any_training(
    place: Path, monkeypatch: pytest.MonkeyPatch, line: str, expected: str
) -> None:
    done = search(place, line, monkeypatch)
    assert done.code
    assert expected in done.sentence
    assert not (place / "new").exists()


def test_a_training_that_fails_later_is_no_end(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that diverges; it counts as a bad trial."""
    said: list[str] = []
    begin = Run.start

    def start(run: Run, **more: int | None) -> "Popen[bytes]":
        broken = replace(run, settings=["training.epochs=never"])
        return begin(run if run.name == "trial0" else broken, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "start", start)
        found = tune(place / "plan.toml", output=place / "broken", trials=2, vary=[RATE], say=said.append)
    assert said[-1].startswith("trial1: ")
    assert said[-1].endswith(
        "plan.toml: training.epochs: expected a whole number of at least 1, or 'auto', found 'never'"
    )
    assert found.model.name == "trial0"
    assert found.table.splitlines()[2].split()[:2] == ["trial1", "stopped"]
