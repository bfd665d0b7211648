"""What is trained is what runs: the network's scores of tag sequences are the engine's, for every way to build it.

The engine computes by the native core, or in numpy where there is none; both are held against the network.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polytag import native
from polytag.corpus.schemes import allowed
from polytag.corpus.sentence import Sentence
from polytag.model import Model
from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.tagger.lattice import Lattice
from polytag.tagger.tagging import Tagger
from polytag.training.crf import Crf
from polytag.vocabulary.clusters import build_clusters
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vocabularies import Vocabularies, build_chars, build_words
from tests import tiny
from tests.training.networks import batch_of, network_of

pytestmark = pytest.mark.filterwarnings("ignore:polytag's compiled core has no LSTM")

LONG = "Donaudampfschifffahrtsgesellschaft"  # cut for its characters
KNOWN = [Sentence((*tiny.WORDS, LONG, "New", "York", "ÅNGSTRÖM"))]
GAZETTEER = Gazetteer.from_entries([("LOC", ("New", "York")), ("PER", ("Ann",)), ("PER", ("Ann", "Lee"))])
TASKS = {"ner": ("en", "ner"), "other": ("en", "other"), "same": ("en", "ner"), "foreign": ("xx", "ner")}

Settings = dict[str, Any]

WAYS: dict[str, Settings] = {
    "as the paper": {},
    "no characters": {"chars": None},
    "no word embeddings": {"words": {"embedding": False}},
    "reset after": {"chars": {"cell": "reset_after"}, "words": {"cell": "reset_after"}},
    "reset after, bias": {
        "chars": {"cell": "reset_after", "bias": True}, "words": {"cell": "reset_after", "bias": True},
    },
    "bias": {"chars": {"bias": True}, "words": {"bias": True}},
    "LSTM": {"chars": {"cell": "lstm"}, "words": {"cell": "lstm"}},
    "LSTM, bias": {"chars": {"cell": "lstm", "bias": True}, "words": {"cell": "lstm", "bias": True}},
    "LSTM of words alone": {"words": {"cell": "lstm", "bias": True}, "features": True},
    "one layer": {"chars": {"layers": 1}, "words": {"layers": 1}},
    "three layers": {"chars": {"layers": 3}, "words": {"layers": 3}},
    "wide": {"chars": {"dimension": 20, "hidden": 33}, "words": {"dimension": 30, "hidden": 70}},
    "no boundaries": {"chars": {"boundaries": False}},
    "words as they are written": {"words": {"lowercase": False, "zero_digits": False}},
    "few characters": {"words": {"max_characters": 3}},
    "a gazetteer": {"gazetteer": True},
    "features": {"features": True},
    "a gazetteer, features": {"gazetteer": True, "features": True},
    "clusters": {"features": True, "clusters": {"en": 1}},
    "clusters, words as they are written": {
        "features": True, "clusters": {"en": 2}, "words": {"lowercase": False, "zero_digits": False},
    },
    "clusters of several languages, more of one": {
        "features": True, "clusters": {"en": 1, "xx": 2}, "tasks": ["ner", "foreign", "other"],
    },
    "clusters of one language of several": {
        "features": True, "clusters": {"xx": 1}, "tasks": ["ner", "foreign", "other"],
    },
    "constrained": {"tags": {"constrained": True}},
    "softmax": {"tags": {"output": "softmax"}, "gazetteer": True},
    "softmax, constrained, features": {"tags": {"output": "softmax", "constrained": True}, "features": True},
    "constrained, IOB2, features": {"tags": {"constrained": True, "scheme": "iob2"}, "features": True},
    "several tasks": {"tasks": ["ner", "other"], "features": True, "gazetteer": True},
    "tasks that read several layers": {
        "tasks": ["ner", "foreign", "other"], "words": {"layers": 3}, "reads": {"other": 1, "ner": 2}, "features": True,
    },
    "the lowest layer alone": {"words": {"layers": 2}, "reads": {"ner": 1}},
    "tasks that share their tags": {"tasks": ["ner", "same", "other"], "tags": {"constrained": True}},
    "several languages": {"tasks": ["ner", "foreign", "other"], "features": True, "gazetteer": True},
    "dropout, which running has none of": {
        "chars": {"dropout": 0.5}, "words": {"dropout": 0.5}, "tags": {"dropout": 0.5, "gazetteer_dropout": 0.5},
        "gazetteer": True,
    },
}  # fmt: skip

_recurrent = {
    "layers": st.integers(1, 3), "dimension": st.integers(1, 9), "hidden": st.integers(1, 40),
    "cell": st.sampled_from(["reset_before", "reset_after", "lstm"]), "bias": st.booleans(),
}  # fmt: skip
_chars = st.fixed_dictionaries({**_recurrent, "boundaries": st.booleans()})
_words = st.fixed_dictionaries({
    **_recurrent, "embedding": st.booleans(), "lowercase": st.booleans(), "zero_digits": st.booleans(),
    "max_characters": st.integers(3, 40),
})  # fmt: skip
_tags = st.fixed_dictionaries({"constrained": st.booleans(), "scheme": st.sampled_from(["iob1", "iob2", "bioes"])})
ANY = st.fixed_dictionaries({
    "chars": st.none() | _chars, "words": _words, "tags": _tags, "gazetteer": st.booleans(), "features": st.booleans(),
    "clusters": st.dictionaries(st.sampled_from(["en", "xx"]), st.integers(1, 2)),
    "tasks": st.lists(st.sampled_from(sorted(TASKS)), min_size=1, unique=True),
    "reads": st.dictionaries(st.sampled_from(["ner", "other"]), st.integers(1, 3)),
}).filter(lambda ways: ways["chars"] is not None or ways["words"]["embedding"])  # fmt: skip


@pytest.fixture(params=["native core", "numpy"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the engine computes with."""
    if request.param == "numpy":
        monkeypatch.setattr(native, "kernels", lambda: native.reference)
    elif not native.available():
        pytest.skip("the native core was not built (is there a C++ compiler?)")
    return str(request.param)


