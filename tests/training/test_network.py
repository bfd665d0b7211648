"""The whole network against enumeration and finite differences; every way to build it trains, saves, loads and tags."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from polytag import load, train
from polytag.corpus.sentence import Sentence
from polytag.training import Prepared, prepare
from polytag.training.batch import Batch
from polytag.training.torch_network import tensors_of
from tests import oracles
from tests.training import networks, toy

pytestmark = pytest.mark.filterwarnings("ignore:polytag's compiled core has no LSTM")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = toy.write_all(tmp_path_factory.mktemp("corpora"))
    (directory / "list.txt").write_text("PER anna\nPER carla smith\nLOC lima\nLOC new york\n")
    return directory


def small(corpora: Path, task: str = "pos", **parts: Mapping[str, Any]) -> Prepared:
    """A trained-looking network: weights of a size at which everything matters."""
    tables = toy.tables(task, search=corpora)
    for kind, settings in parts.items():
        for table in tables.setdefault(kind, {task: {}} if kind == "tags" else {}).values():
            table |= settings
    tables["initialisation"] = {"gru": 0.5, "chars": 0.5, "words": 0.5}
    found = prepare(toy.make_plan(tables))
    found.network.eval()
    return found


def batch_of(found: Prepared, sentences: list[Sentence], task: str) -> Batch:
    return networks.batch_of(found.plan, found.vocabularies, sentences, task)


def chain_of(found: Prepared, batch: Batch, lengths: list[int], task: str) -> oracles.Chain:
    network = found.network
    crf = network.tags[task]
    emissions = network.emissions(network.context(batch, task), batch, task)
    return oracles.Chain(oracles.packing(lengths), emissions, crf.transitions, crf.start)  # type: ignore[arg-type]


def losses_one_by_one(found: Prepared, sentences: list[Sentence], task: str, margin: float) -> Tensor:
    network = found.network
    return torch.stack([network.loss(batch_of(found, [s], task), task, margin=margin) for s in sentences])


@pytest.mark.parametrize("margin", [0.0, 5.0])
def test_the_loss_of_a_batch_is_the_mean_of_its_sentences(corpora: Path, margin: float) -> None:
    found = small(corpora, "ner")
    sentences = list(found.sentences["ner"]["train"])[:9]
    together = found.network.loss(batch_of(found, sentences, "ner"), "ner", margin=margin)
    torch.testing.assert_close(together, losses_one_by_one(found, sentences, "ner", margin).mean())


def test_a_sentence_s_scores_do_not_depend_on_its_batch(corpora: Path) -> None:
    found = small(corpora, "ner")
    network, sentences = found.network, list(found.sentences["ner"]["train"])
    batch = batch_of(found, sentences, "ner")
    together = network.emissions(network.context(batch, "ner"), batch, "ner").detach()
    for sentence, rows in zip(sentences, batch.packing.unpack(together.numpy()), strict=True):
        alone = batch_of(found, [sentence], "ner")
        scores = network.emissions(network.context(alone, "ner"), alone, "ner").detach()
        torch.testing.assert_close(torch.from_numpy(rows), scores, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("margin", [0.0, 2.0])
def test_the_loss_is_the_one_that_enumeration_gives(corpora: Path, margin: float) -> None:
    """Without a margin it is the negative log-likelihood: gold score and log-partition over all K to the T paths."""
    found = small(corpora)
    sentences = [s for s in found.sentences["pos"]["train"] if len(s) <= 6][:6]
    batch = batch_of(found, sentences, "pos")
    chain = chain_of(found, batch, [len(s) for s in sentences], "pos")
    assert batch.tags is not None
    loss = found.network.loss(batch, "pos", margin=margin)
    torch.testing.assert_close(loss, chain.softmax_margin(batch.tags, margin).mean(), rtol=1e-4, atol=1e-5)
    if not margin:
        likelihood = chain.score(batch.tags) - chain.log_partition()
        torch.testing.assert_close(loss, -likelihood.mean(), rtol=1e-4, atol=1e-5)
        assert (likelihood < 0).all()


def test_decoding_finds_the_best_of_all_paths(corpora: Path) -> None:
    found = small(corpora)
    sentences = [s for s in found.sentences["pos"]["train"] if len(s) <= 6]
    for indices, lattice in networks.tagger_of(found).lattices(sentences, "pos"):
        own = [sentences[index] for index in indices]
        chain = chain_of(found, batch_of(found, own, "pos"), [len(s) for s in own], "pos")
        assert lattice.best().tolist() == chain.best()[0].tolist()


@pytest.mark.parametrize("cell", ["reset_before", "reset_after", "lstm"])
@pytest.mark.parametrize("layers", [1, 2])
def test_gradients_agree_with_finite_differences(corpora: Path, cell: str, layers: int) -> None:
    part = {"hidden": 3, "dimension": 3, "layers": layers, "cell": cell, "bias": cell != "reset_before"}
    found = small(corpora, "ner", chars=part, words=part)
    network = found.network.double()
    batch = batch_of(found, list(found.sentences["ner"]["train"])[:4], "ner")
    network.loss(batch, "ner", margin=1.0).backward()
    choose = np.random.default_rng(1)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        gradient, values = parameter.grad.to_dense().flatten(), parameter.data.view(-1)
        reached = gradient.nonzero()[:, 0].numpy() if "embedding" in name else np.arange(len(gradient))
        for index in choose.choice(reached, min(3, len(reached)), replace=False):
            found_slope = slope(lambda: network.loss(batch, "ner", margin=1.0), values, int(index))
            assert float(gradient[index]) == pytest.approx(found_slope, rel=1e-5, abs=1e-8), name


def test_a_lower_layer_is_read_as_if_there_were_none_above(corpora: Path) -> None:
    """The loss and its gradients are those of a network without the layers above, which get none."""
    one, two = (small(corpora, "ner", words={"layers": layers, "dropout": 0.3}, tags={"layer": 1}) for layers in (1, 2))
    weights = {name: tensor for name, tensor in two.network.state_dict().items() if not name.endswith("weight.1")}
    one.network.load_state_dict(weights)
    losses = []
    for found in (one, two):
        batch = batch_of(found, list(found.sentences["ner"]["train"])[:5], "ner")
        loss = found.network.loss(batch, "ner", margin=1.0, generator=torch.Generator().manual_seed(3))
        loss.backward()
        losses.append(loss)
    assert torch.equal(*losses)
    lower = dict(one.network.named_parameters())
    for name, parameter in two.network.named_parameters():
        if name in lower:
            assert torch.equal(parameter.grad.to_dense(), lower[name].grad.to_dense()), name  # type: ignore[union-attr]
        else:
            assert parameter.grad is None, name
    assert two.network.state_dict().keys() - weights.keys() == {
        "words.en.gru.input_weight.1", "words.en.gru.recurrent_weight.1"
    }  # fmt: skip
    note = "words.en: no task reads above layer 1 of 2, so what is above learns nothing"
    assert note in two.notes
    assert note not in one.notes


def slope(loss: Any, values: Tensor, index: int, step: float = 1e-5) -> float:
    sides = []
    with torch.no_grad():
        for sign in (1, -1):
            values[index] += sign * step
            sides.append(float(loss()))
            values[index] -= sign * step
    return (sides[0] - sides[1]) / (2 * step)


ABLATIONS: dict[str, dict[str, Any]] = {
    "as the paper": {},
    "no characters": {"chars": None},
    "no word embeddings": {"words": {"embedding": False}},
    "reset after, bias": {
        "chars": {"cell": "reset_after", "bias": True}, "words": {"cell": "reset_after", "bias": True},
    },
    "LSTM, bias": {"chars": {"cell": "lstm", "bias": True}, "words": {"cell": "lstm", "bias": True}},
    "softmax": {"tags": {"output": "softmax"}},
    "softmax, features, constrained": {"tags": {"output": "softmax", "features": True, "constrained": True}},
    "one layer": {"chars": {"layers": 1}, "words": {"layers": 1}},
    "three layers": {"chars": {"layers": 3}, "words": {"layers": 3}},
    "no boundaries": {"chars": {"boundaries": False}},
    "a gazetteer": {"tags": {"gazetteer": "list.txt"}},
    "features": {"tags": {"features": True}},
    "constrained, IOB2": {"tags": {"constrained": True, "scheme": "iob2"}},
    "dropout everywhere": {"chars": {"dropout": 0.5}, "words": {"dropout": 0.5}, "tags": {"dropout": 0.5}},
}  # fmt: skip


@pytest.mark.parametrize("settings", ABLATIONS.values(), ids=ABLATIONS.keys())
def test_every_way_to_build_it_trains_saves_loads_and_tags(
    corpora: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    tables = toy.tables("ner", search=corpora, epochs=1)
    tables["tags"] = {"ner": settings.get("tags", {})}
    tables["words"]["en"] |= settings.get("words", {})
    if settings.get("chars", {}) is None:
        del tables["chars"], tables["tasks"]["ner"]["chars"]
    else:
        tables["chars"]["all"] |= settings.get("chars", {})
    plan = toy.make_plan(tables)
    before = prepare(plan).network.state_dict()
    trained = train(plan, output=tmp_path / "model")
    after = tensors_of(trained.model.arrays)
    assert before.keys() == after.keys()
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    is_softmax = settings.get("tags", {}).get("output") == "softmax"
    fixed = {name for name in after if is_softmax and name.endswith((".transitions", ".start"))}
    assert {name for name in after if torch.equal(before[name], after[name])} == fixed
    assert not any(after[name].any() for name in fixed)
    sentences = [Sentence(s.words) for s in toy.sentences(10, seed=9)]
    sentences.append(Sentence(("Unheard", "-of", "w" * 60)))
    again = list(load(tmp_path / "model").tag_all(sentences, confidence=True))
    assert again == list(trained.tag_all(sentences, confidence=True))
    assert all(0 <= p <= 1 for s in again for p in s.confidence["ner"])
    assert {tag[:1] for s in again for tag in s.tags["ner"]} <= {"B", "I", "O"}


def test_a_gazetteer_reaches_the_tags(corpora: Path) -> None:
    found = small(corpora, "ner", tags={"gazetteer": "list.txt"})
    network, sentences = found.network, [Sentence(("new", "york"), {"ner": ("B-LOC", "I-LOC")})]
    batch = batch_of(found, sentences, "ner")
    part = found.plan.tasks["ner"].tags
    crf = network.tags[part]
    columns = torch.tensor([1, 2])
    context = network.context(batch, "ner")
    plain = network.emissions(context, replace(batch, gazetteer={}), "ner")
    listed = network.emissions(context, replace(batch, gazetteer={part: columns}), "ner")
    assert torch.equal(listed, plain + crf.gazetteer[columns])  # type: ignore[index]
    assert batch.gazetteer[part].tolist() != [0, 0]
    assert torch.equal(network.emissions(context, batch, "ner"), plain + crf.gazetteer[batch.gazetteer[part]])  # type: ignore[index]


def test_gazetteer_dropout_hides_matches_where_there_is_a_generator(corpora: Path) -> None:
    found = small(corpora, "ner", tags={"gazetteer": "list.txt", "gazetteer_dropout": 0.5})
    network, part = found.network, found.plan.tasks["ner"].tags
    crf = network.tags[part]
    columns = torch.tensor([0, 1, 2]).repeat(100)
    nothing = torch.zeros(300, len(crf.projection))  # type: ignore[arg-type]
    listed, unlisted = crf.gazetteer[columns], crf.gazetteer[torch.zeros_like(columns)]  # type: ignore[index]
    assert torch.equal(crf.emissions(nothing, columns), listed)  # type: ignore[operator]
    scores = crf.emissions(nothing, columns, torch.Generator())  # type: ignore[operator]
    hidden = (scores == unlisted).all(1)
    assert torch.equal(scores, torch.where(hidden[:, None], unlisted, listed))
    assert 60 < int(hidden[columns != 0].sum()) < 140


def test_dropout_works_where_there_is_a_generator(corpora: Path) -> None:
    found = small(corpora, "ner", words={"dropout": 0.5})
    network = found.network
    batch = batch_of(found, list(found.sentences["ner"]["train"])[:4], "ner")
    plain, *dropped = (network.context(batch, "ner", generator=g) for g in (None, None, torch.Generator()))
    assert torch.equal(plain, dropped[0])
    assert not torch.equal(plain, dropped[1])


def test_initial_weights_are_drawn_as_the_plan_says(corpora: Path) -> None:
    tables = toy.tables("ner", search=corpora)
    tables["words"]["en"] |= {"hidden": 40, "dimension": 60}
    tables["initialisation"] = {"gru": 0.3, "chars": 0.02, "words": 0.004}
    weights = prepare(toy.make_plan(tables)).network.state_dict()
    for name, std in {
        "words.en.gru.recurrent_weight.0": 0.3, "words.en.gru.input_weight.0": 0.3,
        "chars.all.embedding.weight": 0.02, "words.en.embedding.weight": 0.004,
    }.items():  # fmt: skip
        assert float(weights[name].std()) == pytest.approx(std, rel=0.25), name
