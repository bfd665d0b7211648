"""Curves as SVG: well-formed, the same bytes each time, and every point where it belongs."""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from polytag.errors import ModelError, PolytagError
from polytag.reports.chart import COLOURS, MISSING, draw
from polytag.reports.training_curves import FILE, curves, curves_of, write_curves
from polytag.training import Note, train, train_events
from tests.training import toy

LOOKS_AT_CURVES = True

SVG = "{http://www.w3.org/2000/svg}"


def line(epoch: int, *, best: bool = False, **dev: float) -> dict[str, object]:
    return {"epoch": epoch, "loss": dict.fromkeys(dev, 3.0 / epoch), "dev": dev, "test": {}, "is_best": best}


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def drawn(svg: str) -> list[list[tuple[float, float]]]:
    """The places of each line of a task, in the order of panels and tasks."""
    paths = [path for path in ET.fromstring(svg).iter(f"{SVG}path") if "clip-path" in path.attrib]
    lines = [path.get("d", "") for path in paths if any(f"stroke: {c}" in path.get("style", "") for c in COLOURS)]
    found = [[place.split() for place in line.replace("M", "L").split("L")[1:]] for line in lines]
    return [[(float(x), float(y)) for x, y in line] for line in found]


HISTORY = [line(1, best=True, ner=60.0), line(2, ner=55.5), line(3, best=True, ner=70.0)]


def test_a_training_leaves_its_curves_in_the_model_directory(tmp_path: Path) -> None:
    train(toy.plan(toy.write_all(tmp_path), "ner", "xx"), output=tmp_path / "model")
    svg = (tmp_path / "model" / FILE).read_text(encoding="utf-8")
    assert svg == curves_of(tmp_path / "model")
    assert {"development score", "training loss", "epoch", "ner", "xx"} <= set(texts(svg))
    report = json.loads((tmp_path / "model" / "report.json").read_text(encoding="utf-8"))
    assert f"kept: {report['best_epoch']}" in texts(svg)
    assert len(drawn(svg)) == 4


def test_the_same_metrics_give_the_same_bytes() -> None:
    assert curves(HISTORY) == curves(json.loads(json.dumps(HISTORY)))
    assert "kept: 3" in texts(curves(HISTORY))


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


def test_no_number_gives_no_curves(tmp_path: Path) -> None:
    history = [{"epoch": 1, "loss": {"ner": float("nan")}, "dev": {}, "test": {}, "is_best": True}]
    assert curves(history) == ""


def test_every_point_is_where_it_belongs() -> None:
    history = [line(1, ner=10.0, pos=10.0), line(2, ner=20.0, pos=90.0), line(3, best=True, ner=30.0, pos=50.0)]
    ner, pos = drawn(curves(history))[:2]
    assert [x for x, _ in ner] == pytest.approx([x for x, _ in pos])
    assert ner[0] == pytest.approx(pos[0])
    left, middle, right = ner
    assert middle == pytest.approx(((left[0] + right[0]) / 2, (left[1] + right[1]) / 2))
    assert pos[1][1] < pos[2][1] < pos[0][1]  # downwards
    assert pos[2][1] - pos[1][1] == pytest.approx(2 * (ner[0][1] - ner[2][1]))


@pytest.mark.parametrize("name", ["<script>", "a & b", "$x^", "_ner", "名前", "ner\\frac"])
def test_names_are_text(name: str) -> None:
    svg = curves([line(1, best=True, **{name: 60.0, "other": 50.0}), line(2, **{name: 61.0, "other": 40.0})])
    assert name in texts(svg)
    assert name in (ET.fromstring(svg).get("aria-label") or "")


def test_nothing_is_said_of_where_and_when_it_was_drawn() -> None:
    svg = draw([lambda axes: axes.set_title("title")], title="chart")
    assert svg.startswith("<svg")
    assert not {"metadata", "style"} & {element.tag.removeprefix(SVG) for element in ET.fromstring(svg).iter()}


def test_a_chart_is_the_same_whatever_the_user_has_set_for_others() -> None:
    import matplotlib as mpl

    expected = curves(HISTORY)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.marker": "x"}):
        assert curves(HISTORY) == expected
        assert mpl.rcParams["font.size"] == 30


def test_without_matplotlib_a_training_says_so_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    *_, note, _ = train_events(toy.plan(toy.write_all(tmp_path), "ner"), output=tmp_path / "model")
    assert isinstance(note, Note)
    assert note.text == f"curves.svg is not drawn: {MISSING}"
    assert (tmp_path / "model" / "report.json").exists()
    assert not (tmp_path / "model" / FILE).exists()
    with pytest.raises(PolytagError, match=r"polytag\[reports\]"):
        curves_of(tmp_path / "model")
