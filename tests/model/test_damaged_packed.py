"""A packed file that is damaged, foreign or lies is one sentence, and takes no memory beyond what the file holds."""

import json
import random
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from polytag.errors import ModelError
from polytag.model import Model, load_model
from polytag.model.array_file import load_arrays, save_arrays
from polytag.model.packed import FORMAT, save_packed
from polytag.model.stored import deflated, inflated
from tests.model.models import make_model

Parts = tuple[dict[str, Any], dict[str, str]]  # arrays and metadata of a file
OWN = "tags.ner.features.own.weight"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "whole.polytag"
    save_packed(path, make_model(), precision="int8", coarse=True)
    return path


def loaded(path: Path) -> Model | str:
    """The model, or the sentence that says why there is none."""
    try:
        return load_model(path)
    except ModelError as error:
        message = str(error)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def same(a: Model, b: Model) -> bool:
    weights = a.arrays.keys() == b.arrays.keys() and all(
        a.arrays[name].tobytes() == b.arrays[name].tobytes() for name in a.arrays
    )
    return weights and (a.plan, a.vocabularies, a.temperatures) == (b.plan, b.vocabularies, b.temperatures)


def test_every_flipped_bit_is_seen(file: Path, tmp_path: Path) -> None:
    whole, source, expected = file.read_bytes(), random.Random(7), load_model(file)
    header = 8 + int.from_bytes(whole[:8], "little")
    positions = [source.randrange(header) for _ in range(150)] + [source.randrange(len(whole)) for _ in range(250)]
    for position in positions:
        content = bytearray(whole)
        content[position] ^= 1 << source.randrange(8)
        (tmp_path / "x").write_bytes(content)
        result = loaded(tmp_path / "x")
        assert isinstance(result, str) or same(result, expected), position


@pytest.mark.parametrize("share", [0, 0.0001, 0.01, 0.1, 0.5, 0.9, 0.9999])
def test_a_file_that_is_cut(file: Path, tmp_path: Path, share: float) -> None:
    whole = file.read_bytes()
    (tmp_path / "x").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match=r"the file is damaged|this is a file, expected a model directory or what"):
        load_model(tmp_path / "x")


@pytest.mark.parametrize("content", [b"", b"a b c\n" * 99, bytes(99), b"PK\x03\x04" * 9, b"\xff" * 16 + b"{"])
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ModelError, match="this is a file, expected a model directory or what polytag pack made of one"):
        load_model(tmp_path / "x")


def test_a_safetensors_file_of_others(tmp_path: Path) -> None:
    save_file({"x": np.ones(3, np.float32)}, tmp_path / "x")
    with pytest.raises(ModelError, match="expected format 'polytag-packed', found 'none'"):
        load_model(tmp_path / "x")


def test_a_file_of_another_version(file: Path, tmp_path: Path) -> None:
    arrays, metadata = load_arrays(file, expected=FORMAT)
    save_file(dict(arrays), tmp_path / "x", {**metadata, "version": "2"})
    with pytest.raises(ModelError, match="written in version 2 of the format; this polytag reads version 1"):
        load_model(tmp_path / "x")


def drop(name: str) -> Callable[[Parts], object]:
    return lambda parts: parts[0].pop(name)


def put(name: str, array: Any) -> Callable[[Parts], object]:
    return lambda parts: parts[0].update({name: array})


def tell(**metadata: str) -> Callable[[Parts], object]:
    return lambda parts: parts[1].update(metadata)


def plan(**tables: Any) -> Callable[[Parts], object]:
    """A plan with other values of `words.en`."""

    def change(parts: Parts) -> None:
        changed = json.loads(parts[1]["plan"])
        changed["words"]["en"] |= tables
        parts[1]["plan"] = json.dumps(changed)

    return change


def vocabularies(text: bytes, size: int | None = None) -> Callable[[Parts], object]:
    def change(parts: Parts) -> None:
        parts[0]["vocabularies"] = np.frombuffer(deflated(text), np.uint8)
        parts[1]["vocabularies"] = str(len(text) if size is None else size)

    return change


def words(words: Any, trained: Any = 1) -> Callable[[Parts], object]:
    """Another list of words."""

    def change(parts: Parts) -> None:
        tables = json.loads(inflated(parts[0]["vocabularies"].tobytes(), int(parts[1]["vocabularies"])))
        tables["words"]["en"] |= {"words": words, "trained": trained}
        vocabularies(json.dumps(tables).encode())(parts)

    return change


