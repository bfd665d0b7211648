"""Several trainings of a plan, tiny ones: seeds, folds, means and deviations; added to, resumed, refused."""

import json
import time
from pathlib import Path
from statistics import mean, stdev
from subprocess import Popen

import pytest

from polytag.errors import CorpusError, PlanError, PolytagError
from polytag.plan_file import load_plan
from polytag.runs import processes, repeat
from polytag.runs.repeats import resume
from polytag.runs.work import Run, train_all
from polytag.splits import split_sentences
from tests.cli.conftest import run as run_command
from tests.curves.test_curve import PLAN
from tests.training import toy

pytestmark = pytest.mark.usefixtures("quick_start")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a plan and its files."""
    folder = toy.write_all(tmp_path_factory.mktemp("runs"))
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return folder


def train(place: Path, line: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(place)
    return run_command(f"train {line}")


def test_seeds_are_trained_each_and_summed_up(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = train(place, "plan.toml -o seeds --task ner --seeds 1 2 --set training.epochs=3", monkeypatch)
    assert done.code == 0, done.err
    reports = [json.loads((place / "seeds" / f"seed{seed}" / "report.json").read_text()) for seed in (1, 2)]
    assert [report["seed"] for report in reports] == [1, 2]
    scores = [report["scores"]["ner"]["dev"]["score"] for report in reports]
    written = json.loads((place / "seeds" / "scores.json").read_text())
    assert written["scores"]["ner"]["dev"] == {
        "metric": "f1", "mean": pytest.approx(mean(scores)), "deviation": pytest.approx(stdev(scores)), "scores": scores
    }  # fmt: skip
    best = f"seed{1 + scores.index(max(scores))}"
    assert written["best"] == best
    head, dev, test, _, told = done.out.splitlines()
    assert head.split() == ["task", "split", "metric", "mean", "deviation", "seed1", "seed2"]
    assert dev.split() == ["ner", "dev", "f1", *(f"{n:.2f}" for n in (mean(scores), stdev(scores), *scores))]
    assert test.split()[:2] == ["ner", "test"]
    assert told == f"best on dev: seeds/{best}"
    assert run_command("show --all seeds/seed2").out.count("epochs = 3") == 1


def test_more_seeds_join_and_what_is_trained_is_not_trained_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = train(place, "plan.toml -o more --seeds 1 2", monkeypatch)
    time_ = (place / "more" / "seed1" / "report.json").stat().st_mtime_ns
    again = train(place, "--resume more", monkeypatch)
    assert again.out == first.out
    assert again.err == "2 of 2 trainings are done already\n"
    more = train(place, "plan.toml -o more --seeds 1 2 3 --jobs 2", monkeypatch)
    assert more.err == "2 of 3 trainings are done already\nseed3: started\n"
    assert "seed3" in more.out
    assert (place / "more" / "seed1" / "report.json").stat().st_mtime_ns == time_
    assert "plan.toml: training.epochs was 1 for the trainings here, now it is 2; name another directory" in (
        train(place, "plan.toml -o more --seeds 1 2 --set training.epochs=2", monkeypatch).sentence
    )
    assert "runs.json: folds was not given for the trainings here, now it is 2" in (
        train(place, "plan.toml -o more --seeds 1 2 --folds 2", monkeypatch).sentence
    )


def test_folds_hold_out_each_sentence_once(place: Path) -> None:
    found = repeat(
        place / "plan.toml", output=place / "folds", folds=3, tasks=["ner"], settings=["training.refit=true"]
    )
    assert [each.name for each in found.runs] == ["fold1", "fold2", "fold3"]
    assert found.best is None
    whole = [s.words for s in split_sentences(load_plan(place / "plan.toml"), "ner", "train")]
    held: list[tuple[str, ...]] = []
    for each in found.runs:
        plan = load_plan(each.directory / "plan.toml")
        train, dev = ([s.words for s in split_sentences(plan, "ner", split)] for split in ("train", "dev"))
        assert len(dev) in (5, 6)
        assert not plan.training.refit
        assert sorted(train + dev) == sorted(whole)
        held += dev
    assert sorted(held) == sorted(whole)


def test_more_folds_than_sentences_are_refused(place: Path) -> None:
    plan = load_plan(place / "plan.toml", settings=["tasks.ner.dev=none", "tasks.ner.fold=1/18"])
    with pytest.raises(CorpusError, match=r"en\.train: 17 sentences to cut into 18 folds, expected at least 18"):
        list(split_sentences(plan, "ner", "dev"))


def test_one_sentence_is_not_held_out(place: Path) -> None:
    (place / "one.conll").write_text("Lima NNP B-LOC\n", encoding="utf-8")
    held = ["tasks.ner.train=one.conll", "tasks.ner.dev=none", "tasks.ner.holdout=0.5"]
    with pytest.raises(CorpusError, match=r"one\.conll: 1 sentence to hold a share out of, expected at least 2"):
        list(split_sentences(load_plan(place / "plan.toml", settings=held), "ner", "dev"))


@pytest.mark.parametrize("fold", ["0/3", "4/3", "1/1"])
def test_folds_that_there_are_not_are_refused(place: Path, fold: str) -> None:
    with pytest.raises(PlanError, match=rf"fold '{fold}': expected K/N with K from 1 to N, and N of at least 2"):
        load_plan(place / "plan.toml", settings=["tasks.ner.dev=none", f"tasks.ner.fold={fold}"])


def test_a_killed_training_is_resumed(place: Path) -> None:
    output, long = place / "killed", ["training.epochs=80"]
    run = Run("seed1", place / "plan.toml", output / "seed1", [*long, "training.seed=1"])
    process = run.start(threads=1)
    while not run.epochs() and process.poll() is None:
        time.sleep(0.02)
    processes.close(process)  # its end of standard input, as when whoever started it is killed
    assert process.wait(20)
    assert not run.is_done
    said: list[str] = []
    found = repeat(place / "plan.toml", output=output, settings=long, seeds=[1], say=said.append)
    assert len(said) == 1
    assert said[0].startswith("seed1: resumed after epoch ")
    assert found.runs[0].epoch
    assert "resumed after epoch" in run.log.read_text()


def test_an_interrupt_ends_the_trainings_and_says_how_to_go_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    started: list[Popen[bytes]] = []
    begin = Run.start
    with monkeypatch.context() as patch:
        patch.setattr(Run, "start", lambda run, **more: started.append(begin(run, **more)) or started[-1])
        patch.setattr("polytag.runs.work._look", interrupted)
        done = train(place, "plan.toml -o stopped --seeds 1 2 --set training.epochs=99", patch)
    assert done.code == 130
    assert "interrupted; to go on: polytag train --resume stopped" in done.err
    assert [process.returncode is not None for process in started] == [True]


def test_a_training_may_be_stopped_by_its_epochs(place: Path) -> None:
    run = Run("long", place / "plan.toml", place / "long", ["training.epochs=1000", "training.patience=1000"])
    seen: list[int] = []
    ended: list[tuple[str, str]] = []

    def goes_on(run: Run, line) -> bool:
        seen.append(line["epoch"])
        return line["epoch"] < 2

    train_all(
        [run], jobs=1, say=lambda line: None, goes_on=goes_on, ended=lambda run, why: ended.append((run.name, why))
    )
    assert seen[:2] == [1, 2]
    assert ended == [("long", "")]
    assert not run.is_done


def test_a_training_that_fails_is_told_in_one_sentence(place: Path) -> None:
    with pytest.raises(PolytagError, match=r"seed1: the training failed: .*there is no 'absent'"):
        repeat(place / "plan.toml", output=place / "failed", seeds=[1, 2], settings=["words.en.vectors=absent"])


def test_damaged_files_are_told(place: Path) -> None:
    repeat(place / "plan.toml", output=place / "damaged", seeds=[1], tasks=["ner"])
    report = place / "damaged" / "seed1" / "report.json"
    report.write_text("{}")
    with pytest.raises(PolytagError, match=r"seed1.report\.json: the file is damaged"):
        resume(place / "damaged", say=lambda line: None)
    (place / "damaged" / "runs.json").write_text("[")
    with pytest.raises(PolytagError, match=r"runs\.json: the file is damaged"):
        resume(place / "damaged", say=lambda line: None)


WRONG = {
    "plan.toml -o new --seeds 3": (2, "--seeds 3: expected several, such as --seeds 1 2 3, or --seed"),
    "plan.toml -o new --seeds 1 2 1": (2, "--seeds: 1 is there twice, expected seeds unlike each other"),
    "plan.toml -o new --seeds 1 2 --seed 3": (2, "--seed and --seeds: expected one of them"),
    "plan.toml -o new --seeds 1 x": (2, "unexpected extra argument (x)"),
    "plan.toml -o new --folds 1": (2, "1 is not in the range"),
    "plan.toml -o new --folds 2 --set tasks.ner.epochs=1": (1, "unknown key 'tasks.ner.epochs'"),
    "plan.toml -o new --task xx --seeds 1 2": (1, "no task has dev or test files to score on"),
    "absent.toml -o new --seeds 1 2": (1, "the plan cannot be read"),
}


@pytest.mark.parametrize(("line", "expected"), WRONG.items(), ids=WRONG.keys())
def test_what_is_wrong_is_told_before_any_training(
    place: Path, monkeypatch: pytest.MonkeyPatch, line: str, expected: tuple[int, str]
) -> None:
    done = train(place, line, monkeypatch)
    assert done.code == expected[0]
    assert expected[1] in done.sentence
    assert not (place / "new").exists()


def test_the_last_line_of_an_empty_log_names_the_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n")
    assert processes.last_line(tmp_path / "log") == f"see {tmp_path / 'log'}"
