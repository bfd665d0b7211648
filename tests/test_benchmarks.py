"""The benchmarks run, on networks of a few units; how fast they say it is does not matter here."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from benchmarks import soak, training_threads
from polytag.corpus.sentence import Sentence
from polytag.model import save_model
from polytag.tagger.evaluation import sentences_to_score
from polytag.training import train
from tests import tiny
from tests.training import toy

DIRECTORY = Path(__file__).parent.parent / "benchmarks"
QUICK = ["--tiny", "--batch", "4", "--steps", "2", "--rounds", "1"]


def loaded(name: str) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location(name, DIRECTORY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    threads = torch.get_num_threads()
    yield module
    torch.set_num_threads(threads)


@pytest.fixture
def script() -> Iterator[ModuleType]:
    yield from loaded("training_step")


@pytest.fixture
def features() -> Iterator[ModuleType]:
    yield from loaded("features")


def test_features_are_taken_apart(features: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A network that learned nothing beside features that did."""
    toy.write_all(tmp_path)
    tables = toy.tables("ner", search=tmp_path, features=True, learning_rate=1e-9, epochs=8)
    tagger = train(toy.make_plan(tables), output=tmp_path / "model")
    features.main([str(tmp_path / "model"), "--rounds", "1"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["network", "features", "both", "network", "both"]
    scores = {line[0]: (float(line[2]), float(line[4])) for line in lines[:3]}
    sentences = list(sentences_to_score(tagger, split="dev")["ner"])
    assert scores["both"][0] == pytest.approx(tagger.evaluate(sentences, "ner").score, abs=0.01)
    assert scores["network"][0] < 50 < scores["features"][0]


@pytest.mark.slow
def test_training_is_timed_with_one_thread_and_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    training_threads.main(["--tiny", "--batches", "4", "--steps", "2", "--rounds", "1"])
    _, row = capsys.readouterr().out.splitlines()
    *size, one, two, ratio = row.replace(",", "").split()
    assert size == ["1x6", "1x4", "4"]
    assert float(ratio) == pytest.approx(float(two) / float(one), abs=0.02)


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
    monkeypatch.setattr(script.TorchStack, "forward", lambda *inputs, **options: right(*inputs, **options) * (1 + 1e-6))
    monkeypatch.setattr(script, "measure", lambda *_: pytest.fail("timed all the same"))
    with pytest.raises(SystemExit, match="nothing is timed"):
        script.main(QUICK)


def test_training_step_compares_gradients_too(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    right = script.TorchStack.forward

    def wrong_gradient(*inputs: object, **options: object) -> torch.Tensor:
        states = right(*inputs, **options)
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


@pytest.mark.slow
def test_formats_are_timed_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    for script in loaded("formats"):
        script.main(["--sentences", "20", "--rounds", "1"])
    rows = capsys.readouterr().out.splitlines()[3:]
    assert [row[:20].strip() for row in rows] == [
        "conll", "conllu", "tokenised", "tokenised to jsonl", "jsonl of words", "jsonl of texts",
    ]  # fmt: skip


def test_soak_calls_loads_and_shares_a_tagger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_model(tiny.model(), tmp_path / "model")
    often = ["--loads", "10", "--calls", "20", "--sentences", "40", "--threads", "3", "--repeats", "2"]
    soak.main([str(tmp_path / "model"), *often])
    loads, calls, single, stretches, _ = capsys.readouterr().out.splitlines()
    assert loads.startswith("loading and dropping: 10 times")
    assert calls.startswith("calls: 20 times")
    assert single == "3 threads, one by one: 2 times 40 sentences, 0 otherwise than by one thread"
    assert stretches.endswith("2 times 40 sentences, 0 otherwise than by one thread")


def test_soak_sees_what_grows(capsys: pytest.CaptureFixture[str]) -> None:
    kept: list[int] = []
    assert soak.flat("once", 20, lambda: None, megabytes=lambda: 100.0)
    moments = iter([100.0] * 5 + [150.0] + [100.0] * 4)
    assert soak.flat("for a moment", 20, lambda: None, megabytes=lambda: next(moments))
    assert not soak.flat("hoarding", 20, lambda: kept.append(1), megabytes=lambda: 100.0 + len(kept))
    assert "GROWS by 10.0 MB" in capsys.readouterr().out
