"""Sentences in small letters or capitals: nothing but case changes, tags do not, and resumed is as never stopped."""

from pathlib import Path

import numpy as np

from polytag.corpus.sentence import Sentence
from polytag.training import Trainer, prepare, train
from polytag.training.casing import recased
from tests.training import toy
from tests.training.test_resume import content, run

SENTENCE = Sentence(("Ann", "saw", "O'Hare", "2nd"), {"ner": ("B-PER", "O", "B-LOC", "?")})
SMALL, CAPITAL = ("ann", "saw", "o'hare", "2nd"), ("ANN", "SAW", "O'HARE", "2ND")


def test_as_many_sentences_as_asked_for_half_of_them_in_capitals() -> None:
    draw = np.random.default_rng(1)
    seen = [recased(SENTENCE, 0.5, draw) for _ in range(1000)]
    assert {sentence.words for sentence in seen} == {SENTENCE.words, SMALL, CAPITAL}
    assert all(sentence.tags == SENTENCE.tags for sentence in seen)
    counts = [sum(sentence.words == words for sentence in seen) for words in (SENTENCE.words, SMALL, CAPITAL)]
    assert all(abs(count - expected) < 60 for count, expected in zip(counts, (500, 250, 250), strict=True))
    assert all(recased(SENTENCE, 0.0, draw) is SENTENCE for _ in range(9))


def plan_of(corpora: Path, probability: float, **task: float):
    tables = toy.tables("ner", "xx", search=corpora, features=True, optimizer="adam")
    tables["tasks"]["ner"] |= {"case_augmentation": probability, **task}
    return toy.make_plan(tables)


def test_a_step_reads_the_same_words_in_other_letters(corpora: Path) -> None:
    always, never = (Trainer(prepare(plan_of(corpora, p))) for p in (0.999, 0.0))
    turn = next(turn for turn in always._turns(0) if turn.task == "ner")
    words = always.examples.encoders["en"]
    given = prepare(plan_of(corpora, 0.0)).sentences["ner"]["train"]
    for number in range(3):
        seen = always.examples.seen(turn, number)
        for i, (forms, tags, _), (_, as_written, _) in zip(
            turn.sentences, seen, never.examples.seen(turn, number), strict=True
        ):
            cases = [words.forms(tuple(map(case, given[i].words))).tolist() for case in (str.lower, str.upper)]
            assert forms.tolist() in cases
            assert np.array_equal(tags, as_written)


def test_a_killed_training_reads_the_same_letters(corpora: Path, tmp_path: Path) -> None:
    plan = plan_of(corpora, 0.5, mention_replacement=0.5)
    train(plan, output=tmp_path / "whole")
    run(plan, tmp_path / "model", events=7)
    run(plan, tmp_path / "model")
    assert content(tmp_path / "model") == content(tmp_path / "whole")
