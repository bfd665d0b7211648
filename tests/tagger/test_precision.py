"""Which precision is computed in: the model's own, or one that was asked for and is there."""

import pickle
from dataclasses import replace

import pytest

from polytag import native
from polytag.errors import PolytagError, PolytagWarning
from polytag.native import PRECISIONS, Precision
from polytag.tagger.precision import choose_precision
from polytag.tagger.tagging import Tagger
from tests import tiny


def confine(monkeypatch: pytest.MonkeyPatch, *precisions: str, fast: bool = False) -> None:
    """A machine that has these precisions; the native core, if it has any."""
    monkeypatch.setattr(native, "available", lambda: bool(precisions))
    monkeypatch.setattr(native, "supports", precisions.__contains__)
    monkeypatch.setattr(native, "prefers_bfloat16", lambda: fast)


def test_auto_is_bfloat16_where_it_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    confine(monkeypatch, "float32", "bfloat16", "int8", fast=True)
    assert choose_precision("auto", own="float32") == "bfloat16"


def test_auto_is_float32_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    confine(monkeypatch, "float32", "bfloat16", "int8")
    assert choose_precision("auto", own="int8") == "float32"


def test_a_model_has_a_precision_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    confine(monkeypatch, "float32", "bfloat16", "int8", fast=True)
    assert choose_precision(None, own="int8") == "int8"
    assert choose_precision(None, own="float32") == "float32"
    assert choose_precision("float32", own="int8") == "float32"


def test_a_model_whose_own_is_not_there_is_computed_in_float32_and_that_is_told(monkeypatch) -> None:
    confine(monkeypatch, "float32")
    with pytest.warns(PolytagWarning, match="the model is of int8, but this machine has not instructions for it"):
        tagger = Tagger(replace(tiny.model(), precision="int8"))
    assert tagger.precision == "float32"


@pytest.mark.skipif(not native.supports("int8"), reason="this machine has no instructions for int8")
def test_a_tagger_of_such_a_model_is_restored_from_a_pickle_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = Tagger(replace(tiny.model(), precision="int8"))
    assert tagger.precision == pickle.loads(pickle.dumps(tagger)).precision == "int8"
    content = pickle.dumps(tagger)
    confine(monkeypatch, "float32")
    with pytest.warns(PolytagWarning, match="it is computed in float32"):
        assert pickle.loads(content).precision == "float32"


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    confine(monkeypatch, "float32")
    expected = rf"precision {precision}: this machine has not instructions for it, expected 'float32' or 'auto'"
    with pytest.raises(PolytagError, match=expected):
        choose_precision(precision, own="float32")


def test_without_the_core_there_is_float32_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    confine(monkeypatch)
    assert choose_precision("float32", own="float32") == "float32"
    assert choose_precision("auto", own="float32") == "float32"
    with pytest.raises(PolytagError, match=r"needs a C\+\+ compiler"):
        choose_precision("int8", own="float32")


def test_an_unknown_name() -> None:
    with pytest.raises(PolytagError, match="unknown precision 'bfloat'; did you mean 'bfloat16'"):
        choose_precision("bfloat", own="float32")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_tagger_says_the_same_in_each(precision: Precision) -> None:
    if not native.supports(precision):
        pytest.skip(f"this processor has no instructions for {precision}")
    tagger, texts = tiny.tagger(), list(tiny.texts(40))
    other = Tagger(tagger.model, precision=precision)
    for ours, theirs in zip(other.tag_all(texts, confidence=True), tagger.tag_all(texts, confidence=True), strict=True):
        for task, certainty in theirs.confidence.items():
            if ours.tags[task] == theirs.tags[task]:
                assert ours.confidence[task] == pytest.approx(certainty, abs=0.05)


def test_a_core_that_was_left_unused_is_not_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    confine(monkeypatch)
    monkeypatch.setenv("POLYTAG_NATIVE", "0")
    with pytest.raises(PolytagError, match="precision int8: POLYTAG_NATIVE=0 leaves polytag's native core unused"):
        choose_precision("int8", own="float32")
