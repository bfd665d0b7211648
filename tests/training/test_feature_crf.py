"""The linear CRF on features against sums over words and places one by one, and its independence of the network."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from polytag.corpus.sentence import Sentence
from polytag.model import Model
from polytag.training import Step, Trainer, prepare
from polytag.training.batch import Batch, Packing
from polytag.training.feature_crf import PLACES, FeatureCrf
from polytag.training.network import Network
from polytag.vocabulary.features import EDGE, NONE, OWN, REACH, FeatureVocabulary
from tests import oracles, tiny
from tests.training import networks, toy

lengths = st.lists(st.integers(1, 6), min_size=1, max_size=6)


def one_by_one(crf: FeatureCrf, vocabulary: FeatureVocabulary, words: Sequence[str]) -> Tensor:
    """Scores of each tag at each word, [T, K]."""
    k = len(crf.start)
    around = crf.around.weight.view(-1, PLACES, k)
    rows = []
    for here, word in enumerate(words):
        score = torch.zeros(k)
        for index in vocabulary.indices(word)[:OWN]:
            score = score + (crf.own.weight[index] if index != NONE else 0)
        for place in range(PLACES):
            there = here + place - REACH
            seen = vocabulary.indices(words[there])[OWN:] if 0 <= there < len(words) else [EDGE]
            for index in seen:
                score = score + (around[index, place] if index != NONE else 0)
        rows.append(score)
    return torch.stack(rows)


def parts(model: Model) -> tuple[Network, FeatureCrf, FeatureVocabulary]:
    """A network with the weights of a model, and what its task "ner" has of features."""
    network, vocabulary = networks.network_of(model), model.vocabularies.tags["ner"].features
    assert vocabulary is not None
    return network, network.features("en")["ner"], vocabulary


def batch_of(model: Model, sentences: Sequence[Sentence]) -> Batch:
    tags = len(model.vocabularies.tags["ner"])
    gold = [np.arange(len(sentence)) % tags for sentence in sentences]
    return networks.batch_of(model.plan, model.vocabularies, sentences, "ner", tags=gold)


@given(lengths)
def test_neighbours_are_the_words_that_stand_there(lengths: list[int]) -> None:
    found, expected = Packing.of(lengths).neighbours(REACH), oracles.packing(lengths)
    for rows in expected.rows:
        for here, row in enumerate(rows.tolist()):
            places = range(here - REACH, here + REACH + 1)
            assert found[row].tolist() == [rows[p] if 0 <= p < len(rows) else expected.n for p in places]


@given(st.integers(0, 99))
@settings(max_examples=20)
def test_scores_and_gradients_are_those_of_words_one_by_one(seed: int) -> None:
    model, sentences = tiny.model(features=True, seed=seed), tiny.texts(5, seed=seed)
    _, crf, vocabulary = parts(model)
    batch = batch_of(model, sentences)
    found = crf.emissions(batch, "ner")
    expected = batch.packing.pack(np.arange(len(found)))  # which of all words stands in each row
    apart = torch.cat([one_by_one(crf, vocabulary, s.words) for s in sentences])[torch.from_numpy(expected)]
    torch.testing.assert_close(found, apart)
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(seed))
    gradients = [
        torch.autograd.grad((scores * weights).sum(), [crf.own.weight, crf.around.weight]) for scores in (found, apart)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one.to_dense(), other)


def test_tagging_adds_them_to_the_network_s_scores() -> None:
    """From its table of distinct words, which grows and forgets, as from a batch; transitions and START scores too."""
    tagger = tiny.tagger({"ner": "iob2", "other": "iob1"}, features=True)
    network, crf, vocabulary = parts(tagger.model)
    sentences = tiny.texts(700, unknown=0.8)
    for indices, lattice in tagger.lattices(sentences, "ner"):
        own = [sentences[i] for i in indices]
        batch = batch_of(tagger.model, own)
        alone = network.emissions(network.context(batch, "ner"), batch, "ner").detach().numpy()
        added = lattice.packing.unpack(lattice.emissions - alone)
        for sentence, scores in zip(own, added, strict=True):
            expected = one_by_one(crf, vocabulary, sentence.words).detach()
            torch.testing.assert_close(torch.from_numpy(scores), expected, rtol=1e-4, atol=1e-3)
        part = network.tags["ner"]
        assert lattice.transitions.tolist() == (part.transitions + crf.transitions).tolist()  # type: ignore[operator]
        assert lattice.start.tolist() == (part.start + crf.start).tolist()  # type: ignore[operator]


@pytest.mark.parametrize("margin", [0.0, 2.0])
def test_the_loss_is_that_of_the_network_and_that_of_the_features(margin: float) -> None:
    model, sentences = tiny.model(features=True), tiny.texts(3, longest=3)
    network, crf, _ = parts(model)
    batch = batch_of(model, sentences)
    assert batch.tags is not None
    packed = oracles.packing([len(s) for s in sentences])
    alone = network.emissions(network.context(batch, "ner"), batch, "ner")
    part = network.tags["ner"]
    chains = [
        oracles.Chain(packed, alone, part.transitions, part.start),  # type: ignore[arg-type]
        oracles.Chain(packed, crf.emissions(batch, "ner"), crf.transitions, crf.start),
    ]
    expected = sum(chain.softmax_margin(batch.tags, margin).mean() for chain in chains)
    torch.testing.assert_close(network.loss(batch, "ner", margin=margin), expected)


@pytest.mark.parametrize("settings", [{"clip": 0.5}, {"optimizer": "adam", "final_learning_rate": 1e-4}])
def test_beside_features_the_network_learns_the_same_bit_for_bit(tmp_path: Path, settings: dict[str, object]) -> None:
    toy.write_all(tmp_path)
    found = []
    for features in (False, True):
        trainer = Trainer(prepare(toy.plan(tmp_path, "ner", "xx", features=features, **settings)), tmp_path / "model")
        assert all(isinstance(event, Step) for event, _ in zip(trainer.events(), range(5), strict=False))
        found.append(trainer.network.state_dict())
    without, beside = found
    assert any(name.startswith("tags.ner.features.") for name in beside)
    assert all(torch.equal(without[name], beside[name]) for name in without)


def test_one_tag_part_of_two_languages_has_the_features_of_both(tmp_path: Path) -> None:
    toy.write_all(tmp_path)
    tables = toy.tables("ner", "xx", search=tmp_path)
    tables["tags"] = {"names": {"features": True}}
    for task in tables["tasks"].values():
        task["tags"] = "names"
    found = prepare(toy.make_plan(tables))
    vocabulary = found.vocabularies.tags["names"].features
    assert vocabulary is not None
    assert {"w=sees", "w=xsees"} <= set(vocabulary.own)
    assert found.network.features("en") == found.network.features("xx")


def test_they_learn_what_they_see(tmp_path: Path) -> None:
    """A network that learns nothing beside features that do: the tags of words that training never saw."""
    toy.write_all(tmp_path)
    tables = toy.tables("ner", search=tmp_path, features=True, learning_rate=1e-9, epochs=8)
    prepared = prepare(toy.make_plan(tables))
    trainer = Trainer(prepared, tmp_path / "model")
    for event in trainer.events():
        if not isinstance(event, Step):
            score = event.dev["ner"]
    assert score > 90
