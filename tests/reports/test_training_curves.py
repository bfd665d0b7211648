"""Curves as SVG: well-formed, the same bytes each time, and every point where it belongs."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.errors import ModelError
from polytag.reports.chart import Axis, Panel, Series, axis, draw, log_axis
from polytag.reports.training_curves import FILE, curves, curves_of, write_curves
from polytag.training import train
from tests.training import toy

SVG = "{http://www.w3.org/2000/svg}"


def line(epoch: int, *, best: bool = False, **dev: float) -> dict[str, object]:
    return {"epoch": epoch, "loss": dict.fromkeys(dev, 3.0 / epoch), "dev": dev, "test": {}, "is_best": best}


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_training_leaves_its_curves_in_the_model_directory(tmp_path: Path) -> None:
    train(toy.plan(toy.write_all(tmp_path), "ner", "xx"), output=tmp_path / "model")
    svg = (tmp_path / "model" / FILE).read_text(encoding="utf-8")
    assert svg == curves_of(tmp_path / "model")
    assert {"development score", "training loss", "epoch", "ner", "xx"} <= set(texts(svg))
    report = json.loads((tmp_path / "model" / "report.json").read_text(encoding="utf-8"))
    assert f"kept: {report['best_epoch']}" in texts(svg)
    assert len(list(ET.fromstring(svg).iter(f"{SVG}polyline"))) == 4


def test_the_same_metrics_give_the_same_bytes() -> None:
    history = [line(1, best=True, ner=60.0), line(2, ner=55.5), line(3, best=True, ner=70.0)]
    assert curves(history) == curves(json.loads(json.dumps(history)))
    assert "kept: 3" in texts(curves(history))


def test_no_epoch_gives_no_curves(tmp_path: Path) -> None:
    write_curves(tmp_path, [])
    assert not (tmp_path / FILE).exists()
    assert curves_of(tmp_path) == ""


def test_damaged_metrics_are_refused(tmp_path: Path) -> None:
    for text in ("{", "[]\n", '{"epoch": 1}\n'):
        (tmp_path / "metrics.jsonl").write_text(text, encoding="utf-8")
        with pytest.raises(ModelError, match="the file is damaged"):
            curves_of(tmp_path)


def test_a_training_without_development_data_shows_its_loss() -> None:
    history = [{"epoch": 1, "loss": {"ner": float("nan")}, "dev": {}, "test": {}, "is_best": True},
               {"epoch": 2, "loss": {"ner": 1.0}, "dev": {}, "test": {}, "is_best": True}]  # fmt: skip
    assert "development score" not in texts(curves(history))
    assert "training loss" in texts(curves(history))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_an_axis_holds_all_values_between_its_round_ticks(values: list[float]) -> None:
    found = axis("score", values)
    assert found.low <= min(values) <= max(values) <= found.high or max(values) - min(values) < 1e-9
    assert 2 <= len(found.ticks) <= 12
    assert found.place(found.low) == 0
    assert found.place(found.high) == 1


def test_a_logarithmic_axis_spaces_ratios_evenly() -> None:
    found = log_axis("rate", [(rate, f"{rate:g}") for rate in (0.01, 0.1, 1.0)])
    low, middle, high = (found.place(rate) for rate in (0.01, 0.1, 1.0))
    assert middle == pytest.approx((low + high) / 2)
    assert 0 < low < high < 1


def test_names_are_text() -> None:
    unit = Axis("<x>", 0, 1, [(0, "0"), (1, "1")])
    svg = draw([Panel("a & b", unit, unit, [Series("<script>", [(0, 0), (1, 1)])])], title='"')
    assert {"<x>", "a & b", "<script>"} <= set(texts(svg))
