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

from polytag.cached import cached_property
from polytag.errors import ModelError, PolytagError, nearest
from polytag.model.array_file import MOST_HEADER, load_arrays, save_arrays
from polytag.model.lighter import lighter
from polytag.model.model import KINDS, Model
from polytag.model.reading import COMPUTED, read_model
from polytag.model.stored import PRECISIONS, deflated, inflated, stored
from polytag.model.temperatures import are_valid, texts_of
from polytag.plan import Plan
from polytag.plan_file import stored_plan
from polytag.scoring.familiarity import Familiarity
from polytag.vocabulary.vocabularies import Vocabularies

FORMAT = "polytag-packed"
VOCABULARIES = "vocabularies"  # the array that holds them
MOST_TEXT = 256 << 20  # bytes of vocabularies


@dataclass(frozen=True, eq=False)
class Packed:
    """What a packed file holds: the model as it is in it, and how many bytes each part takes (``words.english``)."""

    path: Path
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
    if coarse and precision != "int8":
        raise PolytagError(f"coarse vectors save nothing in {precision}, expected precision int8")
    model = lighter(model, precision=precision, vectors=vectors)
    text = _text(model.vocabularies)
    arrays = {**stored(model.arrays, precision, coarse=coarse), VOCABULARIES: np.frombuffer(deflated(text), np.uint8)}
    texts = {task: text.as_dict() for task, text in model.texts.items()}
    described = {"plan": model.plan.to_dict(), "temperatures": dict(model.temperatures), "texts": texts}
    metadata = {name: json.dumps(value, ensure_ascii=False) for name, value in described.items()}
    metadata |= {"format": FORMAT, "precision": precision, VOCABULARIES: str(len(text))}
    if precision != "int8" and model.precision != "float32":
        metadata[COMPUTED] = model.precision
    save_arrays(path, arrays, metadata)
    sizes: Counter[str] = Counter()
    for name, array in arrays.items():
        sizes[".".join(name.split(".")[:2])] += array.nbytes
    return Packed(path, model, sizes)


def load_packed(path: Path, *, best_for: str | None = None) -> Model:
    """Read and check a packed file; no more is allocated for vocabularies than `polytag.model.stored.inflated` allows.

    Raises:
        ModelError: the file is damaged, foreign or of another version, or it has no weights kept for one task.
    """
    return read_model(_PackedFile(path, best_for))


class _PackedFile:
    """A packed file as a source."""

    def __init__(self, path: Path, best_for: str | None) -> None:
        if not is_packed(path):
            raise ModelError(f"{path}: this is a file, expected a model directory or what polytag pack made of one")
        self.path = path
        self.arrays, self.metadata = load_arrays(path, expected=FORMAT)
        if best_for is not None:
            raise ModelError(
                f"{path}: has one set of weights; to have those kept for '{best_for}', pack with --best-for"
            )
        self.stored = self.metadata.get("precision", "none")
        if self.stored not in PRECISIONS:
            raise ModelError(f"{path}: weights in precision '{self.stored}', expected {', '.join(PRECISIONS)}")
        self._text = self.arrays.pop(VOCABULARIES, np.empty(0, np.uint8))

    def place(self, part: str) -> Path:  # noqa: ARG002 - all are in one file
        return self.path

    def plan(self) -> Plan:
        return stored_plan(json.loads(self.metadata["plan"]), source="its plan")

    def vocabulary(self, kind: str, name: str) -> Any:
        return self._vocabularies[kind][name]

    @cached_property
    def _vocabularies(self) -> Any:
        size = min(int(self.metadata.get(VOCABULARIES, "")), MOST_TEXT)
        return json.loads(inflated(self._text.tobytes(), size))

    def temperatures(self, plan: Plan) -> dict[str, float]:
        try:
            temperatures: dict[str, float] = json.loads(self.metadata.get("temperatures", "{}"))
        except (ValueError, RecursionError):
            temperatures = {"": 0}
        if not are_valid(temperatures) or not temperatures.keys() <= plan.tasks.keys():
            raise ModelError(f"{self.path}: damaged, expected temperatures above 0 of tasks of the model")
        return temperatures

    def texts(self) -> dict[str, Familiarity]:
        try:
            return texts_of(json.loads(self.metadata.get("texts", "{}")))
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{self.path}: damaged: {error}") from None


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
