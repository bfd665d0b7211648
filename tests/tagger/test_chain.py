"""Sums and best paths over all tag sequences, in numpy and by the kernels, against enumeration, then laws."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from polytag import native
from polytag.native.checks import Floats, Numbers
from polytag.tagger import chain
from polytag.tagger.lattice import Lattice
from polytag.tagger.packing import Packing
from tests.oracles import Chain, pack, packing, poisoned, random_chain, unpack

BATCHES = ((1,), (1, 1, 1), (4, 4), (2, 5, 1, 3, 3))
SCALES = ((1.0, 1.0), (1e4, 10.0), (1e4, 1e4))  # of emissions and start, of transitions
LIMITS = {"as products": 30.0, "in log space": -1.0}
KERNELS = {"what computes here": native.kernels(), "numpy": native.reference}


@pytest.fixture(params=LIMITS)
def _limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log-sums as products of exponentials, and one by one."""
    monkeypatch.setattr(chain, "_SAFE_TO_EXPONENTIATE", LIMITS[request.param])


@pytest.fixture(params=[1 << 21, 1], ids=["whole", "row by row"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_PAIR_BLOCK", request.param)


@pytest.fixture(params=KERNELS)
def kernels(request: pytest.FixtureRequest) -> Any:
    return KERNELS[request.param]


def arguments(scores: Chain) -> tuple[Any, Any, Any, Packing]:
    """What the functions take; nothing of it may be written to, as in a model that is a view of its file."""
    arrays = [t.numpy().view() for t in (scores.emissions, scores.transitions, scores.start)]
    for array in arrays:
        array.flags.writeable = False
    return arrays[0], arrays[1], arrays[2], Packing.of(scores.packed.lengths)


def close(actual: Floats, expected: Tensor | Floats, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(actual, np.asarray(expected), rtol=tolerance, atol=tolerance)


def scaled(scores: Chain, high: float, across: float) -> Chain:
    return replace(
        scores,
        emissions=scores.emissions * high,
        transitions=scores.transitions * across,
        start=scores.start * high,
    )


def coarse(scores: Chain) -> Chain:
    """Halves: exact in float32, and many sequences tie."""
    return Chain(scores.packed, *((t * 2).round() / 2 for t in (scores.emissions, scores.transitions, scores.start)))


def forbidding(scores: Chain, seed: int) -> Chain:
    """Minus infinity forbids, as constrained decoding uses it; tag 0 may stand anywhere, so that a path is left."""
    k, generator = len(scores.start), torch.Generator().manual_seed(seed)

    def barred(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator) < 0.4

    moves, first, words = barred(k, k), barred(k), barred(scores.packed.n, k)
    moves[0] = moves[:, 0] = first[0] = words[:, 0] = False
    return replace(
        scores,
        emissions=scores.emissions.masked_fill(words, -math.inf),
        transitions=scores.transitions.masked_fill(moves, -math.inf),
        start=scores.start.masked_fill(first, -math.inf),
    )


def tags_of(scores: Chain, seed: int = 0) -> Tensor:
    n, k = scores.emissions.shape
    return torch.randint(k, (n,), generator=torch.Generator().manual_seed(seed))


def entropies(scores: Chain) -> Tensor:
    """Of all paths, one by one."""
    each = [torch.special.entr(own.softmax(0)).sum() for _, own in scores.paths()]
    return torch.stack(each) if each else torch.zeros(0)


def check_sums(scores: Chain) -> None:
    """All sums over paths."""
    given, total = arguments(scores), scores.log_partition() if scores.packed.n else torch.zeros(0)
    close(chain.log_partition(*given), total)
    shares = chain.marginals(*given)
    close(shares, scores.marginals())
    close(shares.sum(1), np.ones(scores.packed.n))
    close(chain.entropy(*given), entropies(scores))
    prefixes, suffixes, totals = chain.forward_backward(*given)
    close(totals, total)
    close(chain.log_sum(prefixes + suffixes), totals[given[3].sequences])  # the same in front of and behind any word


def check_nbest(scores: Chain, k: int) -> None:
    """Scores are the k largest of all; sequences are apart and score what is said."""
    tags, found = chain.nbest(*arguments(scores), k=k)
    expected = [own[own > -math.inf].sort(descending=True).values[:k] for _, own in scores.paths()]
    for sequence, (rows, own) in enumerate(zip(scores.packed.rows, expected, strict=True)):
        close(found[sequence, : len(own)], own)
        assert (found[sequence, len(own) :] == -math.inf).all()
        paths = [tuple(path) for path in tags[rows.numpy(), : len(own)].T.tolist()]
        assert len(set(paths)) == len(paths)
        close(torch.stack([scores._score(rows, torch.tensor([path]))[0] for path in paths]).numpy(), own)
    assert found.shape == (len(expected), tags.shape[1])
    assert tags.shape[0] == scores.packed.n


def best(kernels: Any, scores: Chain) -> tuple[Numbers, Floats]:
    """What a kernel finds; scores are rounded to float32 before."""
    emissions, transitions, start, packed = arguments(scores)
    return kernels.viterbi(*(np.float32(array) for array in (emissions, transitions, start)), packed.sizes)  # type: ignore[no-any-return]


def check_best(kernels: Any, scores: Chain) -> None:
    """The path has the best of all scores; scores must be exact in float32."""
    path, totals = best(kernels, scores)
    assert path.dtype == np.int32
    assert totals.dtype == np.float32
    if scores.packed.n:
        np.testing.assert_array_equal(totals, scores.best()[1])
        np.testing.assert_array_equal(scores.score(torch.from_numpy(path).long()), totals)


@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("lengths", BATCHES, ids=str)
class TestEnumeration:
    """Ragged batches against all K^T paths."""

    @pytest.fixture
    def scores(self, lengths: tuple[int, ...], k: int, scale: tuple[float, float]) -> Chain:
        return scaled(random_chain(lengths, k, seed=k + sum(lengths)), *scale)

    @pytest.mark.usefixtures("_limit", "_blocks")
    def test_sums(self, scores: Chain) -> None:
        check_sums(scores)

    @pytest.mark.usefixtures("_blocks")
    @pytest.mark.parametrize("count", [1, 2, 7, 400])
    def test_nbest(self, scores: Chain, count: int) -> None:
        check_nbest(scores, count)

    def test_the_scores_of_given_paths(self, scores: Chain) -> None:
        gold = tags_of(scores)
        close(chain.path_scores(*arguments(scores), gold.numpy()), scores.score(gold))

    def test_viterbi(self, kernels: Any, scores: Chain) -> None:
        path, totals = best(kernels, scores)
        expected, expected_totals = scores.best()
        np.testing.assert_array_equal(path, expected)
        close(totals, expected_totals, 1e-5)


ANY = {
    "lengths": st.lists(st.integers(1, 5), max_size=6).map(tuple),
    "k": st.integers(1, 4),
    "seed": st.integers(0, 999),
    "forbids": st.booleans(),
}
EXAMPLES = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def drawn(lengths: tuple[int, ...], k: int, seed: int, *, forbids: bool, scale: float = 1.0) -> Chain:
    scores = random_chain(lengths, k, seed=seed, scale=scale)
    return forbidding(scores, seed) if forbids else scores


class TestAnyShape:
    """Random ragged batches, some with what is forbidden, against all paths."""

    @pytest.mark.usefixtures("_limit")
    @EXAMPLES
    @given(**ANY, scale=st.sampled_from([0.0, 1.0, 40.0, 1e6]))
    def test_sums(self, lengths: tuple[int, ...], k: int, seed: int, forbids: bool, scale: float) -> None:
        check_sums(drawn(lengths, k, seed, forbids=forbids, scale=scale))

    @EXAMPLES
    @given(**ANY, count=st.integers(1, 40), ties=st.booleans())
    def test_nbest(self, lengths: tuple[int, ...], k: int, seed: int, forbids: bool, count: int, ties: bool) -> None:
        scores = drawn(lengths, k, seed, forbids=forbids)
        check_nbest(coarse(scores) if ties else scores, count)

    @EXAMPLES
    @given(**ANY, scale=st.sampled_from([1.0, 40.0, 1e4]))
    def test_viterbi(
        self, kernels: Any, lengths: tuple[int, ...], k: int, seed: int, forbids: bool, scale: float
    ) -> None:
        check_best(kernels, coarse(drawn(lengths, k, seed, forbids=forbids, scale=scale)))


@pytest.mark.parametrize("seed", range(4))
class TestForbidden:
    """Then there may be fewer sequences than wanted."""

    @pytest.fixture
    def scores(self, seed: int) -> Chain:
        return forbidding(random_chain((1, 5, 3, 3), 3, seed=seed), seed)

    @pytest.mark.usefixtures("_limit", "_blocks")
    def test_sums(self, scores: Chain) -> None:
        check_sums(scores)

    @pytest.mark.parametrize("count", [1, 3, 300])
    def test_nbest(self, scores: Chain, count: int) -> None:
        check_nbest(scores, count)

    def test_viterbi(self, kernels: Any, scores: Chain) -> None:
        path, totals = best(kernels, scores)
        assert path.tolist() == scores.best()[0].tolist()
        assert np.isfinite(totals).all()
        assert scores.score(torch.from_numpy(path).long()).isfinite().all()

    def test_a_tag_that_nothing_leads_to(self, kernels: Any, scores: Chain) -> None:
        scores.transitions[:, 1] = -math.inf
        check_sums(scores)
        check_nbest(scores, 5)
        assert best(kernels, scores)[0].tolist() == scores.best()[0].tolist()


class TestTies:
    @pytest.mark.parametrize("count", [1, 4, 100])
    def test_each_sequence_comes_once(self, count: int) -> None:
        check_nbest(coarse(random_chain((4, 2, 2, 1), 3)), count)

    @pytest.mark.parametrize("scale", [0.0, 0.6])
    def test_the_first_is_what_the_kernels_find(self, scale: float) -> None:
        for seed in range(10):
            scores = coarse(random_chain((12, 9, 9, 1), 5, seed=seed, scale=scale))
            tags, totals = chain.nbest(*arguments(scores), k=6)
            for kernels in KERNELS.values():
                path, found = best(kernels, scores)
                np.testing.assert_array_equal(tags[:, 0], path)
                np.testing.assert_array_equal(totals[:, 0], found)

    def test_of_equal_paths_the_first_tags_win(self, kernels: Any) -> None:
        assert not best(kernels, random_chain((6, 3), 5, scale=0.0))[0].any()


class TestLaws:
    """What must hold whatever the scores are."""

    @pytest.mark.usefixtures("_limit")
    def test_equal_scores_count_the_paths_and_leave_the_most_doubt(self) -> None:
        scores, expected = random_chain((20, 7, 1), 17, scale=0.0), np.array([20.0, 7.0, 1.0]) * math.log(17)
        close(chain.log_partition(*arguments(scores)), expected)
        close(chain.entropy(*arguments(scores)), expected)
        close(chain.marginals(*arguments(scores)), np.full((28, 17), 1 / 17))

    def test_large_scores_leave_no_doubt(self) -> None:
        close(chain.entropy(*arguments(random_chain((20, 7, 1), 5, scale=1e6))), np.zeros(3))

    def test_one_tag_leaves_no_doubt(self) -> None:
        scores = random_chain((4, 1), 1)
        close(chain.marginals(*arguments(scores)), np.ones((5, 1)))
        close(chain.entropy(*arguments(scores)), np.zeros(2))
        only = np.zeros(5, np.int64)
        close(chain.log_partition(*arguments(scores)), chain.path_scores(*arguments(scores), only))

    def test_the_score_of_the_best_path_is_the_maximum(self, kernels: Any) -> None:
        scores = random_chain((12, 9, 9, 1), 17)
        tags, totals = chain.nbest(*arguments(scores), k=2)
        path, found = best(kernels, scores)
        np.testing.assert_array_equal(path, tags[:, 0])
        close(chain.path_scores(*arguments(scores), tags[:, 0]), totals[:, 0])
        close(found, totals[:, 0], 1e-5)
        assert (totals[:, 0] > totals[:, 1]).all()
        assert (totals[:, 0] <= chain.log_partition(*arguments(scores))).all()

    def test_more_are_wanted_and_the_first_stay(self) -> None:
        scores = random_chain((9, 6, 6, 1), 4)
        few, many = (chain.nbest(*arguments(scores), k=k) for k in (3, 12))
        np.testing.assert_array_equal(few[0][:, :3], many[0][:, :3])
        np.testing.assert_array_equal(few[1], many[1][:, :3])

    @pytest.mark.parametrize("temperature", [1.0, 2.5])
    def test_the_loss_is_the_negative_log_likelihood(self, temperature: float) -> None:
        """As training has it with margin 0: gold score and log-partition over all paths."""
        scores = random_chain((6, 4, 4, 1), 4)
        gold = tags_of(scores)
        tempered = scaled(scores, 1 / temperature, 1 / temperature)
        expected = tempered.log_partition() - tempered.score(gold)
        close(expected.numpy(), tempered.softmax_margin(gold, 0.0))
        given = arguments(tempered)
        close(chain.log_partition(*given) - chain.path_scores(*given, gold.numpy()), expected)
        lattice = Lattice(*arguments(scores), temperature=temperature)
        close(lattice.loss(gold.numpy()), expected)
        assert (lattice.loss(gold.numpy()) > 0).all()

    def test_shares_of_sequences_sum_to_one(self) -> None:
        scores = random_chain((4, 3, 1), 3)
        _, totals = chain.nbest(*arguments(scores), k=100)
        close(np.exp(totals - chain.log_partition(*arguments(scores))[:, None]).sum(1), np.ones(3))

    @pytest.mark.usefixtures("_limit")
    def test_a_sentence_gives_alone_what_it_gives_in_a_batch(self) -> None:
        scores = random_chain((6, 4, 4, 1), 5)
        together = results(scores)
        for place, rows in zip(scores.packed.order, scores.packed.rows, strict=True):
            alone = replace(scores, packed=packing([len(rows)]), emissions=scores.emissions[rows])
            for ours, theirs in zip(results(alone)[0], together[place], strict=True):
                close(ours, theirs)

    @pytest.mark.usefixtures("_limit")
    def test_the_order_of_sentences_changes_nothing(self) -> None:
        lengths, shuffle = (4, 2, 6, 2, 1, 4), (3, 5, 0, 4, 2, 1)
        scores = random_chain(lengths, 5)
        sentences, other = unpack(scores.emissions, scores.packed), packing([lengths[i] for i in shuffle])
        shuffled = replace(scores, packed=other, emissions=pack([sentences[i] for i in shuffle], other))
        there, here = results(shuffled), results(scores)
        for place, index in enumerate(shuffle):
            for ours, theirs in zip(there[place], here[index], strict=True):
                close(ours, theirs)

    def test_no_sentence_is_too_long(self) -> None:
        """Against log-sums word by word; float32 would be off by 0.04."""
        scores = random_chain((3_000, 2), 4)
        for found, rows in zip(chain.log_partition(*arguments(scores)), scores.packed.rows, strict=True):
            sums = scores.start + scores.emissions[rows[0]]
            for row in rows[1:]:
                sums = (sums[:, None] + scores.transitions).logsumexp(0) + scores.emissions[row]
            assert found == pytest.approx(float(sums.logsumexp(0)), rel=1e-13)

    def test_an_empty_batch(self, kernels: Any) -> None:
        given = arguments(random_chain((), 3))
        assert chain.log_partition(*given).shape == (0,)
        assert chain.path_scores(*given, np.empty(0, np.int64)).shape == (0,)
        assert chain.marginals(*given).shape == (0, 3)
        assert chain.entropy(*given).shape == (0,)
        assert [found.size for found in chain.nbest(*given, k=3)] == [0, 0]
        assert [found.shape for found in best(kernels, random_chain((), 3))] == [(0,), (0,)]

    def test_the_row_before_is_that_of_the_word_before(self) -> None:
        for lengths in (*BATCHES, ()):
            packed = packing(lengths)
            before = {int(row): int(last) for rows in packed.rows for last, row in pairwise(rows)}
            assert chain.previous_rows(Packing.of(packed.lengths)).tolist() == [before[row] for row in sorted(before)]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log_partition": chain.log_partition,
    "marginals": chain.marginals,
    "entropy": chain.entropy,
    "nbest": lambda *given: chain.nbest(*given, k=4)[1],
    "path_scores": lambda *given: chain.path_scores(*given, np.arange(len(given[0])) % 4),
}


@pytest.mark.usefixtures("_limit")
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
class TestMemory:
    """How scores lie in memory, and what lies beside them, does not show."""

    @pytest.fixture
    def scores(self) -> Chain:
        return random_chain((5, 3, 3, 1), 4)

    def test_nothing_is_read_beside_the_batch_or_before_it_is_written(
        self, function: Callable[..., Any], scores: Chain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = function(*arguments(scores))
        poison = Chain(scores.packed, *map(poisoned, (scores.emissions, scores.transitions, scores.start)))
        for name in ("empty", "empty_like"):
            monkeypatch.setattr(np, name, filled(getattr(np, name)))
        np.testing.assert_array_equal(function(*arguments(poison)), expected)

    def test_scores_may_be_transposed_views(self, function: Callable[..., Any], scores: Chain) -> None:
        emissions, transitions, start, packed = arguments(scores)
        views = [array.T.copy().T for array in (emissions, transitions)]
        assert not any(array.flags.c_contiguous for array in views)
        close(function(*views, start, packed), function(emissions, transitions, start, packed), 1e-12)

    def test_blocks_of_pairs_do_not_show(
        self, function: Callable[..., Any], scores: Chain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = function(*arguments(scores))
        for size in (1, 15, 16, 32, 47, 48):
            monkeypatch.setattr(chain, "_PAIR_BLOCK", size)
            close(function(*arguments(scores)), whole, 1e-12)


def filled(make: Callable[..., Any]) -> Callable[..., Any]:
    """The same with NaN in all that holds floats."""

    def make_filled(*arguments: Any, **options: Any) -> Any:
        array = make(*arguments, **options)
        if array.dtype.kind == "f":
            array.fill(np.nan)
        return array

    return make_filled


def results(scores: Chain) -> Sequence[Sequence[Any]]:
    """Of each sentence, in the caller's order: sums, the best paths and their scores."""
    given = arguments(scores)
    packed = Packing.of([len(rows) for rows in unpack(scores.emissions, scores.packed)])
    tags, totals = chain.nbest(*given, k=3)
    path, _ = best(native.kernels(), scores)
    by_row = (packed.unpack(rows) for rows in (chain.marginals(*given), tags, path))
    by_sentence = (packed.in_order(of) for of in (chain.log_partition(*given), chain.entropy(*given), totals))
    return list(zip(*by_row, *by_sentence, strict=True))
