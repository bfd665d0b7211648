"""Table 1: the figures of the paper are in the files, but for Spanish; what was tried there is counted right."""

from pathlib import Path

import pytest

from experiments import tokens
from polytag.corpus.sentence import Sentence
from tests.licensed import TOKENS, licensed


def sentence(text: str, tags: str = "") -> Sentence:
    words = tuple(text.split())
    return Sentence(words, {tokens.TAG: tuple(tags.split()) or ("O",) * len(words)})


SENTENCES = [sentence("Ann saw a-b .", "B-PER O O O"), sentence("Ann saw a-b .", "B-PER O O O"), sentence("1 , no ,")]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("the released files, every token", 12),
        ("without repeated sentences", 8),
        ("without sentences that hold no entity", 8),
        ("without either", 4),
        ("without punctuation", 8),
        ("without digits", 11),
        ("letters only", 5),
        ("sentences cut at 35 tokens", 12),
        ("lines, with the empty one behind each sentence", 15),
        ("words split at hyphens and slashes", 14),
    ],
)
def test_ways_of_counting(way: str, expected: int) -> None:
    assert tokens.TRIED[way](SENTENCES) == expected


def test_files_that_are_not_there_are_empty_cells(tmp_path: Path) -> None:
    assert all(value is None for counted in tokens.count(tmp_path).values() for value in counted)
    tokens.update(tmp_path, tmp_path)
    assert not (tmp_path / tokens.FILE).exists()
    assert "| CoNLL-2002 Dutch NER | 202,931 |  | 37,761 |  | 68,994 |  |" in tokens.tables(tmp_path)


@pytest.mark.data
def test_counts_are_the_papers_but_for_spanish() -> None:
    data = licensed("conll2003/eng.train").parent.parent
    for name, counted in tokens.count(data).items():
        files, paper = tokens.CORPORA[name]
        for file, ours, theirs in zip(files, counted, paper, strict=True):
            if file in TOKENS:
                assert ours == TOKENS[file]
                assert (ours == theirs) == (name != tokens.SPANISH)
    assert all(
        any(value != theirs for value, theirs in zip(values, tokens.CORPORA[tokens.SPANISH][1], strict=True))
        for values in tokens.attempts(data).values()
    )
