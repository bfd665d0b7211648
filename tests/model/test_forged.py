"""A model whose checksums are right and whose content is wrong is refused with a sentence, before it takes memory."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytag.errors import ModelError
from polytag.model import load_model, save_model
from polytag.model.array_file import load_arrays, save_arrays
from polytag.model.checkpoint import FORMAT, WEIGHTS, save_weights
from tests.model.models import make_model

WORDS, CHARS, TAGS = "vocabulary/words.en.json", "vocabulary/chars.latin.json", "vocabulary/tags.ner.json"
Change = Callable[[Any], Any]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    save_model(make_model(), tmp_path / "m")
    (tmp_path / "m" / "calibration.json").unlink()
    return tmp_path / "m"


def signed(directory: Path) -> None:
    """Checksums of the directory as it is."""
    save_weights(directory, make_model().arrays)


def put(key: str, value: Any) -> Change:
    return lambda tables: {**tables, key: value}


def without(key: str) -> Change:
    return lambda tables: {name: value for name, value in tables.items() if name != key}


CASES: dict[str, tuple[str, Change]] = {
    "no table": (WORDS, lambda _: [1, 2]),
    "nothing": (TAGS, lambda _: None),
    "no words": (WORDS, without("words")),
    "words that are numbers": (WORDS, put("words", [1, 2])),
    "words that are one text": (WORDS, put("words", {"a": 1})),
    "a number that is none": (WORDS, put("trained", None)),
    "a number without end": (WORDS, put("trained", "9" * 5_000)),
    "an alphabet that is none": (CHARS, put("alphabet", ["a", "b"])),
    "an alphabet of another length": (CHARS, put("alphabet", "a" * 90)),
    "tags that are none": (TAGS, put("tags", [["O"]])),
    "tags that are too many": (TAGS, put("tags", ["O"] * 90)),
    "no scheme": (TAGS, put("scheme", "klingon")),
    "a scheme that is a list": (TAGS, put("scheme", [])),
    "a gazetteer that is none": (TAGS, put("gazetteer", {"types": 3})),
    "clusters that are none": (WORDS, put("clusters", [3])),
    "clusters of numbers": (WORDS, put("clusters", {"names": [1], "words": "a\n", "ids": "AQA="})),
    "clusters of no set": (WORDS, put("clusters", {"names": [], "words": "", "ids": ""})),
    "clusters that are too few": (WORDS, put("clusters", {"names": ["k"], "words": "a\nb\n", "ids": "AQA="})),
    "clusters of half a word": (WORDS, put("clusters", {"names": ["k"], "words": "a\nb", "ids": "AQA="})),
    "clusters in rubbish": (WORDS, put("clusters", {"names": ["k"], "words": "a\n", "ids": "!QA="})),
    "features that are none": (TAGS, put("features", {"own": 3, "around": []})),
    "brackets in brackets": (TAGS, lambda _: json.loads("[" * 900 + "]" * 900)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_vocabulary_that_is_none(directory: Path, name: str) -> None:
    file, change = CASES[name]
    path = directory / file
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    signed(directory)
    with pytest.raises(ModelError) as raised:
        load_model(directory)
    assert str(raised.value).startswith(f"{directory}")


@pytest.mark.parametrize("files", ["{", "[]", "3", '{"plan.toml": 3}', '{"../../x": "y"}', '{"": "x"}', "[" * 5_000])
def test_checksums_that_are_none(directory: Path, files: str) -> None:
    arrays, _ = load_arrays(directory / WEIGHTS, expected=FORMAT)
    copied = {name: np.array(array) for name, array in arrays.items()}
    save_arrays(directory / WEIGHTS, copied, {"format": FORMAT, "files": files})
    with pytest.raises(ModelError):
        load_model(directory)


@pytest.mark.parametrize("setting", ["hidden = 6000", "layers = 100000", "dimension = 100000"])
def test_a_plan_that_is_larger_than_its_weights_takes_no_memory(directory: Path, setting: str) -> None:
    plan, key = directory / "plan.toml", setting.split(" ")[0]
    lines = plan.read_text(encoding="utf-8").splitlines()
    plan.write_text("\n".join(setting if line.startswith(f"{key} = ") else line for line in lines), encoding="utf-8")
    signed(directory)
    tracemalloc.start()
    with pytest.raises(ModelError, match=r"the plan calls for|too few for the"):
        load_model(directory)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()
