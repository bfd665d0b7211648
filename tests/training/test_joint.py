"""One step on a task moves what the task uses, all of it, and leaves everything else as it was, bit for bit."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from polytag.training import Step, Trainer, prepare
from polytag.training.optimizer import flatten_state
from tests.training import toy

OPTIMIZERS = {
    "adagrad": {"optimizer": "adagrad"},
    "adagrad, accumulators of each task": {"optimizer": "adagrad", "accumulators": "task"},
    "adagrad, clipped": {"optimizer": "adagrad", "clip": 0.5},
    "adam": {"optimizer": "adam"},
    "adam, accumulators of each task": {"optimizer": "adam", "accumulators": "task"},
    "adam, clipped, decaying": {"optimizer": "adam", "clip": 0.5, "final_learning_rate": 1e-4},
}


def trainer_of(corpora: Path, output: Path, *tasks: str, **training: object) -> Trainer:
    return Trainer(prepare(toy.plan(corpora, *tasks, features=True, **training)), output)


def weights(trainer: Trainer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}


def states(trainer: Trainer, task: str) -> dict[str, Tensor]:
    """Accumulators of a task's optimizers by the name of the parameter that they belong to."""
    names = {id(parameter): name for name, parameter in trainer.network.named_parameters()}
    found = {}
    for optimizer in trainer.optimizers[task]:
        for key, value in flatten_state(optimizer).items():
            number, kind = key.split(".")
            found[f"{names[id(optimizer.parameters[int(number)])]}/{kind}"] = value.clone()
    return found


def step(trainer: Trainer, task: str) -> set[int]:
    """Train until one step of the task is done; returns the word indices of its mini-batch."""
    while True:
        turn = trainer._turns(trainer.progress.epoch)[trainer.progress.turn]
        before = weights(trainer), {t: states(trainer, t) for t in trainer.plan.tasks}
        done = next(trainer.events())
        assert isinstance(done, Step)
        if done.task == task:
            trainer.before = before  # type: ignore[attr-defined]
            return set(trainer.examples.batch(turn).words.tolist())


