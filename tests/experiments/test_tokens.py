"""Table 1: the figures of the paper are in the files, but for Spanish, where they are of another corpus."""

from pathlib import Path

import pytest

from experiments import tokens
from tests.licensed import TOKENS, licensed


def test_the_spanish_row_counts_the_german_corpus() -> None:
    together = tuple(map(sum, zip(*tokens.GERMAN.values(), strict=True)))
    assert together == tokens.CORPORA[tokens.SPANISH][1]


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
