"""Training elsewhere than on the CPU: devices by name, batches that move whole, the same numbers on a GPU."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from polytag import train
from polytag.errors import PolytagError
from polytag.training import Step, Trainer, prepare, train_events
from polytag.training.batch import Batch
from polytag.training.device import find_device
from tests.training import toy

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
META = torch.device("meta")  # holds no values, but is elsewhere


def trainer_of(
    corpora: Path,
    output: Path,
    *,
    device: str = "cpu",
    dropout: float = 0.0,
    cell: str = "reset_before",
    **training: Any,
) -> Trainer:
    tables = toy.tables("ner", "xx", search=corpora, features=True, **training)
    for part in (*tables["chars"].values(), *tables["words"].values()):
        part |= {"dropout": dropout, "cell": cell, "bias": cell == "lstm"}
    return Trainer(prepare(toy.make_plan(tables)), output, device=device)


def tensors(batch: Batch) -> list[Tensor]:
    assert batch.characters is not None
    assert batch.tags is not None
    of_characters = [batch.characters.ids, batch.characters.word]
    places = [x for packing in (batch.packing, batch.characters.packing) for x in (packing.reverse, packing.last_rows)]
    assert batch.forms is not None
    of_features = [batch.forms, *batch.features.values(), batch.packing.rows_around(2)]
    return [batch.words, batch.tags, *of_characters, *places, *batch.gazetteer.values(), *of_features]


@pytest.fixture
def batch(corpora: Path, tmp_path: Path) -> Batch:
    trainer = trainer_of(corpora, tmp_path)
    made = trainer.examples.batch(trainer._turns(0)[0])
    return replace(made, gazetteer={"ner": torch.zeros_like(made.words)})


def test_a_batch_moves_whole(batch: Batch) -> None:
    before = tensors(batch)  # the cached row numbers too, which must not stay behind
    moved = tensors(batch.to(META))
    assert {tensor.device for tensor in moved} == {META}
    assert [tensor.shape for tensor in moved] == [tensor.shape for tensor in before]
    assert {tensor.device.type for tensor in tensors(batch)} == {"cpu"}


def test_a_batch_without_the_rest_moves(batch: Batch) -> None:
    moved = Batch(batch.words, batch.packing).to(META)
    assert moved.words.device == META
    assert moved.characters is None
    assert moved.tags is None


def test_a_batch_that_is_there_stays_itself(batch: Batch) -> None:
    assert batch.to(torch.device("cpu")) is batch
    moved = batch.to(META)
    assert moved.to(META) is moved


@pytest.mark.parametrize("name", ["cpu", "cpu:0", torch.device("cpu")])
def test_the_cpu_by_its_names(name: str | torch.device) -> None:
    assert find_device(name) == torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpu", r"unknown device 'gpu'; did you mean 'cpu'\?"),
        ("meta", r"unknown device 'meta'; known are cpu, cuda"),
        ("", r"unknown device ''; known are cpu, cuda"),
        ("cuda:x", r"unknown device 'cuda:x', expected cpu, cuda or cuda:0"),
    ],
)
def test_an_unknown_device(name: str, expected: str) -> None:
    with pytest.raises(PolytagError, match=expected):
        find_device(name)


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_an_absent_device_is_told_before_anything_is_written(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpus(monkeypatch, 0)
    with pytest.raises(PolytagError, match=r"device 'cuda': PyTorch \S+ finds no GPU on this machine; use 'cpu'"):
        train(toy.plan(corpora, "ner"), output=tmp_path / "model", device="cuda")
    assert not (tmp_path / "model").exists()
    with_gpus(monkeypatch, 2)
    with pytest.raises(PolytagError, match="device 'cuda:2': found 2 GPUs on this machine, counted from 0"):
        find_device("cuda:2")


def test_processes_of_one_machine_take_turns_at_its_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 2)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert find_device("cuda") == torch.device("cuda", 0)
    for rank in range(5):
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        assert find_device("cuda") == torch.device("cuda", rank % 2)
        assert find_device("cuda:1") == torch.device("cuda", 1)


@needs_gpu
@pytest.mark.parametrize("cell", ["reset_before", "lstm"])
@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_loss_gradients_and_a_step_are_those_of_the_cpu(
    corpora: Path, tmp_path: Path, optimizer: str, cell: str
) -> None:
    here, there = (
        trainer_of(corpora, tmp_path, device=device, cell=cell, optimizer=optimizer, clip=5.0)
        for device in ("cpu", "cuda")
    )
    turn = here._turns(0)[0]
    losses = [t._loss[turn.task](t.examples.batch(turn).to(t.device)) for t in (here, there)]
    torch.testing.assert_close(losses[1].cpu(), losses[0], rtol=1e-4, atol=1e-4)
    for trainer, loss in zip((here, there), losses, strict=True):
        assert loss.device == trainer.device
        loss.backward()  # type: ignore[no-untyped-call]
    for (name, one), other in zip(here.network.named_parameters(), there.network.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None), name
        if one.grad is not None and other.grad is not None:
            torch.testing.assert_close(other.grad.to_dense().cpu(), one.grad.to_dense(), rtol=1e-3, atol=1e-4, msg=name)
    for trainer in (here, there):
        trainer.network.zero_grad(set_to_none=True)
        next(trainer.events())
    for (name, one), other in zip(here.network.named_parameters(), there.network.parameters(), strict=True):
        torch.testing.assert_close(other.cpu(), one, rtol=1e-3, atol=1e-4, msg=name)


@needs_gpu
@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_a_training_on_a_gpu_resumes(corpora: Path, tmp_path: Path, optimizer: str) -> None:
    plan = toy.plan(corpora, "ner", "xx", optimizer=optimizer)
    events = train_events(plan, output=tmp_path / "model", device="cuda", save_seconds=0)
    while not isinstance(next(events), Step):
        pass
    events.close()  # type: ignore[attr-defined]
    list(train_events(plan, output=tmp_path / "model", device="cuda", resume=True))
    tagger = train(plan, output=tmp_path / "model", device="cuda", resume=True)  # it is complete, and loaded
    assert len(tagger.tag(["Anna", "sees", "Lima"], tasks=["ner"]).tags["ner"]) == 3


@needs_gpu
def test_dropout_on_a_gpu_leaves_its_random_state_alone(corpora: Path, tmp_path: Path) -> None:
    before = torch.cuda.get_rng_state()
    losses = [next(trainer_of(corpora, tmp_path, device="cuda", dropout=0.5).events()).loss for _ in range(2)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert torch.equal(torch.cuda.get_rng_state(), before)
