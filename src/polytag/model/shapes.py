"""The weights that a plan calls for: their names and shapes, known before there are any."""

from collections.abc import Mapping

from polytag.errors import PlanError
from polytag.plan import Plan
from polytag.plan.parts import Chars, Words
from polytag.vocabulary.features import REACH
from polytag.vocabulary.vocabularies import TagVocabulary, Vocabularies

Shape = tuple[int, ...]

PLACES = 2 * REACH + 1  # that features around a word see
GATES = {"gru": 3, "lstm": 4}  # of a unit: reset, update, candidate; input, forget, output, candidate


def shapes(plan: Plan, vocabularies: Vocabularies) -> dict[str, Shape]:
    """Name of each array of a model -> its shape.

    Raises:
        PlanError: parts do not fit together.
    """
    named: dict[str, Shape] = {}
    for name, chars in plan.chars.items():
        parts = {
            "embedding.weight": (len(vocabularies.chars[name]), chars.dimension),
            **_recurrent(chars.dimension, chars),
        }
        named |= _below(f"chars.{name}", parts)
    for name, words in plan.words.items():
        named |= _below(f"words.{name}", _words(words, len(vocabularies.words[name]), char_width(plan, name)))
    for name in plan.tags:
        named |= _below(f"tags.{name}", _tags(vocabularies.tags[name], context_width(plan, name)))
    return named


def char_width(plan: Plan, words: str) -> int:
    """The width of the character vectors that a word part reads, 0 without characters."""
    chars = plan.tasks[plan.users("words", words)[0]].chars
    return 0 if chars is None else 2 * plan.chars[chars].hidden


def context_width(plan: Plan, tags: str) -> int:
    """The width of the context that a tag part reads.

    Raises:
        PlanError: that of its tasks differs.
    """
    widths = {2 * plan.words[plan.tasks[task].words].hidden: task for task in plan.users("tags", tags)}
    if len(widths) > 1:
        raise PlanError(
            f"tags.{tags}: its tasks {' and '.join(widths.values())} have word GRUs of different widths "
            f"({' and '.join(map(str, widths))}), so they cannot share it"
        )
    return next(iter(widths))


def _words(settings: Words, words: int, chars: int) -> dict[str, Shape]:
    if not settings.embedding:
        return _recurrent(chars, settings)
    return {"embedding.weight": (words, settings.dimension), **_recurrent(chars + settings.dimension, settings)}


def recurrence(settings: Chars | Words) -> str:
    """What reads the sequences of a part, as its weights are named: "gru" or "lstm"."""
    return "lstm" if settings.cell == "lstm" else "gru"


def _recurrent(inputs: int, settings: Chars | Words) -> dict[str, Shape]:
    """Of each layer, both directions; gates side by side."""
    kind, hidden, named = recurrence(settings), settings.hidden, dict[str, Shape]()
    for layer in range(settings.layers):
        named[f"{kind}.input_weight.{layer}"] = (2, 2 * hidden if layer else inputs, GATES[kind] * hidden)
        named[f"{kind}.recurrent_weight.{layer}"] = (2, hidden, GATES[kind] * hidden)
        if settings.bias:
            named[f"{kind}.bias.{layer}"] = (2, GATES[kind] * hidden)
    return named


def _tags(vocabulary: TagVocabulary, context: int) -> dict[str, Shape]:
    tags = len(vocabulary)
    named: dict[str, Shape] = {"projection": (context, tags), **_moves(tags)}
    if vocabulary.gazetteer:
        named["gazetteer"] = (len(vocabulary.gazetteer.tags), tags)
    if vocabulary.features:
        own, around = vocabulary.features.sizes
        named |= _below("features", {"own.weight": (own, tags), "around.weight": (around, PLACES * tags)})
        named |= _below("features", _moves(tags))
    return named


def _moves(tags: int) -> dict[str, Shape]:
    return {"transitions": (tags, tags), "start": (tags,)}


def _below(prefix: str, parts: Mapping[str, Shape]) -> dict[str, Shape]:
    return {f"{prefix}.{name}": shape for name, shape in parts.items()}
