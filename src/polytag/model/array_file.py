"""Named arrays in one safetensors file, with a checksum over all of it; what is read are views of the mapped file."""

import hashlib
import json
import mmap
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from polytag.errors import ModelError
from polytag.files import atomic_write

VERSION = 1
MOST_HEADER = 16 << 20  # bytes of names, shapes and metadata; a header that promises more is no header of ours
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip

Array = npt.NDArray[Any]


def save_arrays(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write named arrays atomically, with a checksum over names, types, shapes and values."""
    plain = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    header = {**metadata, "version": str(VERSION), "checksum": _checksum(plain, metadata)}
    content = memoryview(save(plain, metadata=header))
    size = int.from_bytes(content[:8], "little")
    with atomic_write(path, "wb") as file:
        file.write(_in_order(bytes(content[8 : 8 + size])))
        file.write(content[8 + size :])


def load_arrays(path: Path, *, expected: str) -> tuple[dict[str, Array], dict[str, str]]:
    """Read what `save_arrays` wrote: read-only views of the file, which no memory is allocated for, and the metadata.

    Raises:
        ModelError: the file is damaged, of another program or of another version.
    """
    arrays, metadata = _mapped(path)
    if metadata.get("format") != expected:
        raise ModelError(f"{path}: expected format '{expected}', found '{metadata.get('format', 'none')}'")
    if metadata.get("version") != str(VERSION):
        raise ModelError(
            f"{path}: written in version {metadata.get('version')} of the format; this polytag reads version {VERSION}"
        )
    content = {key: value for key, value in metadata.items() if key not in ("version", "checksum")}
    if _checksum(arrays, content) != metadata.get("checksum"):
        raise ModelError(f"{path}: the file is damaged: its checksum does not match its content")
    return arrays, content


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a file alone, its version and checksum among them; nothing is checked but the header's form.

    Raises:
        ModelError: it is no safetensors file.
    """
    return _mapped(path)[1]


def _mapped(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size <= MOST_HEADER:
                with safe_open(path, framework="numpy"):
                    pass  # which checks the header: its lengths and offsets, and that they fill the file
                content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        if size > MOST_HEADER:
            raise ValueError(f"a header of {size:,} bytes, expected {MOST_HEADER:,} at most")
        header = json.loads(bytes(content[8 : 8 + size]))
        metadata = header.pop("__metadata__", {})
        return {name: _view(content[8 + size :], entry) for name, entry in header.items()}, metadata
    except (SafetensorError, OSError, ValueError, KeyError, OverflowError) as error:
        raise ModelError(f"{path}: the file is damaged or no safetensors file: {error}") from None


def _view(content: memoryview, entry: Mapping[str, Any]) -> Array:
    """One array in the bytes behind the header."""
    (begin, end), shape, dtype = entry["data_offsets"], entry["shape"], np.dtype(_DTYPES[entry["dtype"]])
    if end - begin != prod(shape) * dtype.itemsize:
        raise ValueError(f"{end - begin} bytes for an array of shape {shape}")
    return np.frombuffer(content[begin:end], dtype).reshape(shape) if end > begin else np.empty(shape, dtype)


def _in_order(header: bytes) -> bytes:
    """A safetensors header with sorted metadata: they come in random order, and equal models shall be equal files."""
    tables = json.loads(header)
    tables["__metadata__"] = dict(sorted(tables["__metadata__"].items()))
    text = json.dumps(tables, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # arrays begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text


def _checksum(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    digest = hashlib.blake2b(json.dumps(dict(sorted(metadata.items()))).encode(), digest_size=16)
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} torch.{array.dtype} {array.shape}".encode())  # types are spelt as in the first files
        digest.update(array.reshape(-1).view(np.uint8).data if array.size else b"")
    return digest.hexdigest()
