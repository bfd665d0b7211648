"""The memory of known words shows in nothing but time."""

import os
import random
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pytest

from polytag.corpus.sentence import Sentence
from polytag.tagger import words
from polytag.tagger.tagging import Tagger
from polytag.tagger.words import Columns, WordTable
from tests import tiny


def probabilities(tagger: Tagger, sentences: list[Sentence]) -> list[object]:
    return [sentence.confidence["ner"] for sentence in tagger.tag_all(sentences, tasks=["ner"], confidence=True)]


def lengths_of(words: Sequence[str]) -> Columns:
    return {"length": np.array([[len(word)] for word in words], np.float32)}


def test_a_warm_table_gives_what_a_cold_one_gives() -> None:
    tagger, texts = tiny.tagger(), list(tiny.texts(30))
    cold = probabilities(tagger, texts)
    assert probabilities(tagger, texts) == cold
    for ours, theirs in zip(probabilities(tagger, texts[::-1])[::-1], cold, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_words_are_forgotten_and_learned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = list(tiny.texts(30))
    expected = probabilities(tiny.tagger(), texts)
    monkeypatch.setattr(words, "MEMORY", 0)
    monkeypatch.setattr(words, "FEWEST", 3)
    tagger = tiny.tagger()
    for sentence, theirs in zip(texts, expected, strict=True):
        assert probabilities(tagger, [sentence])[0] == pytest.approx(theirs, abs=1e-5)


def test_rows_are_those_of_the_words_however_many_are_forgotten() -> None:
    source, table = random.Random(0), WordTable(lengths_of, row_bytes=1 << 30)
    table.most = 20
    for _ in range(300):
        some = ["x" * source.randint(0, 90) for _ in range(source.randint(0, 12))]
        rows, columns = table.look_up(some)
        assert [float(columns["length"][row, 0]) for row in rows] == list(map(len, some))
        assert len(table) <= 20


def test_what_a_call_has_stays_until_it_is_dropped() -> None:
    table = WordTable(lengths_of, row_bytes=1 << 30)
    table.most = 20
    kept = {number: table.look_up(["x" * number, "y" * number]) for number in range(1, 10)}
    for number in range(10, 200):  # more than there is room for beside what is kept
        table.look_up(["z" * number] * 3)
        table.look_up(["z" * number + "a" * i for i in range(15)])
    for number, (rows, columns) in kept.items():
        assert columns["length"][rows, 0].tolist() == [number, number]
    kept.clear()
    del columns
    array = table.look_up(["x"])[1]["length"]
    for number in range(200, 300):
        assert table.look_up(["z" * number])[1]["length"] is array, "the same rows, used again and again"


def test_words_that_come_again_are_not_computed_again() -> None:
    computed: list[str] = []

    def compute(some: Sequence[str]) -> Columns:
        computed.extend(some)
        return lengths_of(some)

    table = WordTable(compute, row_bytes=1 << 30)
    table.most = 50
    often = ["a", "bc", "def"]
    for number in range(200):  # ten times as many new words as there is room for
        table.look_up([*often, "x" * (10 + number), "y" * (10 + number)] if number % 9 else ["z" * number] * 2)
    assert [word for word in computed if word in often] == often
    assert len(table) <= 50


def test_more_words_than_are_remembered_in_one_call() -> None:
    table = WordTable(lengths_of, row_bytes=1 << 30)
    table.most = 5
    for some in (range(1, 30), range(3), range(20, 60), range(4), range(90)):
        rows, columns = table.look_up(["x" * number for number in some])
        assert columns["length"][rows, 0].tolist() == list(some)
    table.look_up(["y"])
    assert len(table) <= 5


class Interrupting(str):
    """A word that is looked at so many times before Ctrl+C comes."""

    left = 0

    def __hash__(self) -> int:
        Interrupting.left -= 1
        if Interrupting.left < 0:
            raise KeyboardInterrupt
        return super().__hash__()


@pytest.mark.parametrize("looks", range(12))
def test_an_interruption_leaves_no_row_to_another_word(looks: int) -> None:
    table = WordTable(lengths_of, row_bytes=1 << 30)
    table.most = 4
    table.look_up(["a", "bb", "ccc"])
    Interrupting.left = looks
    with suppress(KeyboardInterrupt):
        table.look_up([Interrupting("ccc"), Interrupting("d" * 5), Interrupting("e" * 6)])
    Interrupting.left = 1_000
    for some in (["f" * 7, "g" * 8], ["h" * 9, "i" * 11], ["d" * 5, "e" * 6], ["j" * 10, "d" * 5, "ccc"]):
        rows, columns = table.look_up(some)
        assert columns["length"][rows, 0].tolist() == list(map(len, some))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_process_begins_anew() -> None:
    table = WordTable(lengths_of, row_bytes=1)
    table.look_up(["a"])
    with table._lock:  # as another thread might hold it
        child = os.fork()
        if not child:
            rows, columns = table.look_up(["abc"])
            os._exit(int(columns["length"][rows[0], 0]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