def plan_of(ways: Settings) -> Plan:
    tasks = {task: TASKS[task] for task in ways.get("tasks", ["ner"])}
    chars, words = ({"dimension": 3, "hidden": 3} | (ways.get(kind) or {}) for kind in ("chars", "words"))
    reads = {part: min(layer, words.get("layers", 2)) for part, layer in ways.get("reads", {}).items()}
    with_chars = {} if ways.get("chars", {}) is None else {"chars": "all"}
    return make_plan({
        "chars": {"all": chars} if with_chars else {},
        "words": {name: {"max_characters": 20} | words for name, _ in tasks.values()},
        "tags": {
            part: {
                "scheme": "bioes", "features": ways.get("features", False), "layer": reads.get(part),
                **ways.get("tags", {}),
            }
            for _, part in tasks.values()
        },
        "tasks": {
            task: {**with_chars, "words": name, "tags": part, "train": "-", "scheme": "iob2"}
            for task, (name, part) in tasks.items()
        },
    })  # fmt: skip


def model_of(ways: Settings, *, seed: int = 0) -> Model:
    """Random weights of a size at which everything matters and nothing is saturated."""
    plan = plan_of(ways)
    clusters = {
        name: build_clusters(name, [tiny.CLUSTERED] * times)
        for name, times in ways.get("clusters", {}).items() if name in plan.words
    }  # fmt: skip
    vocabularies = Vocabularies(
        chars={name: build_chars(KNOWN, boundaries=chars.boundaries) for name, chars in plan.chars.items()},
        words={
            name: build_words(
                KNOWN, lowercase=words.lowercase, zero_digits=words.zero_digits, clusters=clusters.get(name)
            )
            for name, words in plan.words.items()
        },
        tags=tiny.tag_vocabularies(
            plan, dict.fromkeys(plan.tags, "iob2"), scheme=next(iter(plan.tags.values())).scheme, labels=tiny.SPANS,
            gazetteer=GAZETTEER if ways.get("gazetteer") else None, known=KNOWN, clusters=clusters.values(),
        ),
    )  # fmt: skip
    drawn = tiny.drawn(plan, vocabularies, seed=seed)
    return Model(plan, vocabularies, {name: array * _size(name, array) for name, array in drawn.arrays.items()})


def _size(name: str, array: npt.NDArray[np.float32]) -> np.float32:
    """What keeps sums over a matrix's rows at a size of 1."""
    return np.float32(array.shape[-2] ** -0.5 if "weight." in name or name.endswith("projection") else 1)


