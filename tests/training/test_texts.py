"""Training on texts with spans of characters: the words are those that are tagged; what does not fit is summed over."""

import json
from pathlib import Path
from typing import Any

import pytest

from polytag.plan import Plan
from polytag.reports import read_cases
from polytag.tagger.evaluation import evaluate, sentences_to_score
from polytag.training import prepare, train
from tests.training import toy

MISFIT = {"text": "ab12Rome", "label": [[4, 8, "LOC"]]}  # one word


def write(path: Path, count: int, *, seed: int) -> None:
    records = [MISFIT]
    for sentence in toy.sentences(count, seed=seed):
        ends = [0]
        for word in sentence.words:
            ends.append(ends[-1] + len(word) + 1)
        spans = [[ends[s.start], ends[s.end] - 1, s.type] for s in sentence.spans("ner")]
        records.append({"text": " ".join(sentence.words), "label": spans})
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    tables: dict[str, Any] = toy.tables("ner", search=tmp_path, epochs=1)
    for seed, split in enumerate(("train", "dev", "test")):
        write(tmp_path / f"{split}.jsonl", 20, seed=seed)
        tables["tasks"]["ner"][split] = f"{split}.jsonl"
    tables["tasks"]["ner"]["columns"] = {"tag": "spans"}
    return toy.make_plan(tables)


def test_what_does_not_fit_is_told_left_out_of_training_and_missed_in_scores(plan: Plan, tmp_path: Path) -> None:
    prepared = prepare(plan)
    assert len(prepared.sentences["ner"]["train"]) == 20  # in the other, no tag is known
    assert len(prepared.sentences["ner"]["dev"]) == 21
    (note,) = [note for note in prepared.notes if "train.jsonl:1: " in note]
    assert "span [4, 8, 'LOC'], 'Rome', does not fit the words, 'ab12Rome'" in note
    tagger = train(plan, output=tmp_path / "model")
    counts = evaluate(tmp_path / "model")["ner"]
    gold = sum(len(json.loads(line)["label"]) for line in (tmp_path / "test.jsonl").read_text().splitlines())
    assert sum(tally.gold for tally in counts.types.values()) == gold
    cases = read_cases(tagger, "ner", sentences_to_score(tagger)["ner"])
    assert cases.counts() == counts


def test_sentences_with_spans_that_do_not_fit_may_be_held_out(plan: Plan) -> None:
    settings = plan.tasks["ner"].model_copy(update={"dev": None, "holdout": 0.9})
    prepared = prepare(plan.model_copy(update={"tasks": {"ner": settings}}))
    held = prepared.sentences["ner"]["dev"]
    assert any(sentence.misfits for sentence in held + prepared.sentences["ner"]["train"]) or len(held) == 19
