"""Each task is tagged and scored in the scheme of its own files, whatever else shares its tag part."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from polytag.bulk.pieces import Piece
from polytag.bulk.worker import Assignment, Worker
from polytag.corpus import blocks
from polytag.corpus.schemes import convert_tags, write_outside
from polytag.errors import ModelError
from polytag.model import Model, save_model
from polytag.model.packed import save_packed
from polytag.tag_schemes import SPAN_SCHEMES
from polytag.tagger.tagging import Tagger
from polytag.vocabulary.vocabularies import TagVocabulary
from tests import tiny


def shared_tags(schemes: Mapping[str, str]) -> Model:
    """A model of one tag part, whose tasks' files are each written in another scheme."""
    model = tiny.model(dict.fromkeys(schemes, "iob2"))
    tasks = {task: settings.model_copy(update={"tags": "all"}) for task, settings in model.plan.tasks.items()}
    first = next(iter(schemes))
    plan = model.plan.model_copy(update={"tags": {"all": model.plan.tags[first]}, "tasks": tasks})
    tasks |= {task: tasks[task].model_copy(update={"scheme": scheme}) for task, scheme in schemes.items()}
    vocabularies = replace(model.vocabularies, tags={"all": model.vocabularies.tags[first]})
    return tiny.drawn(plan, vocabularies, seed=3)


def test_tasks_that_share_a_tag_part_are_each_tagged_in_the_scheme_of_their_files() -> None:
    tagger, sentences = Tagger(shared_tags({name: name for name in SPAN_SCHEMES})), tiny.texts(40, seed=1)
    for found in tagger.tag_all(sentences, nbest=3):
        for scheme in SPAN_SCHEMES:
            assert found.tags[scheme] == convert_tags(found.tags["iob2"], scheme)
            assert found.alternatives[scheme][0].tags == found.tags[scheme]
    assert len({tuple(tagger.tag(["Ann", "Lee", "saw", "Lima"] * 9).tags[scheme]) for scheme in SPAN_SCHEMES}) > 7


def test_each_is_scored_in_the_scheme_of_its_files() -> None:
    tagger, sentences = Tagger(shared_tags({"a": "iob1", "b": "bioes"})), tiny.texts(40, seed=1)
    tagged = list(tagger.tag_all(sentences))
    for task in "ab":
        assert tagger.evaluate(tagged, task).accuracy == 100.0


@pytest.mark.parametrize("packed", [False, True])
def test_in_a_model_of_before_the_scheme_of_the_part_is_that_of_all_its_tasks(
    tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_json = TagVocabulary.to_json
    monkeypatch.setattr(TagVocabulary, "to_json", lambda tags: to_json(tags) | {"data_scheme": "iob1"})
    model, path = shared_tags({"a": "iob1", "b": "bioes"}), tmp_path / "model"
    save_packed(path, model) if packed else save_model(model, path)
    tagger = Tagger.load(path)
    assert [settings.scheme for settings in tagger.plan.tasks.values()] == ["iob1", "iob1"]
    for found in tagger.tag_all(tiny.texts(20, seed=1)):
        assert found.tags["a"] == found.tags["b"]


@pytest.mark.parametrize("recorded", ["strange", 3])
def test_a_scheme_that_there_is_not_is_damage(
    tmp_path: Path, recorded: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_json = TagVocabulary.to_json
    monkeypatch.setattr(TagVocabulary, "to_json", lambda tags: to_json(tags) | {"data_scheme": recorded})
    save_model(shared_tags({"a": "iob1"}), tmp_path)
    with pytest.raises(ModelError, match=r"tags\.all\.json: not a vocabulary"):
        Tagger.load(tmp_path)


@pytest.fixture
def with_zero() -> Model:
    """A model that likes O, and whose first task's files have 0 for it."""
    model = tiny.model({"ner": "iob2", "other": "iob2"})
    tasks = dict(model.plan.tasks)
    tasks["ner"] = tasks["ner"].model_copy(update={"outside": "0"})
    scores = model.arrays["tags.ner.transitions"].copy()
    scores[:, 0] += 2
    arrays = {**model.arrays, "tags.ner.transitions": scores}
    return replace(model, plan=model.plan.model_copy(update={"tasks": tasks}), arrays=arrays)


def test_files_get_the_outside_tag_of_their_task_back(with_zero: Model) -> None:
    tagger, words = Tagger(with_zero), [word for sentence in tiny.texts(20) for word in sentence.words]
    expected = tagger.tag(words)
    assert "O" in expected.tags["ner"]
    text = "".join(f"{word}\n" for word in words).encode()
    found = [line.split() for line in "".join(tagger.tag_blocks(blocks(io.BytesIO(text), format="conll"))).splitlines()]
    assert [row[1] for row in found] == [{"O": "0"}.get(tag, tag) for tag in expected.tags["ner"]]
    assert [row[2] for row in found] == list(expected.tags["other"])
    record = json.dumps({"words": words}).encode()
    tagged = json.loads("".join(tagger.tag_blocks(blocks(io.BytesIO(record), format="jsonl"), nbest=2)))
    assert tagged["tags"]["ner"] == [row[1] for row in found]
    assert tagged["alternatives"]["ner"][0]["tags"] == tagged["tags"]["ner"]
    spans = [(span["type"], span["start"], span["end"]) for span in tagged["predicted_spans"]["ner"]]
    assert spans == [(span.type, span.start, span.end) for span in expected.spans("ner")]


@pytest.mark.parametrize(
    ("format", "text"), [("conll", "it\n" * 9), ("jsonl", f'{{"words": {json.dumps(["it"] * 9)}}}\n')]
)
def test_so_do_files_that_workers_tag(with_zero: Model, tmp_path: Path, format: str, text: str) -> None:
    save_model(with_zero, tmp_path / "model")
    worker = Worker(Assignment(model=str(tmp_path / "model")))
    tagged = worker.render(Piece("x", format, 1, text)).decode()
    assert tagged == "".join(worker.tagger.tag_blocks(blocks(io.BytesIO(text.encode()), format=format)))
    assert "0" in tagged


def test_gold_tags_may_have_either(with_zero: Model) -> None:
    tagger = Tagger(with_zero)
    tagged = list(tagger.tag_all(tiny.texts(30)))
    written = [write_outside(sentence, tagger.outside) for sentence in tagged]
    assert written != tagged
    assert tagger.evaluate(written, "ner") == tagger.evaluate(tagged, "ner")
