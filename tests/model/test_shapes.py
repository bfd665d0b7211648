"""The shapes that a plan calls for, computed from it alone, are those of the network that it makes."""

from typing import Any

import pytest

from polytag.errors import PlanError
from polytag.model import shapes
from polytag.training.network import Network
from polytag.vocabulary.features import FeatureVocabulary
from polytag.vocabulary.gazetteer import Gazetteer
from tests.model.models import FEATURES, GAZETTEER, make_parts

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


@pytest.mark.parametrize("features", [None, FEATURES], ids=["", "features"])
@pytest.mark.parametrize("gazetteer", [None, GAZETTEER], ids=["", "gazetteer"])
@pytest.mark.parametrize("name", PLANS)
def test_they_are_those_of_the_network(
    name: str, gazetteer: Gazetteer | None, features: FeatureVocabulary | None
) -> None:
    plan, vocabularies = make_parts(PLANS[name], gazetteer, features)
    network = Network(plan, vocabularies)
    assert shapes(plan, vocabularies) == {name: tuple(t.shape) for name, t in network.state_dict().items()}


def test_a_tag_part_reads_one_width() -> None:
    plan, vocabularies = make_parts({
        "words": {"en": {"hidden": 6}, "nl": {"hidden": 7}},
        "tags": {"spans": {}},
        "tasks": {"ner": {"words": "en", "tags": "spans"}, "ned": {"words": "nl", "tags": "spans"}},
        "chars": {},
    })  # fmt: skip
    with pytest.raises(PlanError, match=r"tags.spans: .* different widths \(12 and 14\)"):
        shapes(plan, vocabularies)
