"""Packed rows: against the packing by hand of tests/oracles.py and against torch's own."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.training.batch import Packing, pack_distinct
from tests import oracles

RAGGED = st.lists(st.integers(1, 6), min_size=1, max_size=7)
FEW = settings(max_examples=50)


def numbered(lengths: Sequence[int]) -> list[torch.Tensor]:
    """Sequences whose items tell them apart: item t of sequence i is 100 i + t."""
    return [100 * i + torch.arange(length) for i, length in enumerate(lengths)]


@given(RAGGED)
@FEW
def test_pack_and_unpack_are_inverse(lengths: list[int]) -> None:
    packing, sequences = Packing.of(lengths), numbered(lengths)
    rows = packing.pack(torch.cat(sequences).numpy())
    for found, expected in zip(packing.unpack(rows), sequences, strict=True):
        assert np.array_equal(found, expected.numpy())
    assert np.array_equal(packing.pack(np.concatenate(packing.unpack(rows))), rows)


@given(RAGGED)
@FEW
def test_as_packed_by_hand(lengths: list[int]) -> None:
    packing, by_hand = Packing.of(lengths), oracles.packing(lengths)
    assert packing.batch_sizes == by_hand.batch_sizes
    assert tuple(packing.lengths) == by_hand.lengths
    assert tuple(packing.order) == by_hand.order
    assert torch.equal(packing.reverse, by_hand.reverse)
    assert packing.last.tolist() == [int(rows[-1]) for rows in by_hand.rows]
    flat = torch.cat(numbered(lengths))
    assert torch.equal(torch.from_numpy(packing.pack(flat.numpy())), oracles.pack(numbered(lengths), by_hand))


@given(RAGGED)
@FEW
def test_as_torch_packs(lengths: list[int]) -> None:
    packing, sequences = Packing.of(lengths), numbered(lengths)
    theirs = torch.nn.utils.rnn.pack_sequence([sequences[i] for i in packing.order])
    assert packing.batch_sizes == tuple(theirs.batch_sizes.tolist())
    assert torch.equal(torch.from_numpy(packing.pack(torch.cat(sequences).numpy())), theirs.data)


@given(RAGGED)
@FEW
def test_mirroring_twice_is_the_identity(lengths: list[int]) -> None:
    packing = Packing.of(lengths)
    assert torch.equal(packing.reverse[packing.reverse], torch.arange(sum(lengths)))
    assert torch.equal(packing.reverse[packing.last], torch.arange(len(lengths)))


def test_sequences_of_one_length_keep_their_order() -> None:
    assert Packing.of([2, 3, 2, 3, 2]).order.tolist() == [1, 3, 0, 2, 4]


@pytest.mark.parametrize("width", [None, 3])
def test_unpack_takes_rows_of_any_shape_and_type(width: int | None) -> None:
    packing = Packing.of([1, 3, 2])
    values = np.random.default_rng(0).normal(size=(6,) if width is None else (6, width))
    parts = packing.unpack(values)
    assert [part.shape[0] for part in parts] == [1, 3, 2]
    order = packing.pack(np.arange(6))
    assert np.array_equal(np.concatenate(parts)[order], values)


def test_the_empty_batch() -> None:
    packing = Packing.of([])
    assert packing.batch_sizes == ()
    assert packing.reverse.shape == packing.last.shape == (0,)


def test_each_row_finds_the_characters_of_its_word() -> None:
    words = [np.array(list(map(ord, word))) for word in ("lima", "a", "quito")]
    forms = np.array([2, 0, 0, 1, 2])
    characters = pack_distinct(forms, words)
    by_row = characters.packing.unpack(characters.ids.numpy())
    places = characters.packing.order[characters.word.numpy()]  # packed distinct word -> the caller's
    assert places.tolist() == forms.tolist()
    assert [bytes(by_row[place].tolist()).decode() for place in places] == ["quito", "lima", "lima", "a", "quito"]
