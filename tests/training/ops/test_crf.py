"""The loss of a CRF against enumeration of all paths, then laws that need no oracle.

Decoding is tested in tests/tagger/test_chain.py.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from torch import Tensor

from polytag.training.ops import crf
from polytag.training.ops.crf import packed, reference
from tests.oracles import Chain, pack, packing, poisoned, random_chain, unpack

BATCHES = ((1,), (1, 1, 1), (4, 4), (2, 5, 1, 3, 3))
SCALES = ((1.0, 1.0), (1e4, 10.0), (1e4, 1e4))  # of emissions and start, of transitions


@pytest.fixture(params=["reference", "packed", "packed in log space"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if request.param == "packed in log space":
        monkeypatch.setattr(packed, "_SAFE_TO_EXPONENTIATE", -1.0)
    return reference if request.param == "reference" else packed


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-9) -> None:
    torch.testing.assert_close(actual.detach(), expected.detach(), rtol=tolerance, atol=tolerance)


def tags_of(chain: Chain, seed: int = 0) -> Tensor:
    n, k = chain.emissions.shape
    return torch.randint(k, (n,), generator=torch.Generator().manual_seed(seed))


def arguments(chain: Chain) -> tuple[Tensor, Tensor, Tensor, tuple[int, ...]]:
    return chain.emissions, chain.transitions, chain.start, chain.packed.batch_sizes


def loss_and_gradients(form: ModuleType | None, chain: Chain, gold: Tensor, margin: float) -> tuple[Tensor, ...]:
    """Loss [B] and its gradients, each sequence weighted differently; by enumeration where ``form`` is None."""
    leaves = [t.clone().requires_grad_() for t in (chain.emissions, chain.transitions, chain.start)]
    if form is None:
        loss = Chain(chain.packed, *leaves).softmax_margin(gold, margin)
    else:
        loss = form.softmax_margin(leaves[0], gold, *leaves[1:], chain.packed.batch_sizes, margin=margin)
    weights = torch.linspace(-1, 2, len(loss), dtype=loss.dtype)
    # A batch of one-word sequences never uses a transition: autograd says so with None, the fast form with zeros.
    gradients = torch.autograd.grad(loss, leaves, weights, materialize_grads=True)
    return loss.detach(), *gradients


@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("lengths", BATCHES, ids=str)
class TestEnumeration:
    """Ragged batches against all K^T paths."""

    @pytest.fixture
    def chain(self, lengths: tuple[int, ...], k: int, scale: tuple[float, float]) -> Chain:
        chain = random_chain(lengths, k, seed=k + sum(lengths))
        high, across = scale
        return replace(
            chain,
            emissions=chain.emissions * high,
            transitions=chain.transitions * across,
            start=chain.start * high,
        )

    def test_loss_and_gradients(self, form: ModuleType, chain: Chain) -> None:
        gold = tags_of(chain)
        for margin in (0.0, 5.0):
            expected = loss_and_gradients(None, chain, gold, margin)
            for ours, theirs in zip(loss_and_gradients(form, chain, gold, margin), expected, strict=True):
                close(ours, theirs)


class TestLaws:
    """What must hold whatever the scores are."""

    def test_equal_scores_count_the_paths(self, form: ModuleType) -> None:
        chain = random_chain((20, 7, 1), 17, scale=0.0)
        losses = form.softmax_margin(chain.emissions, tags_of(chain), *arguments(chain)[1:])
        close(losses, torch.tensor([20.0, 7.0, 1.0]).double() * math.log(17))

    def test_without_margin_the_loss_is_the_negative_log_likelihood(self, form: ModuleType) -> None:
        chain = random_chain((6, 4, 4, 1), 4)
        gold = tags_of(chain)
        emissions, *rest = arguments(chain)
        nll = chain.log_partition() - chain.score(gold)
        close(form.softmax_margin(emissions, gold, *rest), nll)
        close(form.softmax_margin(emissions, gold, *rest, margin=0.0), nll)

    def test_a_larger_margin_never_lowers_the_loss(self, form: ModuleType) -> None:
        chain = random_chain((6, 4, 1), 5)
        emissions, *rest = arguments(chain)
        losses = [form.softmax_margin(emissions, tags_of(chain), *rest, margin=m) for m in (0.0, 1.0, 5.0)]
        assert (losses[0] < losses[1]).all()
        assert (losses[1] < losses[2]).all()

    def test_a_batch_is_the_sum_of_its_sentences(self, form: ModuleType) -> None:
        chain = random_chain((6, 4, 4, 1), 5)
        gold = tags_of(chain)
        together = batch_sum(form, chain, gold)
        apart = [batch_sum(form, *alone(chain, gold, rows)) for rows in chain.packed.rows]
        close(together[0], sum_of(part[0] for part in apart))
        for rows, part in zip(chain.packed.rows, apart, strict=True):
            close(together[1][rows], part[1])
        for which in (2, 3):
            close(together[which], sum_of(part[which] for part in apart))

    def test_the_order_of_sentences_changes_nothing(self, form: ModuleType) -> None:
        lengths = (4, 2, 6, 2, 1, 4)
        shuffle = (3, 5, 0, 4, 2, 1)
        chain = random_chain(lengths, 5)
        sentences, gold = unpack(chain.emissions, chain.packed), unpack(tags_of(chain), chain.packed)
        other = packing([lengths[i] for i in shuffle])
        shuffled = replace(chain, packed=other, emissions=pack([sentences[i] for i in shuffle], other))
        there = batch_losses(form, shuffled, pack([gold[i] for i in shuffle], other))
        close(there, batch_losses(form, chain, tags_of(chain))[list(shuffle)])

    def test_empty_batch(self, form: ModuleType) -> None:
        chain = random_chain((), 3)
        gold = torch.zeros(0, dtype=torch.long)
        emissions, *rest = arguments(chain)
        assert form.softmax_margin(emissions, gold, *rest, margin=5.0).shape == (0,)

    def test_one_tag_leaves_no_doubt(self, form: ModuleType) -> None:
        chain = random_chain((4, 1), 1)
        gold = torch.zeros(5, dtype=torch.long)
        loss, *gradients = loss_and_gradients(form, chain, gold, 5.0)
        close(loss, torch.zeros(2, dtype=torch.float64))
        for gradient in gradients:
            close(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("limit", [-1.0, 30.0])
class TestFastForm:
    """What can only go wrong in the fast form; ``limit`` -1 keeps it in log space."""

    @pytest.fixture(autouse=True)
    def _limit(self, monkeypatch: pytest.MonkeyPatch, limit: float) -> None:
        monkeypatch.setattr(packed, "_SAFE_TO_EXPONENTIATE", limit)

    @pytest.mark.parametrize("margin", [0.0, 5.0])
    @pytest.mark.parametrize("k", [1, 3])
    def test_gradcheck(self, k: int, margin: float) -> None:
        chain = random_chain((3, 2, 2, 1), k)
        gold, sizes = tags_of(chain), chain.packed.batch_sizes
        leaves = [t.requires_grad_() for t in arguments(chain)[:3]]
        assert torch.autograd.gradcheck(lambda e, t, s: crf.softmax_margin(e, gold, t, s, sizes, margin=margin), leaves)

    @pytest.mark.parametrize("block", [1, 9, 18, 26, 27])
    def test_blocks_of_pairs_do_not_show(self, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
        chain = random_chain((4, 2, 1), 3)
        whole = loss_and_gradients(packed, chain, tags_of(chain), 5.0)
        monkeypatch.setattr(packed, "_PAIR_BLOCK", block)
        for ours, theirs in zip(loss_and_gradients(packed, chain, tags_of(chain), 5.0), whole, strict=True):
            close(ours, theirs)

    def test_transitions_may_be_a_transposed_view(self) -> None:
        chain = random_chain((4, 2, 1), 3)
        expected = loss_and_gradients(packed, chain, tags_of(chain), 5.0)
        view = replace(chain, transitions=chain.transitions.T.contiguous().T)
        assert not view.transitions.is_contiguous()
        for ours, theirs in zip(loss_and_gradients(packed, view, tags_of(chain), 5.0), expected, strict=True):
            close(ours, theirs)

    @pytest.mark.usefixtures("uninitialised_is_nan")
    def test_no_row_is_read_beside_the_batch_or_before_it_is_written(self) -> None:
        chain = random_chain((5, 3, 3, 1), 4)
        poison = Chain(chain.packed, *(poisoned(t) for t in arguments(chain)[:3]))
        gold = tags_of(chain)
        expected = loss_and_gradients(reference, chain, gold, 5.0)
        for ours, theirs in zip(loss_and_gradients(packed, poison, gold, 5.0), expected, strict=True):
            close(ours, theirs)

    def test_a_second_derivative_is_refused(self) -> None:
        chain = random_chain((3, 1), 3)
        leaf = chain.emissions.requires_grad_()
        loss = crf.softmax_margin(leaf, tags_of(chain), *arguments(chain)[1:]).square().sum()
        gradient = torch.autograd.grad(loss, leaf, create_graph=True)[0]
        with pytest.raises(RuntimeError, match="once_differentiable"):
            gradient.sum().backward()

    @pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
    def test_single_precision(self, scale: float) -> None:
        """Up to the largest transitions that are exponentiated, where emissions hide the tag a path must come from."""
        chain = random_chain((20, 9, 1), 5, scale=2 * scale, draw=uniform, dtype=torch.float32)
        gold = tags_of(chain)
        double = Chain(chain.packed, *(t.double() for t in arguments(chain)[:3]))
        expected = loss_and_gradients(reference, double, gold, 5.0)
        tolerance = 1e-5 * max(1.0, scale)  # of probabilities: rounding of a path's score, 20 words long
        for ours, theirs in zip(loss_and_gradients(packed, chain, gold, 5.0), expected, strict=True):
            close(ours.double(), theirs, tolerance)


def uniform(shape: tuple[int, ...], **options: object) -> Tensor:
    """Between -1/2 and 1/2, with both ends drawn often."""
    return torch.rand(shape, **options).mul_(2).sub_(0.5).clamp_(0, 1).sub_(0.5)


def batch_sum(form: ModuleType, chain: Chain, gold: Tensor) -> tuple[Tensor, ...]:
    """The summed loss and its gradients by emissions, transitions and start."""
    leaves = [t.clone().requires_grad_() for t in arguments(chain)[:3]]
    loss = form.softmax_margin(leaves[0], gold, *leaves[1:], chain.packed.batch_sizes, margin=5.0).sum()
    return loss.detach(), *torch.autograd.grad(loss, leaves, materialize_grads=True)


def alone(chain: Chain, gold: Tensor, rows: Tensor) -> tuple[Chain, Tensor]:
    return replace(chain, packed=packing([len(rows)]), emissions=chain.emissions[rows]), gold[rows]


def sum_of(parts: Iterator[Tensor]) -> Tensor:
    return torch.stack(list(parts)).sum(0)


def batch_losses(form: ModuleType, chain: Chain, gold: Tensor) -> Tensor:
    """The loss of each sentence, in the caller's order."""
    losses = form.softmax_margin(chain.emissions, gold, *arguments(chain)[1:], margin=5.0)
    return losses[torch.tensor(chain.packed.order).argsort()]
