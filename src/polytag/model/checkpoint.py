"""The model directory: written so that it is never half there, checked when it is read.

plan.toml            the whole plan, every default written out
vocabulary/*.json    one file per part
weights.safetensors  all weights, named by part; its header holds the checksums of everything above and of itself
calibration.json     where it is there, the temperature of each task; see `polytag.model.temperatures`
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from polytag.errors import ModelError, PlanError
from polytag.files import atomic_write
from polytag.model.network import Network
from polytag.model.temperatures import load_temperatures
from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, Vocabularies, WordVocabulary

FORMAT, VERSION = "polytag-model", 1
WEIGHTS = "weights.safetensors"
_KINDS: dict[str, Any] = {"chars": CharVocabulary, "words": WordVocabulary, "tags": TagVocabulary}


def save_description(directory: Path, plan: Plan, vocabularies: Vocabularies) -> None:
    """Write everything but the weights."""
    (directory / "vocabulary").mkdir(parents=True, exist_ok=True)
    for kind in _KINDS:
        for name, vocabulary in getattr(vocabularies, kind).items():
            with atomic_write(directory / "vocabulary" / f"{kind}.{name}.json") as file:
                json.dump(vocabulary.to_json(), file, ensure_ascii=False)
    with atomic_write(directory / "plan.toml") as file:
        file.write(tomli_w.dumps(plan.to_dict()))


def save_weights(directory: Path, network: Network, name: str = WEIGHTS) -> None:
    """Write the weights with the checksums of the whole directory; the description must be there."""
    files = {str(path.relative_to(directory)): _digest(path.read_bytes()) for path in _described(directory)}
    save_tensors(directory / name, network.state_dict(), {"format": FORMAT, "files": json.dumps(files)})


def load_weights(path: Path, network: Network) -> None:
    """Put the weights of one file into a network.

    Raises:
        ModelError: the file is damaged, or its weights do not fit.
    """
    _fill(network, load_tensors(path, expected=FORMAT)[0], path)


def load_model(directory: str | Path, *, weights: str = WEIGHTS) -> tuple[Plan, Vocabularies, Network]:
    """Read and check a model directory.

    Raises:
        ModelError: says what is missing, damaged or of another version.
    """
    directory = Path(directory)
    if not directory.is_dir():
        found = (
            "this is a file, expected a model directory" if directory.exists() else "there is no such model directory"
        )
        raise ModelError(f"{directory}: {found}")
    if not (directory / "plan.toml").exists():
        raise ModelError(f"{directory}: this is not a model directory: plan.toml is missing")
    if not (directory / weights).exists():
        kept = sorted(path.name for path in directory.glob("*.safetensors"))
        hint = f"; there are {', '.join(kept)}" if kept else "; has its training come to the end of an epoch?"
        raise ModelError(f"{directory}: {weights} is missing{hint}")
    tensors, metadata = load_tensors(directory / weights, expected=FORMAT)
    expected = json.loads(metadata["files"])
    for file, digest in expected.items():
        _check_file(directory / file, digest)
    plan = _read_plan(directory / "plan.toml")
    vocabularies = Vocabularies(**{
        kind: {name: _read_vocabulary(directory, kind, name) for name in getattr(plan, kind)} for kind in _KINDS
    })  # fmt: skip
    network = Network(plan, vocabularies)
    _fill(network, tensors, directory / weights)
    network.temperatures = load_temperatures(directory, weights, tasks=plan.tasks)
    return plan, vocabularies, network.eval()


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write named tensors atomically, with a checksum over names, types, shapes and values."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {**metadata, "version": str(VERSION), "checksum": _checksum(plain, metadata)}
    content = memoryview(save(plain, metadata=header))
    size = int.from_bytes(content[:8], "little")
    with atomic_write(path, "wb") as file:
        file.write(_in_order(bytes(content[8 : 8 + size])))
        file.write(content[8 + size :])


def _in_order(header: bytes) -> bytes:
    """A safetensors header with sorted metadata: they come in random order, and equal models shall be equal files."""
    tables = json.loads(header)
    tables["__metadata__"] = dict(sorted(tables["__metadata__"].items()))
    text = json.dumps(tables, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text


def load_tensors(path: Path, *, expected: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what `save_tensors` wrote.

    Raises:
        ModelError: the file is damaged, of another program or of another version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, UnicodeDecodeError, RuntimeError) as error:
        raise ModelError(f"{path}: the file is damaged or no safetensors file: {error}") from None
    if metadata.get("format") != expected:
        raise ModelError(f"{path}: expected format '{expected}', found '{metadata.get('format', 'none')}'")
    if metadata.get("version") != str(VERSION):
        raise ModelError(
            f"{path}: written in version {metadata.get('version')} of the format; this polytag reads version {VERSION}"
        )
    content = {key: value for key, value in metadata.items() if key not in ("version", "checksum")}
    if _checksum(tensors, content) != metadata.get("checksum"):
        raise ModelError(f"{path}: the file is damaged: its checksum does not match its content")
    return tensors, content


def _checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    digest = hashlib.blake2b(json.dumps(dict(sorted(metadata.items()))).encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return digest.hexdigest()


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
        return make_plan(tomllib.loads(path.read_text(encoding="utf-8")), source=str(path))
    except (PlanError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not a plan that this polytag reads: {error}") from None


def _read_vocabulary(directory: Path, kind: str, name: str) -> Any:
    path = directory / "vocabulary" / f"{kind}.{name}.json"
    try:
        return _KINDS[kind].from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not a vocabulary that this polytag reads: {error!r}") from None


def _fill(network: Network, tensors: Mapping[str, Tensor], path: Path) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted({*wanted, *found}):
        if wanted.get(name) != found.get(name):
            raise ModelError(
                f"{path}: {name} has shape {found.get(name, 'none (it is missing)')}, "
                f"the plan calls for {wanted.get(name, 'no such weights')}"
            )
    network.load_state_dict(dict(tensors))
