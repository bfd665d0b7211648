"""Averages of weights are those of a plain loop over all weights, whichever rows a step moves."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from polytag.training import Evaluation, Trainer, prepare
from polytag.training.average import RISE, Averages
from tests.training import toy

ROWS, STEPS = 20, 60


class Walk:
    """A dense weight and a table of rows that move at random, with their averages and those of a plain loop."""

    def __init__(self, *, steps: float, seed: int = 0) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.table, self.dense = nn.Parameter(self.drawn(ROWS, 3)), nn.Parameter(self.drawn(4))
        self.weights = {"table": self.table, "dense": self.dense}
        self.averages = Averages(self.weights, sparse=["table"], steps=steps)
        self.plain = {name: weight.detach().double() for name, weight in self.weights.items()}
        self.steps, self.done = steps, 0

    def drawn(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator)

    def step(self) -> None:
        rows = torch.randint(0, ROWS // 2, (1, 4), generator=self.generator)  # some twice, and half of them never
        gradient = torch.sparse_coo_tensor(rows, self.drawn(4, 3), (ROWS, 3), check_invariants=True)
        self.table.grad = None if self.done % 5 == 2 else gradient
        self.averages.before_step()
        with torch.no_grad():
            if self.table.grad is not None:
                self.table -= self.table.grad.to_dense()
            self.dense -= self.drawn(4)
        self.averages.after_step()
        self.done += 1
        share = 1 / min(self.steps, 1 + self.done / RISE)
        for name, weight in self.weights.items():
            self.plain[name] += share * (weight.detach().double() - self.plain[name])

    def check(self) -> None:
        found = self.averages.tensors()
        assert found.keys() == self.plain.keys()
        for name, tensor in found.items():
            torch.testing.assert_close(tensor.double(), self.plain[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("steps", [2.0, 5.5, 1000.0])
@pytest.mark.parametrize("read_every", [1, 7, STEPS])
def test_they_are_those_of_a_plain_loop(steps: float, read_every: int) -> None:
    walk = Walk(steps=steps)
    for step in range(1, STEPS + 1):
        walk.step()
        if step % read_every == 0:
            walk.check()
    walk.check()


def test_rows_that_never_move_keep_their_bits() -> None:
    walk = Walk(steps=5.0)
    for _ in range(STEPS):
        walk.step()
    assert torch.equal(walk.averages.tensors()["table"][ROWS // 2 :], walk.table[ROWS // 2 :])


def test_they_go_on_where_they_stood() -> None:
    one, other = Walk(steps=9.0), Walk(steps=9.0)
    for _ in range(20):
        one.step()
        other.step()
    state = {name: tensor.clone() for name, tensor in one.averages.state().items()}
    other.averages = Averages(other.weights, sparse=["table"], steps=9.0)
    other.averages.restore(state)
    for _ in range(20):
        one.step()
        other.step()
    for name, tensor in one.averages.tensors().items():
        assert torch.equal(tensor, other.averages.tensors()[name])


def test_what_is_scored_and_kept_is_the_averages(tmp_path: Path) -> None:
    trainer = Trainer(prepare(toy.plan(toy.write_all(tmp_path), "ner", features=True, epochs=2, average=0.5)))
    for event in trainer.events():
        if isinstance(event, Evaluation):
            trainer.publish()
            averages = {name: tensor.numpy().copy() for name, tensor in trainer.weights().items()}
            assert all((averages[name] == array).all() for name, array in trainer.tagger().model.arrays.items())
            if event.is_best:
                assert all((averages[name] == array).all() for name, array in trainer.kept.items())
    raw = trainer.network.state_dict()
    assert any((averages[name] != tensor.numpy()).any() for name, tensor in raw.items())
