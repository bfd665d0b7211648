"""What the loop yields, which epoch it keeps, when it ends, and that it learns."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from polytag import Tagger, load, native, train
from polytag.errors import PlanError
from polytag.model import Model
from polytag.plan import Plan
from polytag.scoring import Counts
from polytag.training import Evaluation, Note, Step, Trained, Trainer, prepare, train_events
from polytag.training.torch_network import arrays_of, tensors_of
from tests.training import toy

# Loss of 20 steps with fixed seeds: a change that should not alter numbers must not change these.
GOLDEN = {
    "adagrad": [
        27.9736, 23.1774, 21.0153, 28.9723, 22.8742, 36.6327, 16.9883, 25.0932, 34.9505, 26.7296,
        31.2437, 36.3731, 22.3316, 26.5967, 20.6404, 28.5306, 19.1044, 21.5536, 13.3573, 24.6791,
    ],
    "adam": [
        27.9736, 23.1773, 21.0148, 28.9697, 22.8652, 36.6132, 16.9518, 25.0475, 34.8139, 26.6479,
        31.0988, 36.1332, 22.1771, 26.3994, 20.4250, 28.1914, 18.8757, 21.0071, 13.0057, 24.1715,
    ],
}  # fmt: skip


def events_of(plan: Plan, output: Path) -> list[Any]:
    return [event for event in train_events(plan, output=output) if not isinstance(event, Note | Trained)]


def with_scores(trainer: Trainer, dev: list[dict[str, float]], test: list[dict[str, float]] | None = None) -> None:
    """Let the trainer find these scores, epoch by epoch."""
    queue = {"dev": list(dev), "test": list(test or [])}

    class Fixed:
        def __init__(self, score: float) -> None:
            self.score = score

    def scores(split: str) -> dict[str, Any]:
        return {task: Fixed(score) for task, score in queue[split].pop(0).items()}

    trainer.scores = scores  # type: ignore[method-assign]


def evaluations(trainer: Trainer) -> list[Evaluation]:
    trainer.output.mkdir(exist_ok=True)
    return [event for event in trainer.events() if isinstance(event, Evaluation)]


def trainer_of(corpora: Path, output: Path, *tasks: str, **training: Any) -> Trainer:
    return Trainer(prepare(toy.plan(corpora, *tasks, **training)), output)


@pytest.mark.parametrize("optimizer", GOLDEN)
def test_the_loss_curve_is_the_golden_one(corpora: Path, tmp_path: Path, optimizer: str) -> None:
    trainer = trainer_of(corpora, tmp_path, "ner", "xx", optimizer=optimizer, epochs=3)
    losses = [event.loss for event in trainer.events() if isinstance(event, Step)][:20]
    assert losses == pytest.approx(GOLDEN[optimizer], rel=1e-4)


@pytest.mark.skipif(not native.supports("bfloat16"), reason="this machine has no instructions for bfloat16")
def test_bfloat16_learns_as_float32_does_and_leaves_float32_weights(corpora: Path, tmp_path: Path) -> None:
    losses = {}
    for precision in ("float32", "bfloat16"):
        trainer = trainer_of(corpora, tmp_path, "ner", "xx", precision=precision, epochs=3)
        losses[precision] = [event.loss for event in trainer.events() if isinstance(event, Step)]
        assert {parameter.dtype for parameter in trainer.network.parameters()} == {torch.float32}
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.02)


def test_steps_are_numbered_and_say_what_they_trained_on(corpora: Path, tmp_path: Path) -> None:
    events = events_of(toy.plan(corpora, "ner", "xx"), tmp_path / "model")
    steps = [event for event in events if isinstance(event, Step)]
    assert [step.step for step in steps] == list(range(1, 21))
    assert {step.steps for step in steps} == {20}
    assert [step.task for step in steps] == ["ner", "xx"] * 10
    assert [step.epoch for step in steps] == [1] * 10 + [2] * 10
    words = sum(len(s) for s in prepare(toy.plan(corpora, "ner")).sentences["ner"]["train"])
    assert sum(step.words for step in steps if step.task == "ner") == 2 * words
    assert [type(event) for event in events].index(Evaluation) == 10


def test_the_loss_of_an_epoch_is_the_mean_over_its_sentences(corpora: Path, tmp_path: Path) -> None:
    trainer = trainer_of(corpora, tmp_path, "ner", epochs=1)
    turns = trainer._turns(0)
    *steps, evaluation = trainer.events()
    total = sum(step.loss * len(turn.sentences) for step, turn in zip(steps, turns, strict=True))  # type: ignore[union-attr]
    assert isinstance(evaluation, Evaluation)
    assert evaluation.loss["ner"] == pytest.approx(total / 17)


def test_one_seed_one_model(corpora: Path, tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        train(toy.plan(corpora, "ner", seed=seed, optimizer="adam"), output=tmp_path / name)
    first, again, other = ((tmp_path / n / "weights.safetensors").read_bytes() for n in ("first", "again", "other"))
    assert first == again != other


def test_dropout_and_training_leave_the_caller_s_random_state_alone(corpora: Path, tmp_path: Path) -> None:
    tables = toy.tables("ner", search=corpora, epochs=1)
    tables["words"]["en"]["dropout"] = 0.5
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    results = []
    for name in ("first", "again"):
        results.append(events_of(toy.make_plan(tables), tmp_path / name)[:-1])
        assert torch.equal(torch.random.get_rng_state(), before)
        torch.rand(3)  # and what the caller draws does not reach the training
        before = torch.random.get_rng_state()
    assert results[0] == results[1]
    losses = [step.loss for step in results[0]]
    tables["words"]["en"]["dropout"] = 0.0
    assert [step.loss for step in events_of(toy.make_plan(tables), tmp_path / "none")[:-1]] != losses


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_the_network_learns_a_toy_task_perfectly(corpora: Path, tmp_path: Path, optimizer: str) -> None:
    tables = toy.tables("ner", search=corpora, optimizer=optimizer, learning_rate=0.05, epochs=25, margin=1.0)
    for split in ("dev", "test"):
        tables["tasks"]["ner"][split] = "en.train"
    tagger = train(toy.make_plan(tables), output=tmp_path / "model")
    report = json.loads((tmp_path / "model" / "report.json").read_text())
    assert report["scores"]["ner"]["test"]["score"] == 100
    for sentence in toy.sentences(17, seed=1):
        tagged = tagger.tag(sentence.words)
        assert tagged.tags["ner"] == sentence.tags["ner"]
        assert tagged.spans("ner") == sentence.spans("ner")


def test_the_epoch_with_the_best_mean_is_kept(corpora: Path, tmp_path: Path) -> None:
    trainer = trainer_of(corpora, tmp_path, "ner", "xx", epochs=4)
    with_scores(trainer, [{"ner": 10, "xx": 10}, {"ner": 30, "xx": 10}, {"ner": 10, "xx": 30}, {"ner": 39, "xx": 0}])
    found = evaluations(trainer)
    assert [e.selected for e in found] == [10, 20, 20, 19.5]
    assert [e.is_best for e in found] == [True, True, False, False]  # among equals the first
    assert trainer.progress.best_epoch == 2


def test_the_epoch_may_be_chosen_by_one_task(corpora: Path, tmp_path: Path) -> None:
    trainer = trainer_of(corpora, tmp_path, "ner", "xx", epochs=3, select="xx")
    with_scores(trainer, [{"ner": 99, "xx": 1}, {"ner": 0, "xx": 3}, {"ner": 100, "xx": 2}])
    assert [e.selected for e in evaluations(trainer)] == [1, 3, 2]
    assert trainer.progress.best_epoch == 2


def test_a_task_without_development_data_cannot_choose(corpora: Path) -> None:
    tables = toy.tables("ner", "xx", search=corpora, select="xx")
    del tables["tasks"]["xx"]["dev"]
    with pytest.raises(PlanError, match=r"training\.select: the task 'xx' has no development data"):
        toy.make_plan(tables)


def test_patience_ends_a_training(corpora: Path, tmp_path: Path) -> None:
    trainer = trainer_of(corpora, tmp_path, "ner", epochs=50, patience=2)
    with_scores(trainer, [{"ner": score} for score in (1, 5, 5, 6, 4, 5, 99)])
    assert [e.epoch for e in evaluations(trainer)] == [1, 2, 3, 4, 5, 6]
    assert trainer.progress.best_epoch == 4


def test_patience_waits_for_a_first_score(corpora: Path, tmp_path: Path) -> None:
    trainer = trainer_of(corpora, tmp_path, "ner", epochs=50, patience=2)
    with_scores(trainer, [{"ner": score} for score in (0, 0, 0, 0, 3, 2, 3, 99)])
    assert [e.epoch for e in evaluations(trainer)] == [1, 2, 3, 4, 5, 6, 7]
    assert trainer.progress.best_epoch == 5


def test_a_trainer_computes_with_the_threads_of_its_plan(corpora: Path, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    events = Trainer(prepare(toy.plan(corpora, "ner", threads=before + 1)), tmp_path).events()
    next(events)
    assert torch.get_num_threads() == before + 1
    events.close()
    assert torch.get_num_threads() == before


def test_best_weights_are_the_best_epoch_s(corpora: Path, tmp_path: Path) -> None:
    """What the model directory holds is what the network was when the best epoch ended, for all tasks and for each."""
    plan = toy.plan(corpora, "ner", "xx", epochs=4, best_per_task=True, optimizer="adam", learning_rate=0.02)
    trainer = Trainer(prepare(plan), tmp_path / "watched")
    kept: dict[str, dict[str, torch.Tensor]] = {}
    best: dict[str, float] = {}
    for event in trainer.events():
        if isinstance(event, Evaluation):
            for name, score in {**event.dev, "mean": sum(event.dev.values()) / 2}.items():
                if score > best.get(name, -1):
                    best[name] = score
                    kept[name] = {k: v.clone() for k, v in trainer.network.state_dict().items()}
    train(plan, output=tmp_path / "model")
    for name, tagger in {
        "mean": load(tmp_path / "model"),
        "ner": load(tmp_path / "model", best_for="ner"),
        "xx": load(tmp_path / "model", best_for="xx"),
    }.items():
        found = tensors_of(tagger.model.arrays)
        assert found.keys() == kept[name].keys()
        assert all(torch.equal(found[k], kept[name][k]) for k in found)
    report = json.loads((tmp_path / "model" / "report.json").read_text())
    assert report["best_per_task"] == {task: best[task] for task in ("ner", "xx")}


def test_without_development_data_the_last_epoch_is_kept_and_nothing_is_nan(corpora: Path, tmp_path: Path) -> None:
    tables = toy.tables("ner", search=corpora, epochs=3, patience=1)
    del tables["tasks"]["ner"]["dev"], tables["tasks"]["ner"]["test"]
    found = [e for e in events_of(toy.make_plan(tables), tmp_path / "model") if isinstance(e, Evaluation)]
    assert len(found) == 3  # patience waits for a score
    assert all(e.selected is None and not e.dev and not e.test and math.isfinite(e.loss["ner"]) for e in found)
    report = json.loads((tmp_path / "model" / "report.json").read_text())
    assert report["best_epoch"] == 3
    assert report["scores"] == {"ner": {}}
    assert "NaN" not in (tmp_path / "model" / "metrics.jsonl").read_text()


def test_development_data_of_some_tasks_choose_the_epoch(corpora: Path, tmp_path: Path) -> None:
    tables = toy.tables("ner", "xx", search=corpora, epochs=1)
    del tables["tasks"]["xx"]["dev"]
    *_, found = events_of(toy.make_plan(tables), tmp_path / "model")
    assert found.selected == found.dev["ner"]


@pytest.mark.parametrize("track", [False, True])
def test_the_test_split_is_scored_once_or_when_asked_for(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, track: bool
) -> None:
    seen: list[str] = []
    evaluate = Tagger.evaluate

    def watched(self: Tagger, sentences: Any, task: str) -> Counts:
        seen.append(Path(sentences[0].source).name)
        return evaluate(self, sentences, task)

    monkeypatch.setattr(Tagger, "evaluate", watched)
    found = events_of(toy.plan(corpora, "ner", epochs=3, track_test=track), tmp_path / "model")
    assert seen.count("en.test") == (4 if track else 1)
    assert seen[-1] == "en.test"
    tests = [e.test for e in found if isinstance(e, Evaluation)]
    report = json.loads((tmp_path / "model" / "report.json").read_text())
    if not track:
        assert tests == [{}] * 3
        assert "best_on_test" not in report
        return
    scores = [test["ner"] for test in tests]
    best = {"epoch": scores.index(max(scores)) + 1, "score": max(scores)}
    assert report["best_on_test"] == {"ner": best}


def test_metrics_have_a_line_for_each_evaluation(corpora: Path, tmp_path: Path) -> None:
    for event in train_events(toy.plan(corpora, "ner", "xx", epochs=3), output=tmp_path / "model"):
        if isinstance(event, Evaluation):  # on disk as soon as it is seen
            lines = [json.loads(line) for line in (tmp_path / "model" / "metrics.jsonl").read_text().splitlines()]
            assert [line["epoch"] for line in lines] == list(range(1, event.epoch + 1))
            spans = lines[-1].pop("spans")
            assert spans.keys() == event.dev.keys()
            for task, f1 in event.dev.items():
                precision, recall = spans[task]["precision"], spans[task]["recall"]
                assert f1 == pytest.approx(2 * precision * recall / (precision + recall) if f1 else 0.0)
            assert lines[-1] == {
                "epoch": event.epoch, "epochs": 3, "loss": event.loss, "dev": event.dev, "test": {},
                "selected": event.selected, "is_best": event.is_best, "seconds": event.seconds,
            }  # fmt: skip
            load(tmp_path / "model")


def test_proportional_sampling_trains_once_on_every_sentence(corpora: Path, tmp_path: Path) -> None:
    events = events_of(toy.plan(corpora, "ner", "xx", task_sampling="proportional", epochs=1), tmp_path / "model")
    steps = [event.task for event in events if isinstance(event, Step)]
    assert (steps.count("ner"), steps.count("xx")) == (5, 3)


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_each_epoch_is_scored_with_its_own_weights(corpora: Path, tmp_path: Path, optimizer: str) -> None:
    """Characters alone: dense parameters only, which fused optimizers move without autograd's notice."""
    tables = toy.tables("ner", search=corpora, epochs=12, optimizer=optimizer, learning_rate=0.05, margin=1.0)
    tables["words"]["en"]["embedding"] = False
    trainer = Trainer(prepare(toy.make_plan(tables)), tmp_path)
    scores = []
    for event in trainer.events():
        if isinstance(event, Evaluation):
            copies = tensors_of(arrays_of(trainer.network.state_dict()))
            fresh = Tagger(Model(trainer.plan, trainer.vocabularies, arrays_of(copies)))
            scores.append(fresh.evaluate(trainer.prepared.sentences["ner"]["dev"], "ner").score)
            assert event.dev["ner"] == scores[-1]
    assert len(set(scores)) > 2


def test_epochs_are_scored_with_the_weights_themselves(corpora: Path, tmp_path: Path) -> None:
    """Not with a copy: word embeddings may be large."""
    trainer = trainer_of(corpora, tmp_path, "ner", "xx")
    arrays = trainer.tagger().model.arrays
    weights = trainer.network.state_dict()
    assert arrays.keys() == weights.keys()
    assert all(array.__array_interface__["data"][0] == weights[name].data_ptr() for name, array in arrays.items())
