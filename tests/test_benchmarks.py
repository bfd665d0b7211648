"""The benchmarks run, on networks of a few units; how fast they say it is does not matter here."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from polytag.corpus.sentence import Sentence

DIRECTORY = Path(__file__).parent.parent / "benchmarks"
QUICK = ["--tiny", "--batch", "4", "--steps", "2", "--rounds", "1"]


@pytest.fixture
def script() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("training_step", DIRECTORY / "training_step.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    threads = torch.get_num_threads()
    yield module
    torch.set_num_threads(threads)


def test_training_step_times_every_contender(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script.main([*QUICK, "--json", str(tmp_path / "out.json")])
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["largest_difference"] <= script.TOLERANCE
    assert set(written["results"]) == {script.BEFORE, script.AFTER, script.TORCH, script.PRODUCTS}
    assert written["results"][script.TORCH]["ratio"] == 1
    assert all(row["lowest"] <= row["words_per_second"] <= row["highest"] for row in written["results"].values())
    table = capsys.readouterr().out
    assert all(name in table for name in written["results"])
    assert "examples/news" in table


def test_training_step_times_nothing_where_the_networks_differ(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = script.TorchStack.forward
    monkeypatch.setattr(script.TorchStack, "forward", lambda *inputs: right(*inputs) * (1 + 1e-6))
    monkeypatch.setattr(script, "measure", lambda *_: pytest.fail("timed all the same"))
    with pytest.raises(SystemExit, match="nothing is timed"):
        script.main(QUICK)


def test_training_step_compares_gradients_too(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    right = script.TorchStack.forward

    def wrong_gradient(*inputs: object) -> torch.Tensor:
        states = right(*inputs)
        return states + (states - states.detach()) * 1e-3  # the same values

    monkeypatch.setattr(script.TorchStack, "forward", wrong_gradient)
    monkeypatch.setattr(script, "measure", lambda *_: pytest.fail("timed all the same"))
    with pytest.raises(SystemExit, match="nothing is timed"):
        script.main(QUICK)


def test_ways_to_choose_are_compared_at_the_same_number_of_words() -> None:
    from benchmarks import suggestions

    sentences = [Sentence(("word",) * length) for length in (3, 4, 5, 1)]
    assert suggestions.worth(sentences, 8) == sentences[:2]
    assert suggestions.worth(sentences, 13) == sentences
    seeds = [
        {"before": 50.0, "at random": 60.0, "`suggest`": 62.0},
        {"before": 52.0, "at random": 61.0, "`suggest`": 60.5},
    ]
    assert suggestions.table(seeds).splitlines()[2:] == [
        "| before | 51.00 ± 1.41 |  |",
        "| at random | 60.50 ± 0.71 |  |",
        "| `suggest` | 61.25 ± 1.06 | +2.00, -0.50 |",
    ]
