"""The K best sequences and the entropy of a CRF against enumeration of all paths."""

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from torch import Tensor

from polytag.training.ops import crf
from polytag.training.ops.crf import cpu, reference
from tests.oracles import Chain, poisoned, random_chain
from tests.training.ops.test_crf import BATCHES, TestForbiddenTransitions, arguments, close

constrained = TestForbiddenTransitions.chain
FORMS = {"reference": reference, "fast": crf}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> ModuleType:
    return FORMS[request.param]


@pytest.fixture(params=[None, 1], ids=["whole", "row by row"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        for kernel in ("nbest", "entropy"):
            # By the file's name: under it the package has the function.
            monkeypatch.setattr(sys.modules[f"polytag.training.ops.crf.{kernel}"], "_PAIR_BLOCK", request.param)


def check_nbest(form: ModuleType, chain: Chain, k: int) -> None:
    """Scores are the k largest of all; sequences are apart and score what is said."""
    tags, scores = form.nbest(*arguments(chain), k=k)
    expected = [own[own > -math.inf].sort(descending=True).values[:k] for _, own in chain.paths()]
    for sequence, (rows, own) in enumerate(zip(chain.packed.rows, expected, strict=True)):
        close(scores[sequence, : len(own)], own)
        assert (scores[sequence, len(own) :] == -math.inf).all()
        paths = [tuple(path) for path in tags[rows, : len(own)].T.tolist()]
        assert len(set(paths)) == len(paths)
        close(torch.stack([chain._score(rows, torch.tensor([path]))[0] for path in paths]), own)
    assert scores.shape == (len(expected), tags.shape[1])
    assert tags.shape[0] == chain.packed.n


def entropies(chain: Chain) -> Tensor:
    """Of all paths, one by one."""
    return torch.stack([torch.special.entr(scores.softmax(0)).sum() for _, scores in chain.paths()])


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("tags", [1, 3])
@pytest.mark.parametrize("lengths", BATCHES, ids=str)
class TestEnumeration:
    @pytest.mark.parametrize("k", [1, 2, 7, 400])
    def test_nbest(self, form: ModuleType, lengths: tuple[int, ...], tags: int, k: int) -> None:
        check_nbest(form, random_chain(lengths, tags, seed=tags + k), k)

    @pytest.mark.parametrize("scale", [0.0, 1.0, 40.0])
    def test_entropy(self, form: ModuleType, lengths: tuple[int, ...], tags: int, scale: float) -> None:
        chain = random_chain(lengths, tags, seed=tags, scale=scale)
        close(form.entropy(*arguments(chain)), entropies(chain))


@pytest.mark.parametrize("seed", range(4))
class TestForbidden:
    """Minus infinity forbids; then there may be fewer sequences than wanted."""

    @pytest.mark.parametrize("k", [1, 3, 300])
    def test_nbest(self, form: ModuleType, seed: int, k: int) -> None:
        check_nbest(form, constrained(seed), k)

    def test_entropy(self, form: ModuleType, seed: int) -> None:
        close(form.entropy(*arguments(constrained(seed))), entropies(constrained(seed)))

    def test_a_tag_that_nothing_leads_to(self, form: ModuleType, seed: int) -> None:
        chain = constrained(seed)
        chain = replace(chain, transitions=chain.transitions.clone())
        chain.transitions[:, 1] = -math.inf
        check_nbest(form, chain, 5)
        close(form.entropy(*arguments(chain)), entropies(chain))


class TestTies:
    @pytest.mark.parametrize("k", [1, 4, 100])
    def test_each_sequence_comes_once(self, form: ModuleType, k: int) -> None:
        chain = random_chain((4, 2, 2, 1), 3)
        halves = [(scores * 2).round() / 2 for scores in arguments(chain)[:3]]
        check_nbest(form, Chain(chain.packed, *halves), k)

    @pytest.mark.parametrize("scale", [0.0, 0.6])
    def test_the_first_is_what_viterbi_finds(self, scale: float) -> None:
        for seed in range(10):
            chain = random_chain((12, 9, 9, 1), 5, seed=seed, scale=scale)
            whole = Chain(chain.packed, *(scores.round() for scores in arguments(chain)[:3]))
            tags, scores = crf.nbest(*arguments(whole), k=6)
            path, best = cpu.viterbi(*arguments(whole))
            assert torch.equal(tags[:, 0], path)
            assert torch.equal(scores[:, 0], best)


class TestLaws:
    def test_more_are_wanted_and_the_first_stay(self, form: ModuleType) -> None:
        chain = random_chain((9, 6, 6, 1), 4)
        few, many = (form.nbest(*arguments(chain), k=k) for k in (3, 12))
        assert torch.equal(few[0][:, :3], many[0][:, :3])
        assert torch.equal(few[1], many[1][:, :3])

    def test_equal_scores_leave_the_most_doubt(self, form: ModuleType) -> None:
        chain = random_chain((20, 7, 1), 17, scale=0.0)
        close(form.entropy(*arguments(chain)), torch.tensor([20.0, 7.0, 1.0]).double() * math.log(17))

    def test_large_scores_leave_none(self) -> None:
        chain = random_chain((20, 7, 1), 5, scale=1e6)
        close(crf.entropy(*arguments(chain)), torch.zeros(3, dtype=torch.float64))

    def test_empty_batch(self, form: ModuleType) -> None:
        chain = random_chain((), 3)
        assert [found.numel() for found in form.nbest(*arguments(chain), k=3)] == [0, 0]
        assert form.entropy(*arguments(chain)).shape == (0,)

    @pytest.mark.usefixtures("uninitialised_is_nan")
    @pytest.mark.parametrize("kernel", [lambda *a: crf.nbest(*a, k=4)[1], crf.entropy], ids=["nbest", "entropy"])
    def test_no_row_is_read_beside_the_batch(self, kernel: Callable[..., Tensor]) -> None:
        chain = random_chain((5, 3, 3, 1), 4)
        poison = Chain(chain.packed, *(poisoned(scores) for scores in arguments(chain)[:3]))
        assert torch.equal(kernel(*arguments(poison)), kernel(*arguments(chain)))

    def test_the_scores_given_stay_as_they_are(self) -> None:
        chain = random_chain((5, 3, 1), 4)
        before = [scores.clone() for scores in arguments(chain)[:3]]
        crf.nbest(*arguments(chain), k=4)
        crf.entropy(*arguments(chain))
        assert all(torch.equal(a, b) for a, b in zip(before, arguments(chain)[:3], strict=True))
