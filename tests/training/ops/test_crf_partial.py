"""The loss of partly annotated sentences against enumeration of all paths, then laws that need no oracle."""

from types import ModuleType

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from polytag.training.ops import crf
from polytag.training.ops.crf import packed, reference
from tests.oracles import Chain, random_chain

BATCHES = ((1,), (1, 1, 1), (4, 4), (2, 5, 1, 3, 3))
MARGINS = (0.0, 5.0)


@pytest.fixture(params=["reference", "packed", "packed in log space"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if request.param == "packed in log space":
        monkeypatch.setattr(packed, "_SAFE_TO_EXPONENTIATE", -1.0)
    return reference if request.param == "reference" else packed


def allowed_in(chain: Chain, seed: int = 0) -> Tensor:
    """Rows that allow one tag, some tags or all of them, [N, K]."""
    generator = torch.Generator().manual_seed(seed)
    n, k = chain.emissions.shape
    share = torch.randint(3, (n, 1), generator=generator) / 2
    mask = torch.rand(n, k, generator=generator) < share
    return mask | one_hot(torch.randint(k, (n,), generator=generator), k).bool()


def enumerated(chain: Chain, allowed: Tensor, margin: float) -> Tensor:
    """The loss as its docstring has it, path by path, [B]."""
    losses = []
    for rows, (tags, scores) in zip(chain.packed.rows, chain.paths(), strict=True):
        agrees = allowed[rows].expand(len(tags), -1, -1).gather(2, tags[:, :, None])[:, :, 0]
        costed = scores + margin * (~agrees).sum(1)
        losses.append(costed.logsumexp(0) - scores[agrees.all(1)].logsumexp(0))
    return torch.stack(losses)


def loss_and_gradients(form: ModuleType | None, chain: Chain, allowed: Tensor, margin: float) -> tuple[Tensor, ...]:
    """Loss [B] and its gradients, each sequence weighted differently; by enumeration where ``form`` is None."""
    leaves = [t.clone().requires_grad_() for t in (chain.emissions, chain.transitions, chain.start)]
    if form is None:
        loss = enumerated(Chain(chain.packed, *leaves), allowed, margin)
    else:
        sizes = chain.packed.batch_sizes
        loss = form.partial_softmax_margin(leaves[0], allowed, *leaves[1:], sizes, margin=margin)
    weights = torch.linspace(-1, 2, len(loss), dtype=loss.dtype)
    return loss.detach(), *torch.autograd.grad(loss, leaves, weights, materialize_grads=True)


def assert_equal(actual: tuple[Tensor, ...], expected: tuple[Tensor, ...], tolerance: float = 1e-9) -> None:
    for ours, theirs in zip(actual, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("lengths", BATCHES, ids=str)
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_all_paths(form: ModuleType, lengths: tuple[int, ...], k: int, margin: float, scale: float) -> None:
    chain = random_chain(lengths, k, seed=k, scale=scale)
    allowed = allowed_in(chain, seed=len(lengths))
    assert_equal(
        loss_and_gradients(form, chain, allowed, margin), loss_and_gradients(None, chain, allowed, margin), 1e-8
    )


@pytest.mark.parametrize("margin", MARGINS)
def test_all_known_is_softmax_margin(form: ModuleType, margin: float) -> None:
    chain = random_chain((6, 3, 3, 1), 4)
    gold = torch.randint(4, (chain.packed.n,), generator=torch.Generator().manual_seed(1))
    leaves = [t.clone().requires_grad_() for t in (chain.emissions, chain.transitions, chain.start)]
    loss = reference.softmax_margin(leaves[0], gold, *leaves[1:], chain.packed.batch_sizes, margin=margin)
    weights = torch.linspace(-1, 2, len(loss), dtype=loss.dtype)
    expected = (loss.detach(), *torch.autograd.grad(loss, leaves, weights))
    assert_equal(loss_and_gradients(form, chain, one_hot(gold, 4).bool(), margin), expected)


@pytest.mark.parametrize("margin", MARGINS)
def test_all_unknown_is_no_loss_and_moves_nothing(form: ModuleType, margin: float) -> None:
    chain = random_chain((7, 4, 1), 5, dtype=torch.float32)
    loss, *gradients = loss_and_gradients(form, chain, torch.ones_like(chain.emissions, dtype=torch.bool), margin)
    assert not loss.any()
    for gradient in gradients:
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-6)


def test_gradients_by_finite_differences(form: ModuleType) -> None:
    chain = random_chain((4, 2, 1), 3)
    allowed = allowed_in(chain)
    leaves = [t.clone().requires_grad_() for t in (chain.emissions, chain.transitions, chain.start)]

    def loss(emissions: Tensor, transitions: Tensor, start: Tensor) -> Tensor:
        sizes = chain.packed.batch_sizes
        found: Tensor = form.partial_softmax_margin(emissions, allowed, transitions, start, sizes, margin=2.0)
        return found

    assert torch.autograd.gradcheck(loss, leaves)


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_the_fast_form_in_single_precision_is_near_the_reference(scale: float) -> None:
    chain = random_chain((40, 17, 3, 1), 9, scale=scale)
    single = Chain(chain.packed, chain.emissions.float(), chain.transitions.float(), chain.start.float())
    allowed = allowed_in(chain)
    found = tuple(t.double() for t in loss_and_gradients(packed, single, allowed, 5.0))
    assert_equal(found, loss_and_gradients(reference, chain, allowed, 5.0), 2e-4 * scale)


def test_more_knowledge_never_lowers_the_log_likelihood_s_loss(form: ModuleType) -> None:
    chain = random_chain((5, 5, 2), 4)
    allowed = allowed_in(chain)
    more = allowed.clone()
    more[::2] = one_hot(more[::2].int().argmax(1), 4).bool()
    less, greater = (loss_and_gradients(form, chain, mask, 0.0)[0] for mask in (allowed, more))
    assert (less >= -1e-12).all()
    assert (greater >= less - 1e-12).all()


def test_a_batch_of_none(form: ModuleType) -> None:
    nothing = torch.zeros(0, 3)
    loss = form.partial_softmax_margin(nothing, nothing.bool(), torch.zeros(3, 3), torch.zeros(3), (), margin=1.0)
    assert loss.shape == (0,)


def test_the_package_takes_the_fast_form() -> None:
    assert crf.partial_softmax_margin is packed.partial_softmax_margin
