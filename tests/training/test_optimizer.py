"""Steps against their closed forms, and states that come back as they were."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from polytag.plan.training import Training
from polytag.training.optimizer import (
    Optimizer,
    clip_gradients,
    flatten_state,
    make_optimizers,
    restore_state,
    set_learning_rate,
)


def gradients(steps: int, *shape: int) -> Tensor:
    return torch.randn(steps, *shape, generator=torch.Generator().manual_seed(steps))


def test_adagrad_has_epsilon_inside_the_root() -> None:
    settings = Training(learning_rate=0.1, epsilon=0.5)  # so large that outside of the root it would show
    start, found = torch.linspace(-1, 1, 6), nn.Parameter(torch.linspace(-1, 1, 6))
    (optimizer,) = make_optimizers([found], [], settings)
    expected, total = start.clone(), torch.zeros(6)
    for gradient in gradients(5, 6):
        found.grad = gradient.clone()
        optimizer.step()
        total += gradient**2
        expected -= 0.1 * gradient / torch.sqrt(0.5 + total)
        torch.testing.assert_close(found.detach(), expected)


def test_adagrad_on_rows_is_adagrad_on_the_touched_rows() -> None:
    settings = Training(learning_rate=0.1, epsilon=1e-6)
    embedding = nn.Embedding(5, 3, sparse=True)
    start = embedding.weight.detach().clone()
    (optimizer,) = make_optimizers([], [(embedding.weight, 1.0)], settings)
    (embedding(torch.tensor([1, 3, 3])) * torch.tensor([[1.0], [2.0], [0.5]])).sum().backward()  # 3 occurs twice
    optimizer.step()
    moved = start - embedding.weight.detach()
    assert torch.equal(moved[[0, 2, 4]], torch.zeros(3, 3))
    torch.testing.assert_close(moved[1], torch.full((3,), 0.1 * 1 / (1e-6 + 1) ** 0.5))
    torch.testing.assert_close(moved[3], torch.full((3,), 0.1 * 2.5 / (1e-6 + 2.5**2) ** 0.5))


def test_adam_equals_its_closed_form_on_dense_and_on_rows() -> None:
    settings = Training(optimizer="adam", learning_rate=0.1, epsilon=1e-8)
    dense, rows = nn.Parameter(torch.zeros(3, 2)), nn.Parameter(torch.zeros(3, 2))
    optimizers = make_optimizers([dense], [(rows, 1.0)], settings)
    m, v, expected = torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3, 2)
    for t, gradient in enumerate(gradients(4, 3, 2), start=1):
        dense.grad = gradient.clone()
        rows.grad = torch.sparse_coo_tensor(torch.tensor([[0, 1, 2]]), gradient.clone(), (3, 2))
        for optimizer in optimizers:
            optimizer.step()
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        expected = expected - 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    torch.testing.assert_close(dense.detach(), expected)
    torch.testing.assert_close(rows.detach(), expected)


THEIRS: dict[str, tuple[Callable[..., torch.optim.Optimizer], Callable[..., torch.optim.Optimizer]]] = {
    "adagrad": (
        partial(torch.optim.Adagrad, initial_accumulator_value=1e-6, eps=0.0, fused=True),
        partial(torch.optim.Adagrad, initial_accumulator_value=1e-6, eps=0.0),
    ),
    "adam": (partial(torch.optim.Adam, eps=1e-6, fused=True), partial(torch.optim.SparseAdam, eps=1e-6)),
}


@pytest.mark.parametrize("name", THEIRS)
def test_steps_are_those_of_pytorch_bit_for_bit(name: str) -> None:
    settings = Training(optimizer=name, learning_rate=0.1, epsilon=1e-6)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(1)
    starts = [torch.randn(size, 3, generator=generator) for size in (4, 2, 9, 5)]  # two dense, two tables of rows
    ours, theirs = ([nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    optimizers = make_optimizers(ours[:2], [(table, 1.0) for table in ours[2:]], settings)
    dense, rows = THEIRS[name]
    all_theirs = [dense(theirs[:2], lr=0.1), rows(theirs[2:], lr=0.1)]
    for _ in range(6):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn(mine.shape, generator=generator)
            if len(mine) > 4:
                found = torch.randint(0, len(mine), (1, 4), generator=generator)  # some twice
                mine.grad = torch.sparse_coo_tensor(found, mine.grad[:4], mine.shape)
            if int(torch.randint(0, 3, (), generator=generator)) == 0:
                mine.grad = None
            other.grad = None if mine.grad is None else mine.grad.clone()
        for optimizer in (*optimizers, *all_theirs):
            optimizer.step()
        assert all(torch.equal(mine, other) for mine, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("name", ["adagrad", "adam"])
def test_without_gradient_nothing_moves_though_there_is_momentum(name: str) -> None:
    used, idle = nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4))
    (optimizer,) = make_optimizers([used, idle], [], Training(optimizer=name))  # type: ignore[arg-type]
    used.grad, idle.grad = torch.ones(4), torch.ones(4)
    optimizer.step()
    before = idle.detach().clone(), {k: v.clone() for k, v in flatten_state(optimizer).items()}
    used.grad, idle.grad = torch.ones(4), None
    optimizer.step()
    assert torch.equal(idle.detach(), before[0])
    after = flatten_state(optimizer)
    assert {key for key in after if not torch.equal(after[key], before[1][key])} <= {k for k in after if k[0] == "0"}


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_clipping_scales_dense_and_sparse_gradients_to_one_norm(largest: float, scale: float) -> None:
    dense, rows, idle = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(4, 2)), nn.Parameter(torch.zeros(2))
    dense.grad = torch.full((3,), scale)
    twice = torch.full((2, 2), scale / 2)  # one row, given twice: its gradient is the sum
    rows.grad = torch.sparse_coo_tensor(torch.tensor([[1, 1]]), twice, (4, 2))
    norm = clip_gradients([dense, rows, idle], largest)
    assert norm == pytest.approx(scale * 5**0.5, rel=1e-4)
    joint = torch.cat([dense.grad, rows.grad.to_dense().flatten()])
    assert float(joint.norm()) == pytest.approx(min(norm, largest), rel=1e-4)
    assert float(rows.grad.to_dense()[1, 0]) == pytest.approx(float(dense.grad[0]), rel=1e-4)
    assert idle.grad is None


def test_the_learning_rate_decays_linearly_or_stays() -> None:
    parameter = nn.Parameter(torch.zeros(1))
    for final, expected in ((None, [0.1, 0.1, 0.1]), (0.02, [0.1, 0.06, 0.02])):
        settings = Training(learning_rate=0.1, final_learning_rate=final)
        optimizers = make_optimizers([parameter], [], settings)
        found = []
        for progress in (0.0, 0.5, 1.0):
            set_learning_rate(optimizers, settings, progress)
            found.append(optimizers[0].rate)
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("name", ["adagrad", "adam"])
def test_word_embeddings_move_at_a_share_of_the_rate_or_stay(name: str) -> None:
    settings = Training(optimizer=name, learning_rate=0.1, final_learning_rate=0.02)  # type: ignore[arg-type]
    tables = {share: nn.Parameter(torch.zeros(3, 2)) for share in (1.0, 0.25, 0.0)}
    network = nn.Parameter(torch.zeros(2))  # has no gradient
    optimizers = make_optimizers([network], [(table, share) for share, table in tables.items()], settings)
    set_learning_rate(optimizers, settings, 0.5)
    for table in tables.values():
        table.grad = torch.sparse_coo_tensor(torch.tensor([[0, 2]]), torch.ones(2, 2), (3, 2))
    for optimizer in optimizers:
        optimizer.step()
    for share, table in tables.items():
        torch.testing.assert_close(table.detach(), share * tables[1.0].detach())
    assert tables[1.0].abs().sum() > 0


@pytest.mark.parametrize("name", ["adagrad", "adam"])
def test_features_move_by_their_gradients_at_a_rate_of_their_own(name: str) -> None:
    settings = Training(
        optimizer=name,
        learning_rate=0.1,
        final_learning_rate=0.02,
        feature_learning_rate=0.5,  # type: ignore[arg-type]
    )
    network, rows = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3, 2))
    optimizers = make_optimizers([network], [], settings, features=[rows])
    for progress, rate in ((0.0, 0.5), (0.5, 0.3), (1.0, 0.1)):
        set_learning_rate(optimizers, settings, progress)
        before = rows.detach().clone()
        rows.grad = torch.sparse_coo_tensor(torch.tensor([[0, 2, 2]]), torch.ones(3, 2), (3, 2))
        for optimizer in optimizers:
            optimizer.step()
        torch.testing.assert_close(before - rows.detach(), rate * torch.tensor([[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]]))


@pytest.mark.parametrize("name", ["adagrad", "adam"])
def test_a_restored_state_goes_on_bit_for_bit(name: str) -> None:
    settings = Training(optimizer=name)  # type: ignore[arg-type]

    def make() -> tuple[nn.Parameter, nn.Parameter, list[Optimizer]]:
        dense, rows = nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(3, 2))
        return dense, rows, make_optimizers([dense], [(rows, 1.0)], settings)

    def step(dense: nn.Parameter, rows: nn.Parameter, optimizers: list[Optimizer], by: Tensor) -> None:
        dense.grad = by.clone()
        rows.grad = torch.sparse_coo_tensor(torch.tensor([[0, 2]]), by[:2].clone(), (3, 2))
        for optimizer in optimizers:
            optimizer.step()

    first, second = make(), make()
    for gradient in gradients(3, 3, 2):
        step(*first, gradient)
    with torch.no_grad():
        for a, b in zip(first[:2], second[:2], strict=True):
            b.copy_(a)
    for a, b in zip(first[2], second[2], strict=True):
        saved = flatten_state(a)
        restore_state(b, saved)
        restored = flatten_state(b)
        assert saved.keys() == restored.keys()
        assert all(torch.equal(saved[key], restored[key]) for key in saved)
        assert not {v.data_ptr() for v in saved.values()} & {v.data_ptr() for v in restored.values() if v.dim()}
    for gradient in gradients(4, 3, 2):
        step(*first, gradient)
        step(*second, gradient)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
