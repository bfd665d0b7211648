"""A saved model is the model: the same scores bit for bit, everything written out, and no code in it."""

import pickle
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
import torch
from safetensors.torch import load_file

from polytag import Tagger, load, load_plan, train
from polytag.corpus.sentence import Sentence
from polytag.model import Model, save_model
from polytag.model.array_file import Array
from polytag.model.checkpoint import save_weights
from polytag.model.temperatures import remove_temperatures
from polytag.plan.parts import Chars, Tags, Words
from polytag.plan.task import Columns, Task
from polytag.plan.training import Initialisation, Training
from polytag.training import prepare
from polytag.training.torch_network import arrays_of, load_tensors, save_tensors
from tests.training import toy

SENTENCES = [Sentence(s.words) for s in toy.sentences(12, seed=21)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = toy.write_all(tmp_path_factory.mktemp("corpora"))
    train(toy.plan(directory, "ner", "pos", epochs=1), output=directory / "model")
    return directory / "model"


def save(tagger: Tagger, directory: Path) -> Path:
    directory.mkdir()
    save_model(tagger.model, directory)
    return directory


def emissions(tagger: Tagger) -> list[Array]:
    return [lattice.emissions for task in ("ner", "pos") for _, lattice in tagger.lattices(SENTENCES, task)]


def test_what_is_loaded_scores_bit_for_bit_as_what_was_saved(model: Path, tmp_path: Path) -> None:
    prepared = prepare(load(model).plan)
    arrays = arrays_of(prepared.network.state_dict())
    fresh = Tagger(Model(prepared.plan, prepared.vocabularies, arrays))
    for number, tagger in enumerate((fresh, load(model))):
        again = load(save(tagger, tmp_path / f"model-{number}"))
        assert all(np.array_equal(a, b) for a, b in zip(emissions(tagger), emissions(again), strict=True))
        assert again.plan == tagger.plan
        assert again.vocabularies == tagger.vocabularies


def test_equal_models_are_equal_files(model: Path) -> None:
    """Beside each other: a plan names where it searches from its own place."""
    again = save(load(model), model.parent / "again")
    for path in sorted(again.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (model / path.relative_to(again)).read_bytes(), path.name


def test_tensors_of_every_kind_come_back(tmp_path: Path) -> None:
    tensors = {
        "scalar": torch.tensor(3, dtype=torch.int64),
        "empty": torch.empty(0, 4),
        "view": torch.arange(6.0).view(2, 3).T,
        "extremes": torch.tensor([torch.inf, -torch.inf, 1e-45, -0.0]),
        "ünïcode": torch.ones(1, dtype=torch.float64),
    }
    save_tensors(tmp_path / "file", tensors, {"format": "test", "ключ": "значение"})
    found, metadata = load_tensors(tmp_path / "file", expected="test")
    assert metadata == {"format": "test", "ключ": "значение"}
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_any_safetensors_reader_reads_the_weights_named_by_part(model: Path) -> None:
    weights = load_file(model / "weights.safetensors")
    ours = load(model).model.arrays
    assert weights.keys() == ours.keys()
    assert all(np.array_equal(weights[name].numpy(), ours[name]) for name in ours)
    assert {".".join(name.split(".")[:2]) for name in weights} == {"chars.all", "words.en", "tags.ner", "tags.pos"}


def test_there_is_no_pickle_in_it(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in model.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not content.startswith((b"\x80", b"PK")), path.name  # pickles, and torch's zipped ones
            if path.suffix == ".safetensors":
                assert content[8:9] == b"{"
            else:
                content.decode("utf-8")

    def refused(*arguments: object, **keywords: object) -> None:
        raise AssertionError("a model was unpickled")

    for module, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(module, name, refused)
    load(model)


def test_the_plan_in_it_has_everything_written_out(model: Path) -> None:
    text = tomllib.loads((model / "plan.toml").read_text(encoding="utf-8"))
    assert text == load(model).plan.to_dict() | {"search": [".."]}
    tables: dict[type[Any], dict[str, Any]] = {
        Chars: text["chars"]["all"], Words: text["words"]["en"], Tags: text["tags"]["pos"], Task: text["tasks"]["ner"],
        Columns: text["tasks"]["ner"]["columns"], Training: text["training"], Initialisation: text["initialisation"],
    }  # fmt: skip
    for kind, table in tables.items():
        optional = {key for key, field in kind.settings().items() if field.default in (None, {})}
        assert set(table) | optional == set(kind.settings()), kind
    assert text["tasks"]["ner"]["scheme"] == "iob2"  # as it was detected


def test_the_plan_in_it_is_a_plan(model: Path) -> None:
    assert load_plan(model / "plan.toml") == load(model).plan


def test_no_directory_of_this_machine_is_in_it(model: Path) -> None:
    for path in model.rglob("*"):
        if path.is_file():
            assert str(model.parent).encode() not in path.read_bytes(), path.name


def test_a_model_finds_its_files_where_both_have_moved(model: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    shutil.copytree(model.parent, place)
    assert load(place / "model").plan.search == (str(place),)
    (tmp_path / "link").symlink_to(place / "model")
    assert load(tmp_path / "link").plan.search == (str(place),)


def test_a_model_from_before_has_directories_as_they_are(model: Path, tmp_path: Path) -> None:
    tagger = load(model)
    directory = save(tagger, tmp_path / "model")
    text = tomllib.loads((directory / "plan.toml").read_text(encoding="utf-8"))
    text["search"] = [str(model.parent)]
    (directory / "plan.toml").write_text(tomli_w.dumps(text), encoding="utf-8")
    save_weights(directory, tagger.model.arrays)
    remove_temperatures(directory)  # of the files before
    assert load(directory).plan == tagger.plan


@pytest.mark.parametrize(("language", "tokeniser"), [("es", "legacy:es"), ("none", "legacy:xx")])
def test_a_model_from_before_cuts_text_as_it_did(model: Path, tmp_path: Path, language: str, tokeniser: str) -> None:
    directory = save(load(model), tmp_path / "model")
    text = tomllib.loads((directory / "plan.toml").read_text(encoding="utf-8"))
    assert text["words"]["en"].pop("tokeniser") == "unicode"
    text["words"]["en"]["language"] = language
    (directory / "plan.toml").write_text(tomli_w.dumps(text), encoding="utf-8")
    save_weights(directory, load(model).model.arrays)
    remove_temperatures(directory)  # of the files before
    tagger = load(directory)
    assert tagger.tokeniser(["ner", "pos"]) == tokeniser
    again = load(save(tagger, tmp_path / "again"))
    assert again.plan.words == tagger.plan.words


def test_loading_leaves_the_caller_s_random_state_alone(model: Path) -> None:
    before = torch.random.get_rng_state()
    load(model)
    assert torch.equal(torch.random.get_rng_state(), before)
