"""Viterbi of the native core against the tensor form, and against enumeration of all paths."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polytag.training.ops import crf
from polytag.training.ops.crf import cpu, native
from tests.training.ops.test_crf import arguments
from tests.oracles import poisoned, random_chain

FLOAT = torch.float32


@pytest.mark.usefixtures("instructions")
class TestViterbi:
    @pytest.mark.parametrize("lengths", [(1,), (4, 4), (2, 5, 1, 3, 3)], ids=str)
    @pytest.mark.parametrize("k", [1, 3])
    @pytest.mark.parametrize("scale", [1.0, 1e4])
    def test_the_best_of_all_paths(self, lengths: tuple[int, ...], k: int, scale: float) -> None:
        chain = random_chain(lengths, k, seed=k, scale=scale, dtype=FLOAT)
        path, score = native.viterbi(*arguments(chain))
        best, best_score = chain.best()
        assert torch.equal(path, best)
        torch.testing.assert_close(score, best_score, rtol=1e-5, atol=1e-5)

    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        lengths=st.lists(st.integers(1, 8), max_size=12).map(tuple), k=st.integers(1, 150), seed=st.integers(0, 1000)
    )
    def test_any_shape(self, lengths: tuple[int, ...], k: int, seed: int) -> None:
        chain = random_chain(lengths, k, seed=seed, dtype=FLOAT)
        for ours, theirs in zip(native.viterbi(*arguments(chain)), cpu.viterbi(*arguments(chain)), strict=True):
            torch.testing.assert_close(ours, theirs)

    @pytest.mark.parametrize("k", [20, 70])
    def test_of_equal_paths_it_takes_the_one_that_the_tensor_form_takes(self, k: int) -> None:
        chain = random_chain((6, 3, 1), k, scale=0.0, dtype=FLOAT)
        assert torch.equal(native.viterbi(*arguments(chain))[0], cpu.viterbi(*arguments(chain))[0])
        chain = random_chain((9, 9, 4, 2), k, scale=2.0, dtype=FLOAT)
        whole = [tensor.round() for tensor in arguments(chain)[:3]]  # many ties
        assert torch.equal(
            native.viterbi(*whole, chain.packed.batch_sizes)[0], cpu.viterbi(*whole, chain.packed.batch_sizes)[0]
        )

    def test_forbidden_transitions(self) -> None:
        chain = random_chain((7, 5, 2), 5, seed=3, dtype=FLOAT)
        chain.transitions[1:, 2:] = -math.inf
        chain.start[1:3] = -math.inf
        path, score = native.viterbi(*arguments(chain))
        assert torch.equal(path, cpu.viterbi(*arguments(chain))[0])
        assert score.isfinite().all()

    @pytest.mark.usefixtures("uninitialised_is_nan")
    def test_nothing_is_read_beside_the_scores(self) -> None:
        chain = random_chain((5, 3, 3, 1), 4, dtype=FLOAT)
        scores = [poisoned(t) for t in arguments(chain)[:3]]
        path, _ = native.viterbi(*scores, chain.packed.batch_sizes)
        assert torch.equal(path, cpu.viterbi(*arguments(chain))[0])


def test_double_precision_stays_with_the_tensor_form() -> None:
    chain = random_chain((3, 1), 3)
    assert not native.usable(chain.emissions)
    assert torch.equal(crf.viterbi(*arguments(chain))[0], cpu.viterbi(*arguments(chain))[0])
