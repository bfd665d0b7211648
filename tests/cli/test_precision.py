"""One precision at every door: the model's own, unless told otherwise."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

import polytag
from polytag import native
from polytag.native import Precision
from polytag.tagger.tagging import Tagger
from tests.cli.conftest import ENVIRONMENT, run

LACKING = "polytag: the model is of int8, but this machine has not instructions for it: it is computed in float32\n"
COMMANDS = {
    "tag": "tag {model} test.conll",
    "evaluate": "evaluate {model} --data .",
    "suggest": "suggest {model} test.conll --task ner",
    "compare": "compare {model} {model} --task ner --data .",
    "serve": "serve {model} --port 0",
    "calibrate": "calibrate {directory} --task ner --data-file dev.conll",
}


@pytest.fixture(scope="session")
def packed(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of `trained`, to be computed in int8."""
    path = tmp_path_factory.mktemp("packed") / "small.polytag"
    done = run(["pack", trained, "--output", path, "--precision", "int8"])
    assert done.code == 0, done.err
    return path


@pytest.fixture
def int8_directory(packed: Path, tmp_path: Path) -> Path:
    """The same as a directory, for what writes into it."""
    polytag.model.save_model(polytag.load(packed, precision="float32").model, tmp_path / "of int8")
    return tmp_path / "of int8"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The precisions of the taggers that are made; a server ends before it begins."""
    made: list[str] = []
    original = Tagger.__init__

    def noting(self: Tagger, *arguments: object, **settings: object) -> None:
        original(self, *arguments, **settings)  # type: ignore[arg-type]
        made.append(self.precision)

    monkeypatch.setattr(Tagger, "__init__", noting)
    with contextlib.suppress(ImportError):
        monkeypatch.setattr("polytag.server.serve", lambda *_, **__: None)
    return made


def supporting(monkeypatch: pytest.MonkeyPatch, *precisions: Precision) -> None:
    monkeypatch.setattr(native, "supports", precisions.__contains__)


def command(name: str, model: Path, directory: Path) -> list[str]:
    if name == "serve":
        pytest.importorskip("fastapi")
    return [part.format(model=model, directory=directory) for part in COMMANDS[name].split()]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_door_takes_the_model_s_own_precision(name, packed, int8_directory, workplace, loaded, monkeypatch):
    if not native.supports("int8"):
        pytest.skip("this machine has no instructions for int8")
    done = run(command(name, packed, int8_directory))
    assert done.code == 0, done.err
    assert set(loaded) == {"int8"}
    loaded.clear()
    done = run([*command(name, packed, int8_directory), "--precision", "float32"])
    assert done.code == 0, done.err
    assert set(loaded) == {"float32"}


@pytest.mark.filterwarnings("default::polytag.PolytagWarning")
@pytest.mark.parametrize("name", COMMANDS)
def test_what_it_is_computed_in_instead_is_one_line(name, packed, int8_directory, workplace, loaded, monkeypatch):
    supporting(monkeypatch, "float32")
    done = run(command(name, packed, int8_directory))
    assert done.code == 0, done.err
    assert done.err.count("polytag: ") == done.err.count(LACKING) == 1
    assert set(loaded) == {"float32"}
    told = run([*command(name, packed, int8_directory), "--precision", "float32"])
    assert (told.code, told.out) == (0, done.out)
    assert "int8" not in told.err


@pytest.mark.filterwarnings("default::polytag.PolytagWarning")
def test_a_precision_that_is_asked_for_and_not_there_is_an_error(packed, workplace, monkeypatch):
    supporting(monkeypatch, "float32")
    done = run(["tag", packed, "test.conll", "--precision", "int8"])
    assert (done.code, done.out) == (1, "")
    assert done.sentence == "precision int8: this machine has not instructions for it, expected 'float32' or 'auto'"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_workers_say_it_once(workers, packed, workplace):
    """In processes of their own, where the core is not to be used."""
    done = subprocess.run(
        [sys.executable, "-m", "polytag", "tag", str(packed), "test.conll", "--workers", workers],
        env={**ENVIRONMENT, "POLYTAG_NATIVE": "0"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    expected = "polytag: the model is of int8, but POLYTAG_NATIVE=0 leaves polytag's native core unused: it is computed"
    assert done.stderr.startswith(expected)
    assert done.stdout == run(["tag", packed, "test.conll", "--precision", "float32"]).out


def test_show_names_it(packed, trained):
    assert f"{'precision':<24} int8" in run(["show", packed]).out.splitlines()
    assert "precision" not in run(["show", trained]).out
