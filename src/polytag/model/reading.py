"""One way to read a model, whatever it lies in: a source gives parts by name, what they hold is checked here.

Nothing is allocated for weights before their shapes are those that the plan calls for.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from polytag.errors import ModelError, PlanError, PolytagError
from polytag.model.array_file import Array
from polytag.model.model import KINDS, Model
from polytag.model.shapes import Shape, shapes
from polytag.model.stored import restored, stored_shapes
from polytag.native import PRECISIONS
from polytag.plan import Plan
from polytag.scoring.familiarity import Familiarity
from polytag.tag_schemes import scheme_name
from polytag.vocabulary.features import FeatureVocabulary
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, Vocabularies, WordVocabulary

COMPUTED = "computed"  # of metadata: the precision to compute in, where it is not the usual one for what is stored


class Source(Protocol):
    """What a model lies in: its arrays and metadata, and ways to its other parts, which may raise any `DAMAGES`."""

    path: Path  # of the arrays
    arrays: dict[str, Array]
    metadata: dict[str, str]
    stored: str  # the precision of the arrays

    def place(self, part: str) -> Path:
        """The file that holds a part: ``"plan"``, or a vocabulary by kind and name, ``"words.english"``."""

    def plan(self) -> Plan: ...

    def vocabulary(self, kind: str, name: str) -> Any:
        """What its `to_json` gave."""

    def temperatures(self, plan: Plan) -> dict[str, float]: ...

    def texts(self) -> dict[str, Familiarity]: ...


DAMAGES = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, PolytagError)


def read_model(source: Source) -> Model:
    """Read and check what a source holds; weights in float32 stay views of its arrays.

    Raises:
        ModelError: says what is missing, damaged or of another version.
    """
    path = source.path
    try:
        plan = source.plan()
    except DAMAGES as error:
        raise ModelError(f"{source.place('plan')}: not a plan that this polytag reads: {error}") from None
    plan, vocabularies = _vocabularies(source, plan)
    wanted = _wanted_shapes(path, plan, vocabularies, arrays=len(source.arrays))
    check_arrays(path, source.arrays, dict(stored_shapes(source.arrays, wanted, source.stored)))
    temperatures = source.temperatures(plan)
    precision = source.metadata.get(COMPUTED, "int8" if source.stored == "int8" else "float32")
    if precision not in PRECISIONS:
        raise ModelError(f"{path}: computed in '{precision}', expected {', '.join(PRECISIONS)}")
    try:
        weights = restored(source.arrays, wanted)
    except ValueError as error:
        raise ModelError(f"{path}: the weights are damaged: {error}") from None
    return Model(plan, vocabularies, weights, temperatures, precision, source.texts())


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


def _vocabularies(source: Source, plan: Plan) -> tuple[Plan, Vocabularies]:
    """The vocabularies of all parts, and the plan with the schemes that its tasks are tagged in.

    In models from before tasks were tagged in schemes of their own, a tag part holds the one for all of them.
    """
    found: dict[str, dict[str, Any]] = {k: {} for k in KINDS}
    tasks = dict(plan.tasks)
    for kind, name in ((k, name) for k in KINDS for name in getattr(plan, k)):
        try:
            tables = source.vocabulary(kind, name)
            found[kind][name] = vocabulary = KINDS[kind].from_json(tables)
            if others := set(map(type, _texts(vocabulary))) - {str}:
                raise TypeError(f"{others.pop().__name__} where a text is expected")
            if kind == "tags":
                scheme_name(vocabulary.scheme)
            recorded = tables.get("data_scheme") and scheme_name(tables["data_scheme"])
        except DAMAGES as error:
            place = source.place(f"{kind}.{name}")
            raise ModelError(f"{place}: not a vocabulary that this polytag reads: {error!r}") from None
        if recorded:
            tasks |= {task: tasks[task].model_copy(update={"scheme": recorded}) for task in plan.users(kind, name)}
    return plan.model_copy(update={"tasks": tasks}), Vocabularies(**found)


def _texts(vocabulary: CharVocabulary | WordVocabulary | TagVocabulary) -> Iterable[object]:
    """All that must be text."""
    if isinstance(vocabulary, CharVocabulary):
        return [vocabulary.alphabet]
    if isinstance(vocabulary, WordVocabulary):
        return chain(vocabulary.words, vocabulary.clusters.names if vocabulary.clusters else ())
    features = vocabulary.features or FeatureVocabulary((), ())
    return chain((vocabulary.scheme,), vocabulary.tags, features.own, features.around)


def _wanted_shapes(path: Path, plan: Plan, vocabularies: Vocabularies, *, arrays: int) -> dict[str, Shape]:
    """What the plan of a file that holds so many arrays calls for; layers without end are not even counted up."""
    layers = sum(chars.layers for chars in plan.chars.values()) + sum(words.layers for words in plan.words.values())
    if layers > arrays:
        raise ModelError(f"{path}: holds {arrays:,} arrays, too few for the {layers:,} layers of the plan")
    try:
        return shapes(plan, vocabularies)
    except PlanError as error:
        raise ModelError(f"{path}: {error}") from None
