"""The packed file: plan, vocabularies, weights and temperatures in one safetensors file, for shipping.

Its metadata hold the plan and the temperatures as JSON, the precision, and how long the vocabularies are; these are an
array of bytes, compressed JSON. `polytag.model.stored` says how the weights are stored.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from polytag.errors import ModelError, PlanError, PolytagError, nearest
from polytag.model.array_file import MOST_HEADER, load_arrays, save_arrays
from polytag.model.deflated import deflated, inflated
from polytag.model.lighter import lighter
from polytag.model.model import (
    KINDS,
    Model,
    check_arrays,
    computed_in,
    computing,
    damaged_vocabulary,
    read_vocabularies,
    wanted_shapes,
)
from polytag.model.stored import PRECISIONS, restored, stored, stored_shapes
from polytag.model.temperatures import are_valid
from polytag.plan import Plan
from polytag.plan_file import stored_plan
from polytag.vocabulary.vocabularies import Vocabularies

FORMAT = "polytag-packed"
VOCABULARIES = "vocabularies"  # the array that holds them
MOST_TEXT = 256 << 20  # bytes of vocabularies


@dataclass(frozen=True, eq=False)
class Packed:
    """What a packed file holds: the model, and how many bytes each part takes (``words.english``, ``vocabularies``)."""

    model: Model
    bytes: Mapping[str, int]


def save_packed(
    path: Path, model: Model, *, precision: str = "float32", vectors: int | None = None, coarse: bool = False
) -> Packed:
    """Write a model as one file.

    Args:
        path: the file.
        model: as it was trained.
        precision: of the weights in the file, float32, float16 or int8; that of the computation is int8 for int8, and
            else the model's own.
        vectors: words to keep beside those of the training files, the most frequent ones; None keeps all.
        coarse: in int8, round word vectors to a few values, which take less than half of the room.

    Raises:
        PolytagError: there is no such precision, or the file cannot be written.
        ModelError: the weights do not fit into the precision.
    """
    if precision not in PRECISIONS:
        raise PolytagError(f"unknown precision '{precision}' of a packed file{nearest(precision, PRECISIONS)}")
    model = lighter(model, precision=precision, vectors=vectors)
    text = _text(model.vocabularies)
    arrays = {**stored(model.arrays, precision, coarse=coarse), VOCABULARIES: np.frombuffer(deflated(text), np.uint8)}
    described = {"plan": model.plan.to_dict(), "temperatures": dict(model.temperatures)}
    metadata = {name: json.dumps(value, ensure_ascii=False) for name, value in described.items()}
    metadata |= {"format": FORMAT, "precision": precision, VOCABULARIES: str(len(text))}
    metadata |= {} if precision == "int8" else computed_in(model.precision)
    save_arrays(path, arrays, metadata)
    sizes: Counter[str] = Counter()
    for name, array in arrays.items():
        sizes[".".join(name.split(".")[:2])] += array.nbytes
    return Packed(model, sizes)


def load_packed(path: Path, *, best_for: str | None = None) -> Model:
    """Read and check a packed file; weights in float32 stay views of it.

    Nothing is allocated for weights before their shapes are those that the plan calls for, and no more for vocabularies
    than `polytag.model.deflated` allows.

    Raises:
        ModelError: the file is damaged, foreign or of another version, or it has no weights kept for one task.
    """
    if not is_packed(path):
        raise ModelError(f"{path}: this is a file, expected a model directory or what polytag pack made of one")
    arrays, metadata = load_arrays(path, expected=FORMAT)
    if best_for is not None:
        raise ModelError(f"{path}: has one set of weights; to have those kept for '{best_for}', pack with --best-for")
    precision = metadata.get("precision", "none")
    if precision not in PRECISIONS:
        raise ModelError(f"{path}: weights in precision '{precision}', expected {', '.join(PRECISIONS)}")
    plan = _plan(path, metadata)
    packed = arrays.pop(VOCABULARIES, np.empty(0, np.uint8))
    plan, vocabularies = _vocabularies(path, plan, packed.tobytes(), metadata.get(VOCABULARIES, ""))
    wanted = wanted_shapes(path, plan, vocabularies, arrays=len(arrays))
    check_arrays(path, arrays, dict(stored_shapes(arrays, wanted, precision)))
    temperatures = _temperatures(path, plan, metadata)
    computed = computing(path, metadata, usual="int8" if precision == "int8" else "float32")
    try:
        weights = restored(arrays, wanted)
    except ValueError as error:
        raise ModelError(f"{path}: the weights are damaged: {error}") from None
    return Model(plan, vocabularies, weights, temperatures, computed)


def is_packed(path: Path) -> bool:
    """Whether a file begins as a packed one does, for those who take another file for a model."""
    try:
        with path.open("rb") as file:
            begin = file.read(9)
    except OSError:
        return False
    return begin[8:] == b"{" and int.from_bytes(begin[:8], "little") <= MOST_HEADER


def _text(vocabularies: Vocabularies) -> bytes:
    tables = {
        kind: {name: vocabulary.to_json() for name, vocabulary in getattr(vocabularies, kind).items()} for kind in KINDS
    }
    return json.dumps(tables, ensure_ascii=False, separators=(",", ":")).encode()


def _vocabularies(path: Path, plan: Plan, packed: bytes, size: str) -> tuple[Plan, Vocabularies]:
    try:
        tables = json.loads(inflated(packed, min(int(size), MOST_TEXT)))
    except (ValueError, RecursionError) as error:
        raise damaged_vocabulary(path, error) from None

    def read(kind: str, name: str) -> tuple[Path, Any]:
        try:
            return path, tables[kind][name]
        except (TypeError, KeyError) as error:
            raise damaged_vocabulary(path, error) from None

    return read_vocabularies(plan, read)


def _plan(path: Path, metadata: Mapping[str, str]) -> Plan:
    try:
        return stored_plan(json.loads(metadata["plan"]), source="its plan")
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError, PlanError) as error:
        raise ModelError(f"{path}: not a plan that this polytag reads: {error}") from None


def _temperatures(path: Path, plan: Plan, metadata: Mapping[str, str]) -> dict[str, float]:
    try:
        temperatures: dict[str, float] = json.loads(metadata.get("temperatures", "{}"))
    except (ValueError, RecursionError):
        temperatures = {"": 0}
    if not are_valid(temperatures) or not temperatures.keys() <= plan.tasks.keys():
        raise ModelError(f"{path}: damaged, expected temperatures above 0 of tasks of the model")
    return temperatures
