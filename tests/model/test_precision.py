"""Which precision is taken, and that none is emulated in silence."""

import pytest
import torch

from polytag import ops
from polytag.errors import PolytagError
from polytag.model.precision import PRECISIONS, choose_precision, training_precision
from polytag.tagging import Tagger
from tests import tiny


def confine(monkeypatch: pytest.MonkeyPatch, *there: str, fast: bool = False) -> None:
    """A processor that has these precisions."""
    monkeypatch.setattr(ops, "supports", lambda precision: precision in there)
    monkeypatch.setattr(ops, "prefers_bfloat16", lambda: fast)


def test_auto_is_bfloat16_where_that_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    confine(monkeypatch, "float32", "bfloat16", "int8", fast=True)
    assert choose_precision("auto") == "bfloat16"


def test_auto_is_float32_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    confine(monkeypatch, "float32", "bfloat16", "int8")
    assert choose_precision("auto") == "float32"


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    confine(monkeypatch, "float32")
    expected = rf"precision {precision}: this machine has not instructions for it, expected 'float32' or 'auto'"
    with pytest.raises(PolytagError, match=expected):
        choose_precision(precision)


def test_without_the_core_there_is_float32_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    confine(monkeypatch)
    assert choose_precision("float32") is None
    assert choose_precision("auto") is None
    with pytest.raises(PolytagError, match=r"needs a C\+\+ compiler"):
        choose_precision("int8")


def test_training_takes_what_is_there_and_refuses_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda", 0)
    confine(monkeypatch, "float32", "bfloat16")
    assert training_precision("bfloat16", cpu) == "bfloat16"
    with pytest.raises(PolytagError, match=r"training.precision = 'bfloat16': it is for CPUs, not for cuda:0"):
        training_precision("bfloat16", gpu)
    confine(monkeypatch, "float32")
    with pytest.raises(PolytagError, match=r"'bfloat16': this machine has not instructions for it, expected 'float32'"):
        training_precision("bfloat16", cpu)
    confine(monkeypatch)
    assert training_precision("float32", cpu) == training_precision("float32", gpu) == "float32"


def test_an_unknown_name() -> None:
    with pytest.raises(PolytagError, match="unknown precision 'bfloat'; did you mean 'bfloat16'"):
        choose_precision("bfloat")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_tagger_says_the_same_in_each(precision: ops.Precision) -> None:
    if not ops.supports(precision):
        pytest.skip(f"this processor has no instructions for {precision}")
    tagger, texts = tiny.tagger(), list(tiny.texts(40))
    other = Tagger(tagger.plan, tagger.vocabularies, tagger.network, precision=precision)
    for ours, theirs in zip(other.tag_all(texts, confidence=True), tagger.tag_all(texts, confidence=True), strict=True):
        for task, certainty in theirs.confidence.items():
            if ours.tags[task] == theirs.tags[task]:
                assert ours.confidence[task] == pytest.approx(certainty, abs=0.05)