BOMB = np.frombuffer(zlib.compress(bytes(100 << 20), 9), np.uint8)
HUGE = 100_000
NO_VOCABULARY = "not a vocabulary that this polytag reads"
LIES: dict[str, tuple[Callable[[Parts], object], str]] = {
    "an array is missing": (drop("tags.ner.start"), r"tags.ner.start has shape none \(it is missing\), .* \(3,\)"),
    "an array too many": (put("x", np.ones(3, np.float32)), r"x has shape \(3,\), the plan calls for no such weights"),
    "another shape": (put("tags.ner.start", np.ones(4, np.float32)), r"start has shape \(4,\), .* calls for \(3,\)"),
    "another type": (put("tags.ner.start", np.ones(3)), "tags.ner.start is of type float64, expected float32"),
    "no scales": (drop(f"{OWN}.largest"), "own.weight.largest has shape none"),
    "neither whole nor compressed": (
        lambda p: (p[0].pop(OWN, None), p[0].pop(f"{OWN}.deflated", None)),
        "own.weight has shape none",
    ),
    "compressed rubbish": (
        lambda p: (p[0].pop(OWN, None), put(f"{OWN}.deflated", np.arange(90, dtype=np.uint8))(p)),
        "the weights are damaged: ",
    ),
    "a bomb of weights": (
        lambda p: (p[0].pop(OWN, None), put(f"{OWN}.deflated", BOMB)(p)),
        "the weights are damaged: .* bytes do not stand for 12",
    ),
    "another precision": (tell(precision="float32"), "is of type int8, expected float32"),
    "no precision": (tell(precision="int4"), "weights in precision 'int4', expected float32, float16, int8"),
    "a larger plan": (plan(hidden=HUGE), r"the plan calls for \("),
    "a deeper plan": (plan(layers=HUGE), "arrays, too few for the 100,001 layers of the plan"),
    "no plan": (tell(plan=""), "not a plan that this polytag reads"),
    "a list for a plan": (tell(plan="[]"), "not a plan that this polytag reads"),
    "a deep plan": (tell(plan="[" * 99_999), "not a plan that this polytag reads"),
    "an empty plan": (tell(plan="{}"), "not a plan that this polytag reads"),
    "no vocabularies": (drop("vocabularies"), NO_VOCABULARY),
    "a bomb of text": (lambda p: (put("vocabularies", BOMB)(p), tell(vocabularies=str(100 << 20))(p)), NO_VOCABULARY),
    "text of no size": (tell(vocabularies=""), NO_VOCABULARY),
    "text of size 0": (tell(vocabularies="0"), NO_VOCABULARY),
    "text of a size below 0": (tell(vocabularies="-1"), NO_VOCABULARY),
    "text of a size that lies": (tell(vocabularies="7"), NO_VOCABULARY),
    "text of a huge size": (tell(vocabularies=str(2**62)), NO_VOCABULARY),
    "text that is none": (vocabularies(b"\xff\xfe" * 99), NO_VOCABULARY),
    "text of brackets": (vocabularies(b"[" * 99_999), NO_VOCABULARY),
    "no parts": (vocabularies(b"{}"), NO_VOCABULARY),
    "a list of parts": (vocabularies(b"[]"), NO_VOCABULARY),
    "numbers for words": (words([1, 2, 3]), NO_VOCABULARY),
    "a number for a list": (words(3), NO_VOCABULARY),
    "more words": (words(["a"] * 99), "words.en.embedding.weight|the weights are damaged"),
    "temperatures below 0": (tell(temperatures='{"ner": -1}'), "expected temperatures above 0"),
    "temperatures of others": (tell(temperatures='{"pos": 1}'), "expected temperatures above 0 of tasks of the model"),
    "no temperatures": (tell(temperatures="?"), "expected temperatures above 0"),
}


@pytest.mark.parametrize("case", LIES)
def test_a_file_with_a_checksum_that_lies(file: Path, tmp_path: Path, case: str) -> None:
    """Whoever makes it can make the checksum too."""
    change, message = LIES[case]
    arrays, metadata = load_arrays(file, expected=FORMAT)
    change((arrays, metadata))
    save_arrays(tmp_path / "x", arrays, metadata)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match=message) as error:
            load_model(tmp_path / "x")
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()
    assert str(error.value).startswith(f"{tmp_path / 'x'}: ")
    assert "\n" not in str(error.value)


def test_whatever_is_changed_with_its_checksum(file: Path, tmp_path: Path) -> None:
    """Bytes of plan, vocabularies and arrays, with a checksum that is right: a model or a sentence."""
    source, models = random.Random(11), 0
    for _ in range(300):
        arrays, metadata = load_arrays(file, expected=FORMAT)
        mutate(source, arrays, metadata)
        save_arrays(tmp_path / "x", arrays, metadata)
        models += isinstance(loaded(tmp_path / "x"), Model)
    assert 30 < models < 270


def mutate(source: random.Random, arrays: dict[str, Any], metadata: dict[str, str]) -> None:
    kind = source.choice(["plan", "vocabularies", "array", "metadata"])
    if kind == "plan":
        metadata["plan"] = changed(source, metadata["plan"].encode()).decode(errors="replace")
    elif kind == "vocabularies":
        text = changed(source, inflated(arrays["vocabularies"].tobytes(), int(metadata["vocabularies"])))
        vocabularies(text)((arrays, metadata))
    elif kind == "array":
        name = source.choice(sorted(arrays))
        content = changed(source, arrays[name].tobytes())
        size = len(content) // arrays[name].itemsize * arrays[name].itemsize
        array = np.frombuffer(content[:size], arrays[name].dtype)
        arrays[name] = array.reshape(arrays[name].shape) if array.size == arrays[name].size else array
    else:
        name = source.choice(["precision", "temperatures", "vocabularies"])
        metadata[name] = changed(source, metadata[name].encode()).decode(errors="replace")


def changed(source: random.Random, content: bytes) -> bytes:
    """A few bytes replaced, left out or repeated."""
    place, length = source.randrange(len(content)), source.choice([1, 1, 1, 2, 9])
    middle = source.choice([source.randbytes(length), b"", content[place : place + length] * 2])
    return content[:place] + middle + content[place + length :]


def test_bytes_come_back() -> None:
    for content in (b"x", b"", bytes(10**6), random.Random(1).randbytes(9999)):
        if content:
            assert inflated(deflated(content), len(content)) == content


def test_a_number_too_large_for_python(file: Path, tmp_path: Path) -> None:
    arrays, metadata = load_arrays(file, expected=FORMAT)
    save_arrays(tmp_path / "x", arrays, {**metadata, "vocabularies": "9" * 5000})
    with pytest.raises(ModelError, match=NO_VOCABULARY):
        load_model(tmp_path / "x")
