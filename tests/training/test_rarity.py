"""Words that training reads as unknown, the rarer the likelier."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from polytag.training import Prepared, Trainer, prepare
from polytag.training.randomness import hide_rare
from polytag.vocabulary.vocabularies import UNKNOWN
from tests.training import toy


def prepared(directory: Path, *, unknown: float) -> Prepared:
    tables = toy.tables("ner", "pos", search=toy.write_all(directory))
    tables["words"]["en"]["unknown"] = unknown
    return prepare(toy.make_plan(tables))


def test_the_rarer_a_word_the_likelier_it_is_unknown(tmp_path: Path) -> None:
    found = prepared(tmp_path, unknown=0.25)
    vocabulary, rarity = found.vocabularies.words["en"], found.network.words["en"].rarity
    read = [word for task in ("ner", "pos") for s in found.sentences[task]["train"] for word in s.words]
    counts = Counter(map(vocabulary.index, read))
    assert isinstance(rarity, torch.Tensor)
    assert len(rarity) == len(vocabulary)
    for index in range(1, len(vocabulary)):
        expected = 0.25 / (0.25 + counts[index]) if counts[index] else 0.0
        assert float(rarity[index]) == pytest.approx(expected)


def test_they_are_drawn_with_their_probabilities_while_training_alone() -> None:
    ids, rarity = torch.arange(1, 4).repeat(20_000), torch.tensor([0.0, 0.5, 0.1, 0.0])
    hidden = hide_rare(ids, rarity, torch.Generator().manual_seed(1))
    shares = [float((hidden[ids == i] == UNKNOWN).float().mean()) for i in (1, 2, 3)]
    assert shares == pytest.approx([0.5, 0.1, 0.0], abs=0.02)
    assert bool((hidden[hidden != UNKNOWN] == ids[hidden != UNKNOWN]).all())
    assert hide_rare(ids, rarity, None) is ids


@pytest.mark.parametrize("unknown", [0.0, 5.0])
def test_the_unknown_word_is_learnt(unknown: float, tmp_path: Path) -> None:
    found = prepared(tmp_path, unknown=unknown)
    table = found.network.get_parameter("words.en.embedding.weight")
    before = table[UNKNOWN].detach().clone()
    events = Trainer(found).events()
    for _ in range(4):
        next(events)
    assert torch.equal(before, table[UNKNOWN]) == (unknown == 0.0)
