"""Named arrays in a file come back as views of it, bit for bit; what is no such file takes no memory to refuse."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from polytag.errors import ModelError
from polytag.model.array_file import MOST_HEADER, load_arrays, read_metadata, save_arrays

ARRAYS: dict[str, Any] = {
    "scalar": np.array(3, np.int64),
    "empty": np.empty((0, 4), np.float32),
    "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "extremes": np.array([np.inf, -np.inf, np.nan, 1e-45, -0.0], np.float32),
    "half": np.array([1.5, -2], np.float16),
    "small": np.array([[-128, 127]], np.int8),
    "bytes": np.frombuffer(b"abc", np.uint8),
    "flags": np.array([True, False]),
    "ünïcode": np.ones(1, np.float64),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_arrays(tmp_path / "file", ARRAYS, {"format": "test", "ключ": "значение"})
    return tmp_path / "file"


def test_arrays_of_every_kind_come_back(file: Path) -> None:
    arrays, metadata = load_arrays(file, expected="test")
    assert metadata == {"format": "test", "ключ": "значение"}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype, name
        assert arrays[name].shape == array.shape, name
        assert arrays[name].tobytes() == array.tobytes(), name


def test_they_are_views_that_nobody_can_write_to(file: Path) -> None:
    arrays, _ = load_arrays(file, expected="test")
    for name, array in arrays.items():
        assert array.base is not None or not array.size, name
        assert not array.flags.writeable or not array.size, name


def test_they_outlive_a_file_that_is_replaced(file: Path) -> None:
    arrays, _ = load_arrays(file, expected="test")
    save_arrays(file, {"scalar": np.array(4, np.int64)}, {"format": "test"})
    assert arrays["scalar"] == 3
    assert load_arrays(file, expected="test")[0]["scalar"] == 4


def test_metadata_can_be_read_alone(file: Path) -> None:
    assert read_metadata(file).keys() == {"format", "version", "checksum", "ключ"}


def put(path: Path, header: bytes, body: bytes = b"", *, length: int | None = None) -> Path:
    path.write_bytes((len(header) if length is None else length).to_bytes(8, "little") + header + body)
    return path


def entry(**values: Any) -> bytes:
    return json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | values}).encode()


@pytest.mark.parametrize("length", [MOST_HEADER + 1, 2**40, 2**63, 2**64 - 1])
def test_a_header_that_promises_too_much(tmp_path: Path, length: int) -> None:
    with pytest.raises(ModelError, match=r"a header of [\d,]+ bytes, expected 16,777,216 at most"):
        load_arrays(put(tmp_path / "file", entry(), bytes(4), length=length), expected="test")


@pytest.mark.parametrize(
    "header",
    [
        entry(shape=[2**40]),
        entry(shape=[2**62, 4]),
        entry(shape=[-1]),
        entry(data_offsets=[0, 8]),
        entry(data_offsets=[4, 0]),
        entry(dtype="F128"),
        entry(dtype="BF16", shape=[2]),
        b'{"x": 1}',
        b"[]",
        b"[" * 100_000,
        b"",
    ],
)
def test_a_header_that_lies(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(ModelError, match="the file is damaged or no safetensors file: "):
        load_arrays(put(tmp_path / "file", header, bytes(4)), expected="test")


def test_a_foreign_file(tmp_path: Path) -> None:
    save_file({"x": np.ones(3, np.float32)}, tmp_path / "file")
    with pytest.raises(ModelError, match="expected format 'test', found 'none'"):
        load_arrays(tmp_path / "file", expected="test")
