"""A trained network as data: its plan, its vocabularies and its weights as named arrays."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.errors import ModelError, PlanError, PolytagError
from polytag.model.array_file import Array
from polytag.model.shapes import Shape, shapes
from polytag.native import PRECISIONS
from polytag.plan import Plan
from polytag.tag_schemes import scheme_name
from polytag.vocabulary.features import FeatureVocabulary
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, Vocabularies, WordVocabulary

KINDS: dict[str, Any] = {"chars": CharVocabulary, "words": WordVocabulary, "tags": TagVocabulary}

COMPUTED = "computed"  # of metadata: the precision to compute in, where it is not what the weights are stored in

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network as data: nothing here computes, and nothing changes.

    ``arrays`` are float32, named by part (``words.english.gru.input_weight.0``); their shapes are those of
    `polytag.model.shapes`. They may be views of a file, which must not be written to in place.
    """

    plan: Plan
    vocabularies: Vocabularies
    arrays: Mapping[str, Weights]
    temperatures: Mapping[str, float] = field(default_factory=dict)  # of tasks whose probabilities are calibrated
    precision: str = "float32"  # to compute in, unless another is asked for

    @property
    def parameters(self) -> int:
        """How many weights there are."""
        return sum(array.size for array in self.arrays.values())

    def part(self, name: str) -> dict[str, Weights]:
        """The arrays of a part (``words.english``) by their names in it."""
        return {key.removeprefix(f"{name}."): of for key, of in self.arrays.items() if key.startswith(f"{name}.")}


def read_vocabularies(plan: Plan, read: Callable[[str, str], tuple[Path, Any]]) -> tuple[Plan, Vocabularies]:
    """The vocabularies of all parts of a plan, and the plan with the schemes that its tasks are tagged in.

    ``read`` gives what the `to_json` of a kind and a name gave, such as "words", "english", and where that stands. In
    models from before tasks were tagged in schemes of their own, a tag part holds the one for all of them.

    Raises:
        ModelError: a vocabulary is damaged; names its source.
    """
    found: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    tasks = dict(plan.tasks)
    for kind, vocabularies in found.items():
        for name in getattr(plan, kind):
            source, tables = read(kind, name)
            vocabularies[name] = make_vocabulary(source, kind, tables)
            if recorded := tables.get("data_scheme"):
                scheme = _checked_scheme(source, recorded)
                tasks |= {task: tasks[task].model_copy(update={"scheme": scheme}) for task in plan.users(kind, name)}
    return plan.model_copy(update={"tasks": tasks}), Vocabularies(**found)


def _checked_scheme(source: Path, recorded: Any) -> str:
    try:
        return scheme_name(recorded)
    except (PlanError, AttributeError, TypeError) as error:
        raise damaged_vocabulary(source, error) from None


def make_vocabulary(source: Path, kind: str, tables: Any) -> Any:
    """A vocabulary from what its `to_json` gave.

    Raises:
        ModelError: that is not what it gave; names the source.
    """
    try:
        vocabulary = KINDS[kind].from_json(tables)
        if others := set(map(type, _texts(vocabulary))) - {str}:
            raise TypeError(f"{others.pop().__name__} where a text is expected")
        if kind == "tags":
            scheme_name(vocabulary.scheme)
    except (ValueError, KeyError, TypeError, AttributeError, PolytagError) as error:
        raise damaged_vocabulary(source, error) from None
    return vocabulary


def damaged_vocabulary(source: Path, error: Exception) -> ModelError:
    """What to say where a vocabulary cannot be read."""
    return ModelError(f"{source}: not a vocabulary that this polytag reads: {error!r}")


def wanted_shapes(source: Path, plan: Plan, vocabularies: Vocabularies, *, arrays: int) -> dict[str, Shape]:
    """What the plan of a file that holds so many arrays calls for.

    Raises:
        ModelError: its parts do not fit together, or it has layers without end, which are not even counted up.
    """
    layers = sum(chars.layers for chars in plan.chars.values()) + sum(words.layers for words in plan.words.values())
    if layers > arrays:
        raise ModelError(f"{source}: holds {arrays:,} arrays, too few for the {layers:,} layers of the plan")
    try:
        return shapes(plan, vocabularies)
    except PlanError as error:
        raise ModelError(f"{source}: {error}") from None


def check_arrays(source: Path, arrays: Mapping[str, Array], wanted: Mapping[str, tuple[str, Shape]]) -> None:
    """See to it that a file holds arrays of the names, types and shapes that are wanted, and no others, all finite.

    Raises:
        ModelError: names the first array that is not there, that nobody wants, that is another or is not finite.
    """
    for name in sorted({*wanted, *arrays}):
        found, (dtype, shape) = arrays.get(name), wanted.get(name, ("", None))
        if found is None or found.shape != shape:
            raise ModelError(
                f"{source}: {name} has shape {'none (it is missing)' if found is None else found.shape}, "
                f"the plan calls for {'no such weights' if shape is None else shape}"
            )
        if found.dtype != dtype:
            raise ModelError(f"{source}: {name} is of type {found.dtype}, expected {dtype}")
        if found.dtype.kind == "f" and found.size and not np.isfinite((found.min(), found.max())).all():
            raise ModelError(f"{source}: {name} holds values that are not finite, expected a training that went well")


def computing(source: Path, metadata: Mapping[str, str], *, usual: str = "float32") -> str:
    """The precision that the metadata of a file name to compute in, or the ``usual`` one.

    Raises:
        ModelError: there is no such precision.
    """
    precision = metadata.get(COMPUTED, usual)
    if precision not in PRECISIONS:
        raise ModelError(f"{source}: computed in '{precision}', expected {', '.join(PRECISIONS)}")
    return precision


def computed_in(precision: str) -> dict[str, str]:
    """What `computing` reads; nothing for float32."""
    return {} if precision == "float32" else {COMPUTED: precision}


def _texts(vocabulary: CharVocabulary | WordVocabulary | TagVocabulary) -> Iterable[object]:
    """All that must be text."""
    if isinstance(vocabulary, CharVocabulary):
        return [vocabulary.alphabet]
    if isinstance(vocabulary, WordVocabulary):
        return vocabulary.words
    features = vocabulary.features or FeatureVocabulary((), ())
    return chain((vocabulary.scheme,), vocabulary.tags, features.own, features.around)