@pytest.mark.parametrize("training", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
@pytest.mark.parametrize("task", ["ner", "pos", "xx"])
def test_a_step_moves_the_task_s_parts_and_nothing_else(
    corpora: Path, tmp_path: Path, task: str, training: dict[str, object]
) -> None:
    trainer = trainer_of(corpora, tmp_path, "ner", "pos", "xx", **training)
    for _ in range(6):  # until all parts have momentum, which must not move them while they are idle
        next(trainer.events())
    words = step(trainer, task)
    old, old_states = trainer.before  # type: ignore[attr-defined]
    new = weights(trainer)
    used = tuple(f"{part}." for part in trainer.network.parts_of(task))
    for name in old:
        if not name.startswith(used):
            assert torch.equal(old[name], new[name]), f"{name} moved"
        elif name.endswith(("features.own.weight", "features.around.weight")):
            assert torch.equal(old[name][0], new[name][0]), f"the row of no feature moved in {name}"
            assert not torch.equal(old[name], new[name]), f"{name} stands still"
        elif name.endswith("words.en.embedding.weight") or name.endswith("words.xx.embedding.weight"):
            moved = (old[name] != new[name]).any(dim=1).nonzero()[:, 0].tolist()
            assert set(moved) == words
        else:
            assert not torch.equal(old[name], new[name]), f"{name} stands still"
    for other in trainer.plan.tasks:
        found = states(trainer, other)
        for name, value in old_states[other].items():
            shared = trainer.settings.accumulators == "shared" or other == task
            if not (shared and name.startswith(used)):
                assert torch.equal(value, found[name]), f"accumulator {name} of {other} moved"


@pytest.mark.parametrize("training", [*OPTIMIZERS.values(), {"average": 0.5}], ids=[*OPTIMIZERS, "averages"])
def test_a_step_of_a_task_moves_no_layer_above_the_one_that_it_reads(
    corpora: Path, tmp_path: Path, training: dict[str, object]
) -> None:
    tables = toy.tables("ner", "pos", search=corpora, **training)
    tables["words"]["en"]["layers"] = 3
    tables["tags"] = {"pos": {"layer": 1}, "ner": {"layer": 2}}
    trainer = Trainer(prepare(toy.make_plan(tables)), tmp_path)
    for _ in range(6):
        next(trainer.events())
    for task, highest in (("pos", 1), ("ner", 2)):
        step(trainer, task)
        old, new = trainer.before[0], weights(trainer)  # type: ignore[attr-defined]
        moved = {name for name in old if not torch.equal(old[name], new[name])}
        layers = {name.rpartition(".")[2] for name in moved if name.startswith("words.en.gru.")}
        assert layers == {str(layer) for layer in range(highest)}
        assert f"tags.{task}.projection" in moved


@pytest.mark.parametrize("training", [OPTIMIZERS["adagrad"], OPTIMIZERS["adam"]], ids=["adagrad", "adam"])
def test_every_used_parameter_moves_everywhere(corpora: Path, tmp_path: Path, training: dict[str, object]) -> None:
    """Both directions; some steps are too small for float32 to show."""
    trainer = trainer_of(corpora, tmp_path, "ner", "pos", **training)
    before = weights(trainer)
    step(trainer, "ner")
    after = weights(trainer)
    for name in ("words.en.gru.input_weight.0", "words.en.gru.recurrent_weight.0", "chars.all.gru.recurrent_weight.0"):
        moved = (before[name] != after[name]).float()
        assert (moved.mean(dim=(1, 2)) > 0.5).all()
    for name in ("tags.ner.projection", "tags.ner.transitions", "tags.ner.start"):
        assert (before[name] != after[name]).all()


def test_accumulators_are_shared_or_each_task_s_own(corpora: Path, tmp_path: Path) -> None:
    shared = trainer_of(corpora, tmp_path, "ner", "pos", accumulators="shared")
    assert shared.optimizers["ner"] is shared.optimizers["pos"]
    own = trainer_of(corpora, tmp_path, "ner", "pos", accumulators="task")
    step(own, "ner")
    name = "words.en.gru.recurrent_weight.0/sum"
    assert (states(own, "ner")[name] > own.settings.epsilon).any()
    assert states(own, "pos") == {}
    step(own, "pos")
    assert not torch.equal(states(own, "pos")[name], states(own, "ner")[name])
    assert "tags.ner.projection/sum" not in states(own, "pos")


def test_a_first_step_divides_by_what_only_this_task_has_gathered(corpora: Path, tmp_path: Path) -> None:
    """AdaGrad's first step on an element is as large as the learning rate, its later ones are smaller."""
    name = "words.en.gru.input_weight.0"
    moved = {}
    for accumulators in ("shared", "task"):
        trainer = trainer_of(corpora, tmp_path, "ner", "pos", accumulators=accumulators, epsilon=1e-12)
        step(trainer, "ner")
        before = weights(trainer)[name]
        step(trainer, "pos")
        moved[accumulators] = (weights(trainer)[name] - before).abs().max()
    rate = trainer.settings.learning_rate
    assert moved["task"] == pytest.approx(rate, rel=1e-3)
    assert moved["shared"] <= rate


def test_shared_parts_are_the_same_objects(corpora: Path, tmp_path: Path) -> None:
    network = trainer_of(corpora, tmp_path, "ner", "pos", "xx").network
    ner, pos, xx = map(network.parts_of, ("ner", "pos", "xx"))
    assert ner["chars.all"] is pos["chars.all"] is xx["chars.all"]
    assert ner["words.en"] is pos["words.en"]
    assert "words.en" not in xx
    assert len({id(parts[f"tags.{task}"]) for task, parts in (("ner", ner), ("pos", pos), ("xx", xx))}) == 3


def test_a_shared_tag_part_is_one_crf(corpora: Path, tmp_path: Path) -> None:
    tables = toy.tables("ner", "xx", search=corpora)
    for task in tables["tasks"].values():
        task["tags"] = "labels"
    tables["tags"] = {"labels": {}}
    trainer = Trainer(prepare(toy.make_plan(tables)), tmp_path)
    assert trainer.network.parts_of("ner")["tags.labels"] is trainer.network.parts_of("xx")["tags.labels"]
    before = weights(trainer)["tags.labels.projection"]
    step(trainer, "xx")
    assert not torch.equal(before, weights(trainer)["tags.labels.projection"])
