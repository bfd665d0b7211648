"""Mentions in each other's places: tags of the new length, nothing else changed, the same at every resumption."""

from pathlib import Path

import numpy as np
import pytest

from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence
from polytag.errors import PlanError
from polytag.training import Trainer, prepare, train
from polytag.training.mentions import Mentions
from tests.training import toy
from tests.training.test_resume import content, run

SENTENCES = [
    Sentence(("Ann", "Lee", "saw", "Oslo"), {"ner": ("I-PER", "I-PER", "O", "I-LOC")}),
    Sentence(("Bob", "New", "York", "Lima"), {"ner": ("I-PER", "I-LOC", "I-LOC", "B-LOC")}),
    Sentence(("Rio", "sees"), {"ner": ("I-LOC", "?")}),
]
KNOWN = {"PER": {("Ann", "Lee"), ("Bob",)}, "LOC": {("Oslo",), ("New", "York"), ("Lima",)}}


def test_all_that_changes_is_mentions_into_others_of_their_type() -> None:
    mentions, draw, seen = Mentions(SENTENCES, "ner", 0.7), np.random.default_rng(1), set()
    for _ in range(200):
        found = mentions.replaced(SENTENCES[1], draw)
        if found is not None:
            marked = spans(found.tags["ner"])
            assert [span.type for span in marked] == ["PER", "LOC", "LOC"]
            said = [found.words[span.start : span.end] for span in marked]
            assert all(words in KNOWN[span.type] for span, words in zip(marked, said, strict=True))
            assert sum(said, ()) == found.words != SENTENCES[1].words
            seen.add(found.words)
    assert len(seen) == 2 * 3 * 3 - 1


def test_words_beside_mentions_stay() -> None:
    mentions, draw = Mentions(SENTENCES, "ner", 0.999), np.random.default_rng(3)
    found = next(found for _ in range(50) if (found := mentions.replaced(SENTENCES[0], draw)))
    assert found.words.count("saw") == 1
    assert found.tags["ner"][found.words.index("saw")] == "O"


def test_sentences_with_unknown_tags_stay_and_give_no_mention() -> None:
    mentions = Mentions(SENTENCES, "ner", 0.9)
    assert all(mentions.replaced(SENTENCES[2], np.random.default_rng(seed)) is None for seed in range(20))
    given = [mentions.replaced(SENTENCES[0], np.random.default_rng(seed)) for seed in range(50)]
    assert not any("Rio" in sentence.words for sentence in given if sentence)


def plan_tables(corpora: Path, probability: float) -> dict[str, object]:
    tables = toy.tables("ner", "xx", search=corpora, features=True, optimizer="adam")
    tables["tasks"]["ner"]["mention_replacement"] = probability
    return tables


def test_a_step_sees_others_and_always_the_same(corpora: Path) -> None:
    one, other = (Trainer(prepare(toy.make_plan(plan_tables(corpora, p)))) for p in (0.9, 0.0))
    turns = [turn for turn in one._turns(0) if turn.task == "ner"]
    for number in range(3):
        assert [f[0].tolist() for f in one.examples.seen(turns[0], number)] == [
            f[0].tolist() for f in one.examples.seen(turns[0], number)
        ]
    assert [f[0].tolist() for f in one.examples.seen(turns[0], 1)] != [
        f[0].tolist() for f in other.examples.seen(turns[0], 1)
    ]
    (foreign,) = [turn for turn in one._turns(0) if turn.task == "xx"][:1]
    assert [f[0].tolist() for f in one.examples.seen(foreign, 1)] == [
        f[0].tolist() for f in other.examples.seen(foreign, 1)
    ]
    encoder = one.examples.encoders["en"]
    for sentence in prepare(toy.make_plan(plan_tables(corpora, 0.9))).sentences["ner"]["train"]:
        assert all(encoder.words.index(word) for word in sentence.words)


def test_a_killed_training_sees_the_same_mentions(corpora: Path, tmp_path: Path) -> None:
    plan = toy.make_plan(plan_tables(corpora, 0.5))
    train(plan, output=tmp_path / "whole")
    run(plan, tmp_path / "model", events=7)
    run(plan, tmp_path / "model")
    assert content(tmp_path / "model") == content(tmp_path / "whole")


def test_plain_tags_have_no_mentions(corpora: Path) -> None:
    tables = toy.tables("pos", search=corpora)
    tables["tasks"]["pos"]["mention_replacement"] = 0.3
    with pytest.raises(PlanError, match=r"tasks\.pos\.mention_replacement replaces spans, but its tags are plain"):
        prepare(toy.make_plan(tables))