def texts(seed: int) -> list[Sentence]:
    """Ragged sentences: unknown words, long ones, one with none, matches in the gazetteer."""
    whole = "Ann Lee saw New York and New hills ; Ann"
    unknown = f"{LONG} {LONG}x {'q' * 100} 1789 7 NEW york Café ☃ ångström"
    return [Sentence(tuple(whole.split())), *tiny.texts(9, seed=seed), Sentence(()), Sentence(tuple(unknown.split()))]


def lattices(tagger: Tagger, sentences: Sequence[Sentence], task: str) -> Iterator[tuple[list[Sentence], Lattice]]:
    for indices, lattice in tagger.lattices(sentences, task):
        yield [sentences[index] for index in indices], lattice


@torch.no_grad()
def trained(model: Model, sentences: Sequence[Sentence], task: str) -> tuple[npt.NDArray[Any], ...]:
    """Emissions [N, K], transitions [K, K] and START scores [K], as the learning half has them."""
    network, part = network_of(model), model.plan.tasks[task].tags
    batch, crf = batch_of(model.plan, model.vocabularies, sentences, task), network.tags[part]
    assert isinstance(crf, Crf)
    emissions = network.emissions(network.context(batch, task), batch, task)
    transitions, start = crf.transitions, crf.start
    if crf.features is not None:
        emissions = emissions + crf.features.emissions(batch, part)
        transitions, start = transitions + crf.features.transitions, start + crf.features.start  # type: ignore[assignment]
    found = [tensor.numpy() for tensor in (emissions, transitions, start)]
    if model.plan.tags[part].constrained:
        vocabulary = model.vocabularies.tags[part]
        first, step, last = (
            np.where(np.array(valid), 0.0, -np.inf) for valid in allowed(vocabulary.tags, vocabulary.scheme)
        )
        found = [found[0].copy(), found[1] + step, found[2] + first]
        found[0][batch.packing.last] += last
    return tuple(found)


def check(model: Model, sentences: Sequence[Sentence]) -> None:
    tagger = Tagger(model)
    for task in model.plan.tasks:
        seen = 0
        for own, lattice in lattices(tagger, sentences, task):
            expected = trained(model, own, task)
            for name, array in zip(("emissions", "transitions", "start"), expected, strict=True):
                np.testing.assert_allclose(getattr(lattice, name), array, rtol=0, atol=1e-5, err_msg=f"{task}: {name}")
            seen += len(own)
        assert seen == sum(1 for sentence in sentences if len(sentence))


@pytest.mark.usefixtures("form")
class TestScores:
    @pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS.keys())
    def test_of_every_way_to_build_a_network(self, ways: Settings) -> None:
        check(model_of(ways), texts(0))

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(ways=ANY, seed=st.integers(0, 999))
    def test_of_any_combination(self, ways: Settings, seed: int) -> None:
        check(model_of(ways, seed=seed), texts(seed))

    def test_batches_of_the_engine_s_own(self) -> None:
        """Many sentences: several batches, and more words than are computed at a time."""
        check(model_of({"features": True, "gazetteer": True}), tiny.texts(700, unknown=0.8))

    @pytest.mark.parametrize("ways", ["as the paper", "a gazetteer", "reset after, bias", "LSTM, bias"])
    def test_losses_are_those_of_training(self, ways: str) -> None:
        """Without a margin; with features training has two losses, of which neither is that of the sum."""
        model, sentences = model_of(WAYS[ways]), texts(0)
        count = len(model.vocabularies.tags["ner"])
        for own, lattice in lattices(Tagger(model), sentences, "ner"):
            gold = [np.arange(len(sentence)) % count for sentence in own]
            batch = batch_of(model.plan, model.vocabularies, own, "ner", tags=gold)
            expected = float(network_of(model).loss(batch, "ner", margin=0.0).detach())
            found = lattice.loss(lattice.packing.pack(np.concatenate(gold)))
            assert found.mean() == pytest.approx(expected, rel=1e-5)


def test_both_forms_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine takes its kernels where the tests put them."""
    monkeypatch.setattr(native, "kernels", lambda: native.reference)
    engine = Tagger(model_of({})).engine
    assert isinstance(engine.part("ner").projection, native.reference.Matrix)
    assert all(isinstance(layer, native.reference.Layer) for layer in engine.language("ner")._layers)
