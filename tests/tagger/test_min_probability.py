"""Spans that are less probable than asked for are left out, at every door, and nothing else changes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger
from tests import tiny
from tests.cli.conftest import run

TEXTS = tiny.texts(60)


def tagged(tagger: Tagger, **wanted: Any) -> list[Sentence]:
    return list(tagger.tag_all(TEXTS, Request(**wanted)))


def middle(tagger: Tagger, type_: str | None = None) -> float:
    """A probability that parts the spans."""
    found = [s for one in tagged(tagger, confidence=True) for s in one.predicted_spans["ner"]]
    sure = sorted(s.probability or 0.0 for s in found if type_ in (None, s.type))
    return (sure[len(sure) // 2 - 1] + sure[len(sure) // 2]) / 2


def test_what_is_left_is_what_is_probable_enough(tagger: Tagger) -> None:
    least = middle(tagger)
    for before, after in zip(
        tagged(tagger, confidence=True), tagged(tagger, confidence=True, min_probability=least), strict=True
    ):
        kept = tuple(span for span in before.predicted_spans["ner"] if (span.probability or 0.0) >= least)
        assert after.predicted_spans["ner"] == kept
        places = [(span.type, span.start, span.end) for span in kept]
        assert [(span.type, span.start, span.end) for span in spans(after.tags["ner"])] == places
        assert after.tags["pos"] == before.tags["pos"]
        assert after.confidence["pos"] == before.confidence["pos"]


def test_tags_are_the_same_without_probabilities_and_as_columns(tagger: Tagger) -> None:
    least = middle(tagger)
    expected = [one.tags for one in tagged(tagger, confidence=True, min_probability=least)]
    assert [one.tags for one in tagged(tagger, min_probability=least)] == expected
    words = [word for text in TEXTS for word in text.words]
    columns = tagger.tag_columns(words, [len(text) for text in TEXTS], Request(min_probability=least))
    assert columns["ner"] == [tag for tags in expected for tag in tags["ner"]]


def test_each_type_may_have_its_own(tagger: Tagger) -> None:
    types = {span.type for one in tagged(tagger, confidence=True) for span in one.predicted_spans["ner"]}
    chosen = min(types)
    least = middle(tagger, chosen)
    before, after = (
        [s for one in tagged(tagger, confidence=True, min_probability=by) for s in one.predicted_spans["ner"]]
        for by in ({}, {chosen: least})
    )
    assert [s for s in before if s.type != chosen] == [s for s in after if s.type != chosen]
    assert 0 < len([s for s in after if s.type == chosen]) < len([s for s in before if s.type == chosen])


def test_0_changes_nothing_and_1_leaves_next_to_nothing(tagger: Tagger) -> None:
    assert tagged(tagger, min_probability=0.0) == tagged(tagger)
    assert sum(len(spans(one.tags["ner"])) for one in tagged(tagger, min_probability=1.0)) == 0


@pytest.mark.parametrize(
    ("least", "tasks", "told"),
    [
        ({"PRE": 0.9}, ["ner"], "there is no type 'PRE'; did you mean 'PER'?"),
        ({"NOUN": 0.9}, [], "there is no type 'NOUN'; known are LOC, PER"),
        (0.9, ["pos"], "the tasks have no spans to leave out"),
    ],
)
def test_what_would_leave_nothing_out_is_told(tagger: Tagger, least: Any, tasks: list[str], told: str) -> None:
    with pytest.raises(PolytagError, match=re.escape(told)):
        tagger.tag(["Ann"], tasks=tasks, min_probability=least)


def test_a_request_is_a_key_and_has_its_own_numbers() -> None:
    given = {"PER": 0.5, "LOC": 0.9}
    request = Request(min_probability=given)
    given["PER"] = 0.0
    assert request.least("PER") == 0.5
    assert {request: 1}[Request(min_probability={"LOC": 0.9, "PER": 0.5})] == 1


@pytest.mark.parametrize("wrong", [{"": 0.5}, {1: 0.5}])
def test_what_is_no_type_is_refused(wrong: Any) -> None:
    with pytest.raises(PolytagError, match="expected numbers by type of span"):
        Request(min_probability=wrong)


@pytest.mark.parametrize("field", ["confidence", "constrained"])
def test_what_is_neither_true_nor_false_is_refused(field: Any) -> None:
    with pytest.raises(PolytagError, match=f"{field} is 'no', expected True or False"):
        Request(**{field: "no"})


@pytest.mark.parametrize("wrong", [-0.1, 1.1, 10**400, float("nan"), True, "0.5", {"PER": 2}])
def test_what_is_no_probability_is_refused(wrong: Any) -> None:
    with pytest.raises(PolytagError, match=r"min_probability is .*, expected a number from 0 to 1"):
        Request(min_probability=wrong)


def test_from_the_command_line(tagger: Tagger, model: Path, tmp_path: Path) -> None:
    least = middle(tagger)
    source = tmp_path / "texts.jsonl"
    source.write_text("".join(json.dumps({"words": list(text.words)}) + "\n" for text in TEXTS))
    for argument, wanted in ((f"{least}", least), (f"PER={least}", {"PER": least})):
        done = run(["tag", model, source, "--min-probability", argument])
        assert done.code == 0, done.err
        found = [tuple(json.loads(line)["tags"]["ner"]) for line in done.out.splitlines()]
        assert found == [one.tags["ner"] for one in tagged(tagger, min_probability=wanted)]
    for wrong in (["x"], ["=0.5"], ["0.5", "PER=0.5"], ["PER=0.5", "PER=0.6"], ["0.5", "0.6"]):
        assert run(["tag", model, source, *(f"--min-probability={value}" for value in wrong)]).code == 2
    assert "expected a number from 0 to 1" in run(["tag", model, source, "--min-probability", "7"]).sentence
