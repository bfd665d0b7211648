"""The model directory: written so that it is never half there, checked when it is read.

plan.toml            the whole plan, every default written out; where it searches is kept relative to the directory
vocabulary/*.json    one file per part
weights.safetensors  all weights, named by part; its header holds the checksums of everything above and of itself
calibration.json     where it is there, the temperature of each task; see `polytag.model.temperatures`
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tomli_w

from polytag.errors import ModelError, PlanError, PolytagError
from polytag.files import atomic_write
from polytag.model.array_file import Array, load_arrays, save_arrays
from polytag.model.shapes import shapes
from polytag.model.temperatures import load_temperatures, save_temperatures
from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, Vocabularies, WordVocabulary

FORMAT = "polytag-model"
WEIGHTS = "weights.safetensors"
_KINDS: dict[str, Any] = {"chars": CharVocabulary, "words": WordVocabulary, "tags": TagVocabulary}

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


def load_model(path: str | PathLike[str], *, best_for: str | None = None) -> Model:
    """Read and check a model directory; ``best_for`` takes the weights kept for one task.

    Raises:
        ModelError: says what is missing, damaged or of another version.
    """
    directory, weights = Path(path), weights_file(best_for)
    _check_complete(directory, weights)
    arrays, metadata = load_arrays(directory / weights, expected=FORMAT)
    for file, digest in json.loads(metadata.get("files", "{}")).items():
        _check_file(directory / file, digest)
    plan = _read_plan(directory / "plan.toml")
    vocabularies = Vocabularies(**{
        kind: {name: _read_vocabulary(directory, kind, name) for name in getattr(plan, kind)} for kind in _KINDS
    })  # fmt: skip
    check_arrays(directory / weights, arrays, plan, vocabularies)
    return Model(plan, vocabularies, arrays, load_temperatures(directory, weights, tasks=plan.tasks))


def weights_file(best_for: str | None) -> str:
    """The name of the file of weights in a model directory: those of the best epoch, or those kept for one task."""
    return f"best.{best_for}.safetensors" if best_for else WEIGHTS


def save_description(directory: Path, plan: Plan, vocabularies: Vocabularies) -> None:
    """Write everything but the weights."""
    (directory / "vocabulary").mkdir(parents=True, exist_ok=True)
    for kind in _KINDS:
        for name, vocabulary in getattr(vocabularies, kind).items():
            with atomic_write(directory / "vocabulary" / f"{kind}.{name}.json") as file:
                json.dump(vocabulary.to_json(), file, ensure_ascii=False)
    with atomic_write(directory / "plan.toml") as file:
        file.write(tomli_w.dumps(plan.kept_in(directory).to_dict()))


def save_weights(directory: Path, arrays: Mapping[str, Array], name: str = WEIGHTS) -> None:
    """Write the weights with the checksums of the whole directory; the description must be there."""
    files = {str(path.relative_to(directory)): _digest(path.read_bytes()) for path in _described(directory)}
    save_arrays(directory / name, arrays, {"format": FORMAT, "files": json.dumps(files)})


def save_model(model: Model, directory: str | PathLike[str]) -> None:
    """Write a model as a directory that `load_model` reads; whatever it was read from may be gone.

    Raises:
        PolytagError: it cannot be written.
    """
    directory = Path(directory)
    save_description(directory, model.plan, model.vocabularies)
    save_weights(directory, model.arrays)
    if model.temperatures:
        save_temperatures(directory, WEIGHTS, model.temperatures)


def check_arrays(path: Path, arrays: Mapping[str, Array], plan: Plan, vocabularies: Vocabularies) -> None:
    """See to it that the arrays of a file are those that the plan calls for.

    Raises:
        ModelError: says which are not.
    """
    try:
        wanted = shapes(plan, vocabularies)
    except PlanError as error:
        raise ModelError(f"{path}: {error}") from None
    check_shapes(path, {name: array.shape for name, array in arrays.items()}, wanted)
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise ModelError(f"{path}: {name} is of type {array.dtype}, expected float32")


def check_shapes(path: Path, shapes: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]) -> None:
    """See to it that a file holds what is wanted of it.

    Raises:
        ModelError: names the first array that is not there, that nobody wants, or that has another shape.
    """
    for name in sorted({*wanted, *shapes}):
        if wanted.get(name) != shapes.get(name):
            raise ModelError(
                f"{path}: {name} has shape {shapes.get(name, 'none (it is missing)')}, "
                f"the plan calls for {wanted.get(name, 'no such weights')}"
            )


def _check_complete(directory: Path, weights: str) -> None:
    if not directory.is_dir():
        is_file = directory.exists()
        reason = "this is a file, expected a model directory" if is_file else "there is no such model directory"
        raise ModelError(f"{directory}: {reason}")
    if not (directory / "plan.toml").exists():
        raise ModelError(f"{directory}: this is not a model directory: plan.toml is missing")
    if not (directory / weights).exists():
        kept = sorted(path.name for path in directory.glob("*.safetensors"))
        hint = f"; there are {', '.join(kept)}" if kept else "; has its training come to the end of an epoch?"
        raise ModelError(f"{directory}: {weights} is missing{hint}")


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _described(directory: Path) -> list[Path]:
    return [directory / "plan.toml", *sorted((directory / "vocabulary").glob("*.json"))]


def _check_file(path: Path, digest: str) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the model needs this file: {error.strerror}") from None
    if _digest(content) != digest:
        raise ModelError(f"{path}: the file was changed or damaged after training: its checksum does not match")


def _read_plan(path: Path) -> Plan:
    try:
        return make_plan(tomllib.loads(path.read_text(encoding="utf-8")), source=str(path)).found_in(path.parent)
    except (PlanError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not a plan that this polytag reads: {error}") from None


def _read_vocabulary(directory: Path, kind: str, name: str) -> Any:
    path = directory / "vocabulary" / f"{kind}.{name}.json"
    try:
        return _KINDS[kind].from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, PolytagError) as error:
        raise ModelError(f"{path}: not a vocabulary that this polytag reads: {error!r}") from None
