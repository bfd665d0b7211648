"""Settings that do nothing beside others, or the reverse of what they are for: told, for nobody means them."""

from collections.abc import Iterator
from typing import Any

from polytag.plan import Plan
from polytag.plan.defaults import recipes


def idle_settings(plan: Plan) -> list[str]:
    """A sentence for each; what the recipe sets for all plans is not told."""
    recipe = recipes()[plan.training.recipe]
    return [
        *(f"{place}.{key} = {value:g} does nothing: {why}" for place, key, value, why in _unused(plan)
          if value not in (0.0, recipe.get(place.partition(".")[0], {}).get(key))),
        *_layers(plan),
        *_rising(plan),
    ]  # fmt: skip


def _unused(plan: Plan) -> Iterator[tuple[str, str, Any, str]]:
    """The table, the key and the value of settings that nothing reads, with the reason."""
    for name, words in plan.words.items():
        if not words.embedding:
            yield f"words.{name}", "unknown", words.unknown, "it has no word embeddings"
    for name, tags in plan.tags.items():
        if tags.output == "softmax":
            yield "training", "margin", plan.training.margin, f"tags.{name} has output 'softmax', without a margin"
        if tags.gazetteer is None:
            yield f"tags.{name}", "gazetteer_dropout", tags.gazetteer_dropout, "it has no gazetteer"
    if not any(task.dev or task.holds_out for task in plan.tasks.values()):
        yield "training", "patience", plan.training.patience or 0, "no task has dev files or a holdout"


def _layers(plan: Plan) -> Iterator[str]:
    """Layers above those that tasks read learn nothing."""
    for name, words in plan.words.items():
        highest = max(map(plan.layer_of, plan.users("words", name)))
        if highest < words.layers:
            said = f"no task reads above layer {highest} of {words.layers}, so what is above learns nothing"
            yield f"words.{name}: {said}"


def _rising(plan: Plan) -> Iterator[str]:
    """A rate that grows, where somebody lowered that of the start below the recipe's end."""
    first, last = plan.training.learning_rate, plan.training.final_learning_rate
    if last is not None and last > first:
        yield f"training.learning_rate = {first:g} rises to final_learning_rate = {last:g}, expected one that falls"
