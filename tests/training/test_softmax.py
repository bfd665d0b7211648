"""A softmax for each word in place of the CRF: the loss that PyTorch has, and tags that do not see each other."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from polytag.corpus.sentence import Sentence
from polytag.tagger.tagging import Tagger
from polytag.training import prepare
from polytag.training.batch import Batch
from polytag.training.crf import Crf
from tests import tiny
from tests.training import toy
from tests.training.networks import batch_of, network_of


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return tiny.tagger({"ner": "iob2"}, output="softmax")


def parts(tagger: Tagger, sentences: list[Sentence]) -> tuple[Crf, Tensor, Batch]:
    """The tag part, the emissions of sentences and their batch, whose tags are drawn."""
    model, network = tagger.model, network_of(tagger.model)
    source, tags = np.random.default_rng(0), len(model.vocabularies.tags["ner"])
    gold = [source.integers(0, tags, len(sentence)) for sentence in sentences]
    batch = batch_of(model.plan, model.vocabularies, sentences, "ner", tags=gold)
    crf = network.tags["ner"]
    assert isinstance(crf, Crf)
    return crf, network.emissions(network.context(batch, "ner"), batch, "ner").detach().requires_grad_(), batch


def of_sentences(values: Tensor, batch: Batch) -> Tensor:
    """The sum over the words of each sentence, [B] in packed order."""
    sequence = torch.from_numpy(batch.packing.sequences)
    return torch.zeros(len(batch.packing.lengths)).index_add(0, sequence, values)


@pytest.mark.parametrize("margin", [0.0, 5.0])
def test_the_loss_is_the_cross_entropy_of_each_word_whatever_the_margin(tagger: Tagger, margin: float) -> None:
    crf, emissions, batch = parts(tagger, tiny.texts(12))
    assert batch.tags is not None
    found = crf.loss(emissions, batch, "ner", margin=margin)
    expected = of_sentences(F.cross_entropy(emissions, batch.tags, reduction="none"), batch)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(loss.sum(), emissions, retain_graph=True)[0] for loss in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-6)


def test_where_tags_are_unknown_it_sums_over_what_they_may_be(tagger: Tagger) -> None:
    crf, emissions, batch = parts(tagger, tiny.texts(12))
    assert batch.tags is not None
    allowed = F.one_hot(batch.tags, emissions.shape[1]).bool()
    allowed[::2, :3] = True
    found = crf.loss(emissions, replace(batch, tags=None, allowed=allowed), "ner", margin=5.0)
    known = emissions.log_softmax(1).masked_fill(~allowed, -torch.inf).logsumexp(1)
    torch.testing.assert_close(found, of_sentences(-known, batch))


def test_features_have_a_cross_entropy_of_their_own() -> None:
    tagger = tiny.tagger({"ner": "iob2"}, output="softmax", features=True)
    network, sentences = network_of(tagger.model), tiny.texts(6)
    gold = [np.arange(len(s)) % 3 for s in sentences]
    batch = batch_of(tagger.model.plan, tagger.model.vocabularies, sentences, "ner", tags=gold)
    crf = network.tags["ner"]
    assert isinstance(crf, Crf)
    assert crf.features is not None
    assert batch.tags is not None
    scores = (network.emissions(network.context(batch, "ner"), batch, "ner"), crf.features.emissions(batch, "ner"))
    expected = sum(of_sentences(F.cross_entropy(each, batch.tags, reduction="none"), batch) for each in scores)
    assert isinstance(expected, Tensor)
    torch.testing.assert_close(network.loss(batch, "ner", margin=5.0), expected.mean())


def test_tags_are_the_best_of_each_word_and_probabilities_its_softmax(tagger: Tagger) -> None:
    sentences = tiny.texts(40, longest=20)
    for indices, lattice in tagger.lattices(sentences, "ner"):
        assert lattice.best().tolist() == lattice.emissions.argmax(1).tolist()
        shares = lattice.packing.unpack(torch.from_numpy(lattice.emissions).double().softmax(1).numpy())
        for expected, found, best in zip(shares, lattice.marginals(), lattice.nbest(2), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-6)
            first, second = np.sort(expected, axis=1)[:, ::-1][:, :2].T
            assert best.probabilities[0] == pytest.approx(first.prod(), rel=1e-4)
            assert best.probabilities[1] == pytest.approx((second / first).max() * first.prod(), rel=1e-4)
        assert len(indices) == len(shares)


def test_tags_may_still_be_asked_to_be_valid(tagger: Tagger) -> None:
    sentences, vocabulary = tiny.texts(40, longest=20), tagger.model.vocabularies.tags["ner"]
    cut = 0
    for _, lattice in tagger.lattices(sentences, "ner", constrained=True):
        for row, tags in zip(
            lattice.packing.unpack(lattice.emissions), lattice.packing.unpack(lattice.best()), strict=True
        ):
            names = [vocabulary.tags[tag] for tag in tags]
            cut += row.argmax(1).tolist() != tags.tolist()
            assert not any(
                name[0] in "IE" and before[0] in "OES" for before, name in zip(["O", *names], names, strict=False)
            )
    assert cut, "or the test shows nothing"


@pytest.mark.parametrize(("margin", "told"), [(None, 0), (5.0, 0), (0.0, 0), (2.0, 1)])
def test_a_margin_that_somebody_chose_is_told_to_do_nothing(tmp_path: Path, margin: float | None, told: int) -> None:
    corpora = toy.write_all(tmp_path)
    tables = toy.tables("ner", search=corpora, **({} if margin is None else {"margin": margin}))
    tables["tags"] = {"ner": {"output": "softmax"}}
    notes = [note for note in prepare(toy.make_plan(tables)).notes if "margin" in note]
    told_of = "training.margin = 2 does nothing: tags.ner has output 'softmax', without a margin"
    assert notes == [told_of] * told
