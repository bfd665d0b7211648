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
from os import PathLike
from pathlib import Path
from typing import Any

import tomli_w

from polytag.errors import ModelError, PolytagError
from polytag.files import atomic_write, nothing_left_on_failure
from polytag.model.array_file import Array, load_arrays, save_arrays
from polytag.model.hub import fetched, is_of_hub
from polytag.model.model import KINDS, Model
from polytag.model.packed import load_packed, save_packed
from polytag.model.reading import COMPUTED, read_model
from polytag.model.temperatures import load_temperatures, load_texts, save_temperatures
from polytag.plan import Plan
from polytag.plan_file import stored_plan
from polytag.scoring.familiarity import Familiarity
from polytag.vocabulary.vocabularies import Vocabularies

FORMAT = "polytag-model"
WEIGHTS = "weights.safetensors"
PACKED_SUFFIX = ".polytag"


def load_model(path: str | PathLike[str], *, best_for: str | None = None) -> Model:
    """Read and check a model directory, what `polytag pack` made of one, or ``hf:USER/NAME``, one of the Hub.

    ``best_for`` takes the weights kept for one task; a packed file has but one set of weights.

    Raises:
        ModelError: says what is missing, damaged or of another version.
    """
    path = fetched(path) if is_of_hub(path) else Path(path)
    return load_packed(path, best_for=best_for) if path.is_file() else read_model(_Directory(path, best_for))


class _Directory:
    """A model directory as a source; all of it is known to be what was written together."""

    stored = "float32"

    def __init__(self, directory: Path, best_for: str | None) -> None:
        weights = weights_file(best_for)
        _check_complete(directory, weights)
        self.directory, self.path = directory, directory / weights
        self.arrays, self.metadata = load_arrays(self.path, expected=FORMAT)
        for file, digest in _checksums(self.path, self.metadata).items():
            _check_file(directory / file, digest)

    def place(self, part: str) -> Path:
        return self.directory / ("plan.toml" if part == "plan" else f"vocabulary/{part}.json")

    def plan(self) -> Plan:
        path = self.place("plan")
        return stored_plan(tomllib.loads(path.read_text(encoding="utf-8")), source=str(path)).found_in(path.parent)

    def vocabulary(self, kind: str, name: str) -> Any:
        return json.loads(self.place(f"{kind}.{name}").read_text(encoding="utf-8"))

    def temperatures(self, plan: Plan) -> dict[str, float]:
        return load_temperatures(self.directory, self.path.name, tasks=plan.tasks)

    def texts(self) -> dict[str, Familiarity]:
        return load_texts(self.directory, self.path.name)


def weights_file(best_for: str | None) -> str:
    """The name of the file of weights in a model directory: those of the best epoch, or those kept for one task."""
    return f"best.{best_for}.safetensors" if best_for else WEIGHTS


def save_description(directory: Path, plan: Plan, vocabularies: Vocabularies) -> None:
    """Write everything but the weights."""
    (directory / "vocabulary").mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for name, vocabulary in getattr(vocabularies, kind).items():
            with atomic_write(directory / "vocabulary" / f"{kind}.{name}.json") as file:
                json.dump(vocabulary.to_json(), file, ensure_ascii=False)
    with atomic_write(directory / "plan.toml") as file:
        file.write(tomli_w.dumps(plan.kept_in(directory).to_dict()))


def save_weights(
    directory: Path, arrays: Mapping[str, Array], name: str = WEIGHTS, *, precision: str = "float32"
) -> None:
    """Write the weights with the checksums of the whole directory; the description must be there.

    ``precision`` is that to compute in.
    """
    described = [directory / "plan.toml", *sorted((directory / "vocabulary").glob("*.json"))]
    files = {str(path.relative_to(directory)): _digest(path.read_bytes()) for path in described}
    computed = {} if precision == "float32" else {COMPUTED: precision}
    save_arrays(directory / name, arrays, {"format": FORMAT, "files": json.dumps(files), **computed})


def save(model: Model, path: str | PathLike[str]) -> None:
    """Write a model as a new directory, or as a packed file where the name ends in .polytag; nothing is half written.

    Raises:
        ModelError: the directory is there and holds something, or the name is that of a file.
        PolytagError: it cannot be written.
    """
    path = Path(path)
    if path.suffix == PACKED_SUFFIX and not path.is_dir():
        save_packed(path, model)
        return
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ModelError(f"{path}: is there already, expected a name for a new directory, or that of an empty one")
    try:
        with nothing_left_on_failure(path):
            save_model(model, path)
    except OSError as error:
        raise PolytagError(f"{path}: cannot be written: {error.strerror or error}") from None


def save_model(model: Model, directory: str | PathLike[str]) -> None:
    """Write a model as a directory that `load_model` reads; whatever it was read from may be gone.

    Raises:
        PolytagError: it cannot be written.
    """
    directory = Path(directory)
    save_description(directory, model.plan, model.vocabularies)
    save_weights(directory, model.arrays, precision=model.precision)
    if model.temperatures:
        save_temperatures(directory, WEIGHTS, model.temperatures, model.texts)


def _check_complete(directory: Path, weights: str) -> None:
    if not directory.is_dir():
        raise ModelError(f"{directory}: there is no such model directory")
    if not (directory / "plan.toml").exists():
        raise ModelError(f"{directory}: this is not a model directory: plan.toml is missing")
    if not (directory / weights).exists():
        kept = sorted(path.name for path in directory.glob("*.safetensors"))
        hint = f"; there are {', '.join(kept)}" if kept else "; has its training come to the end of an epoch?"
        raise ModelError(f"{directory}: {weights} is missing{hint}")


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _checksums(weights: Path, metadata: Mapping[str, str]) -> dict[str, str]:
    """The checksums of the files beside the weights.

    Raises:
        ModelError: the weights name none, or a file elsewhere.
    """
    try:
        files: dict[str, str] = json.loads(metadata["files"])
        if all(isinstance(digest, str) and ".." not in Path(file).parts for file, digest in files.items()):
            return files
    except (KeyError, ValueError, AttributeError, RecursionError):
        pass
    raise ModelError(f"{weights}: damaged, expected the checksums of the files beside it")


def _check_file(path: Path, digest: str) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the model needs this file: {error.strerror}") from None
    if _digest(content) != digest:
        raise ModelError(f"{path}: the file was changed or damaged after training: its checksum does not match")
