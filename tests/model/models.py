"""Small models made by hand, without a training."""

from typing import Any

import numpy as np

from polytag.model import Model, shapes
from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.vocabulary.features import FeatureVocabulary
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, Vocabularies, WordVocabulary

GAZETTEER = Gazetteer.from_entries([("LOC", ("New", "York")), ("PER", ("Ada",))])
FEATURES = FeatureVocabulary(("w=a", "w=b", "s=x"), ("l=a", "c=000"))
WORDS = WordVocabulary(("the", "Ada", "lima", "a", "of", "zebra", "in", "apple"), 3, lowercase=False)


def make_parts(
    tables: dict[str, Any], gazetteer: Gazetteer | None = None, features: FeatureVocabulary | None = None
) -> tuple[Plan, Vocabularies]:
    """A plan of some tables (one task with characters, unless they say otherwise) and its vocabularies."""
    plan = make_plan({
        "chars": tables.get("chars", {"latin": {"hidden": 4, "layers": 1}}),
        "words": tables.get("words", {"en": {"hidden": 6, "layers": 1}}),
        "tags": tables.get("tags", {}),
        "tasks": {
            task: {"train": ["x"], "scheme": "bioes", **parts}
            for task, parts in tables.get("tasks", {"ner": {"chars": "latin", "words": "en"}}).items()
        },
    })  # fmt: skip
    return plan, Vocabularies(
        chars={name: CharVocabulary("abc") for name in plan.chars},
        words=dict.fromkeys(plan.words, WORDS),
        tags={name: TagVocabulary(("O", "S-X", "B-X"), "bioes", gazetteer, features) for name in plan.tags},
    )


def make_model(tables: dict[str, Any] | None = None) -> Model:
    """A model with features and a gazetteer, whose weights are drawn."""
    plan, vocabularies = make_parts(tables or {}, GAZETTEER, FEATURES)
    draw = np.random.default_rng(7)
    arrays = {name: draw.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes(plan, vocabularies).items()}
    return Model(plan, vocabularies, arrays, {"ner": 2.5})
