"""The examples run, print what they promise, and stay short."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from polytag.errors import PolytagWarning

EXAMPLES = Path(__file__).parents[1] / "examples"
TESTED = {"train", "tag", "evaluate", "corpus"}
TOO_LONG_TO_TEST = {"demo"}  # trains seven taggers
TESTED_ELSEWHERE = {"onnx_tag"}  # with what it reads, in test_export.py
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))

Run = Callable[..., str]


@pytest.fixture(scope="module")
def run() -> Run:
    """Runs an example's main in this process."""

    def run(name: str, *arguments: Any) -> None:
        runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"](*arguments)

    return run  # type: ignore[return-value]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What examples/train.py makes with still smaller settings."""
    path = tmp_path_factory.mktemp("example") / "model"
    threads = torch.get_num_threads()
    module = runpy.run_path(str(EXAMPLES / "train.py"))
    one_layer = ["chars.latin.layers=1", "words.english.layers=1"]
    module["SMALL"] += [*one_layer, "training.epochs=1", "tasks.en-ner.rate=0.3", "tasks.en-pos.rate=0.3"]
    with pytest.warns(PolytagWarning, match="tags that training lacks"):  # so few sentences
        module["main"](str(path))
    torch.set_num_threads(threads)  # the plan asks for one
    return path


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= TESTED | TOO_LONG_TO_TEST | TESTED_ELSEWHERE | {"notebooks"}


@pytest.mark.parametrize("name", sorted(TESTED))
def test_examples_are_under_40_lines_and_say_what_they_show(name: str) -> None:
    lines = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 40
    assert lines[0].startswith('"""')


PRINTED = {
    "own_data": "F1 ",
    "joint_training": "en-ner: alone ",
    "from_raw_text": "('Lima', ",
}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::polytag.errors.PolytagWarning")  # so few sentences lack tags
def test_notebooks_run_and_are_kept_without_output(
    notebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    monkeypatch.chdir(EXAMPLES)  # comes back to where it was
    monkeypatch.setenv("EPOCHS", "1")
    threads = torch.get_num_threads()
    runpy.run_path(str(EXAMPLES / "notebooks.py"))["run"](notebook)
    torch.set_num_threads(threads)
    assert PRINTED[notebook.stem] in capsys.readouterr().out


def test_train(model: Path) -> None:
    assert (model / "report.json").exists()


def test_tag(run: Run, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("tag", model)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows[:3]] == ["Marta", "Oliveira", "moved"]
    assert all(0 <= float(row[2]) <= 1 and 0 <= float(row[4]) <= 1 for row in rows[:10])


def test_evaluate(run: Run, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("evaluate", model)
    printed = capsys.readouterr().out
    assert "processed 741 tokens" in printed
    assert "words that training never showed" in printed


def test_corpus(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("corpus", tmp_path / "news.conllu")
    printed = capsys.readouterr().out
    assert "IOB2" in printed
    assert "S-LOC" in printed
    assert "ner=S-LOC" in (tmp_path / "news.conllu").read_text(encoding="utf-8")
