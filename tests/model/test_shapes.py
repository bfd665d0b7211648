"""The shapes that a plan calls for, computed from it alone, are those of the network that it makes."""

from typing import Any

import pytest

from polytag.errors import PlanError
from polytag.model import shapes
from polytag.plan_file import make_plan
from polytag.training.network import Network
from polytag.vocabulary.features import FeatureVocabulary
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, Vocabularies, WordVocabulary

GAZETTEER = Gazetteer.from_entries([("LOC", ("New", "York")), ("PER", ("Ada",))])
FEATURES = FeatureVocabulary(("w=a", "w=b", "s=x"), ("l=a", "c=000"))
PLANS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "layers and biases": {
        "chars": {"latin": {"layers": 3, "bias": True, "hidden": 4}},
        "words": {"en": {"layers": 2, "bias": True, "hidden": 6}},
    },
    "no characters": {"chars": {}, "tasks": {"ner": {"words": "en"}}},
    "no embedding": {"words": {"en": {"embedding": False, "layers": 2, "hidden": 5}}},
    "two languages, one alphabet": {
        "words": {"en": {"hidden": 6}, "nl": {"hidden": 6, "dimension": 9}},
        "tags": {"spans": {}},
        "tasks": {
            "ner": {"chars": "latin", "words": "en", "tags": "spans"},
            "ned": {"chars": "latin", "words": "nl", "tags": "spans"},
            "pos": {"words": "nl", "chars": "latin"},
        },
    },
}


def make(tables: dict[str, Any], gazetteer: Gazetteer | None = None, features: FeatureVocabulary | None = None) -> Any:
    plan = make_plan({
        "chars": tables.get("chars", {"latin": {"hidden": 4, "layers": 1}}),
        "words": tables.get("words", {"en": {"hidden": 6, "layers": 1}}),
        "tags": tables.get("tags", {}),
        "tasks": {
            task: {"train": ["x"], **parts}
            for task, parts in tables.get("tasks", {"ner": {"chars": "latin", "words": "en"}}).items()
        },
    })  # fmt: skip
    return plan, Vocabularies(
        chars={name: CharVocabulary("abc") for name in plan.chars},
        words={name: WordVocabulary(("a", "b", "c", "d"), 2) for name in plan.words},
        tags={name: TagVocabulary(("O", "S-X", "B-X"), "bioes", "bioes", gazetteer, features) for name in plan.tags},
    )


@pytest.mark.parametrize("features", [None, FEATURES], ids=["", "features"])
@pytest.mark.parametrize("gazetteer", [None, GAZETTEER], ids=["", "gazetteer"])
@pytest.mark.parametrize("name", PLANS)
def test_they_are_those_of_the_network(
    name: str, gazetteer: Gazetteer | None, features: FeatureVocabulary | None
) -> None:
    plan, vocabularies = make(PLANS[name], gazetteer, features)
    network = Network(plan, vocabularies)
    assert shapes(plan, vocabularies) == {name: tuple(t.shape) for name, t in network.state_dict().items()}


def test_a_tag_part_reads_one_width() -> None:
    plan, vocabularies = make({
        "words": {"en": {"hidden": 6}, "nl": {"hidden": 7}},
        "tags": {"spans": {}},
        "tasks": {"ner": {"words": "en", "tags": "spans"}, "ned": {"words": "nl", "tags": "spans"}},
        "chars": {},
    })  # fmt: skip
    with pytest.raises(PlanError, match=r"tags.spans: .* different widths \(12 and 14\)"):
        shapes(plan, vocabularies)
