"""The CRF loss of the native core and its gradients, in float32, against the reference in float64 and enumeration."""

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polytag.training.ops import crf
from polytag.training.ops.crf import native, reference
from tests.oracles import Chain, poisoned, random_chain
from tests.training.ops.test_crf import arguments, loss_and_gradients, tags_of, uniform

FLOAT = torch.float32


def double(chain: Chain) -> Chain:
    return Chain(chain.packed, *(t.double() for t in arguments(chain)[:3]))


def equal_to_reference(chain: Chain, *, margin: float = 5.0, tolerance: float = 2e-5) -> None:
    gold = tags_of(chain)
    assert native.takes_loss(chain.emissions, chain.transitions)
    expected = loss_and_gradients(reference, double(chain), gold, margin)
    for ours, theirs in zip(loss_and_gradients(native, chain, gold, margin), expected, strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.usefixtures("instructions")
class TestLoss:
    @pytest.mark.parametrize("lengths", [(1,), (1, 1, 1), (4, 4), (2, 5, 1, 3, 3)], ids=str)
    @pytest.mark.parametrize("k", [1, 3])
    @pytest.mark.parametrize("margin", [0.0, 5.0])
    def test_all_paths(self, lengths: tuple[int, ...], k: int, margin: float) -> None:
        chain = random_chain(lengths, k, seed=k, dtype=FLOAT)
        gold = tags_of(chain)
        expected = loss_and_gradients(None, double(chain), gold, margin)
        for ours, theirs in zip(loss_and_gradients(native, chain, gold, margin), expected, strict=True):
            torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-5)

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        lengths=st.lists(st.integers(1, 8), min_size=1, max_size=12).map(tuple),
        k=st.integers(1, 70),
        seed=st.integers(0, 1000),
    )
    def test_any_shape(self, lengths: tuple[int, ...], k: int, seed: int) -> None:
        equal_to_reference(random_chain(lengths, k, seed=seed, dtype=FLOAT))

    @pytest.mark.parametrize("scale", [1.0, 30.0])
    def test_transitions_as_large_as_it_takes(self, scale: float) -> None:
        chain = random_chain((20, 9, 1), 5, scale=2 * scale, draw=uniform, dtype=FLOAT)
        equal_to_reference(chain, tolerance=1e-5 * max(1.0, scale))

    @pytest.mark.parametrize("scale", [100.0, 1e4])
    def test_large_emissions(self, scale: float) -> None:
        chain = random_chain((12, 7, 3), 6, dtype=FLOAT)
        equal_to_reference(replace(chain, emissions=chain.emissions * scale), tolerance=1e-5 * scale)

    def test_a_long_sentence(self) -> None:
        equal_to_reference(random_chain((3_000, 2), 4, dtype=FLOAT), tolerance=1e-3)  # sums of 3,000 terms

    @pytest.mark.usefixtures("uninitialised_is_nan")
    def test_nothing_is_read_beside_the_scores_or_before_it_is_written(self) -> None:
        chain = random_chain((5, 3, 3, 1), 4, dtype=FLOAT)
        poison = Chain(chain.packed, *(poisoned(t) for t in arguments(chain)[:3]))
        expected = loss_and_gradients(native, chain, tags_of(chain), 5.0)
        for ours, theirs in zip(loss_and_gradients(native, poison, tags_of(chain), 5.0), expected, strict=True):
            torch.testing.assert_close(ours, theirs)

    def test_nan_does_not_hide(self) -> None:
        chain = random_chain((4, 2), 3, dtype=FLOAT)
        chain.emissions[2] = torch.nan
        loss, d_emissions, *_ = loss_and_gradients(native, chain, tags_of(chain), 5.0)
        assert loss.isnan().any()
        assert d_emissions.isnan().any()


@pytest.mark.usefixtures("instructions")
def test_a_batch_without_sentences() -> None:
    chain = random_chain((), 3, dtype=FLOAT)
    loss, *gradients = loss_and_gradients(native, chain, tags_of(chain), 5.0)
    assert loss.shape == (0,)
    assert not any(gradient.any() for gradient in gradients)


def test_large_transitions_are_left_to_the_logarithms() -> None:
    chain = random_chain((3, 1), 3, scale=100.0, dtype=FLOAT)
    assert not native.takes_loss(chain.emissions, chain.transitions)
    gold = tags_of(chain)
    expected = reference.softmax_margin(
        chain.emissions.double(), gold, chain.transitions.double(), chain.start.double(), chain.packed.batch_sizes
    )
    found = crf.softmax_margin(chain.emissions, gold, *arguments(chain)[1:])
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-3)
