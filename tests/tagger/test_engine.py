"""How the engine groups sentences; that it computes what training does is in tests/training/test_agreement.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.tagger.batches import by_length


@given(st.lists(st.integers(0, 12), max_size=20), st.integers(1, 5), st.integers(1, 20), st.integers(1, 4))
@settings(max_examples=60)
def test_by_length(lengths: list[int], sentences: int, words: int, at_least: int) -> None:
    found = by_length(np.array(lengths, np.int64), sentences=sentences, words=words, at_least=at_least)
    groups = [group.tolist() for group in found]
    assert sorted(i for group in groups for i in group) == [i for i, length in enumerate(lengths) if length]
    assert all(1 <= len(group) <= sentences for group in groups)
    assert all(len(group) == 1 or sum(lengths[i] for i in group) <= words for group in groups)
    in_order = [lengths[i] for group in groups for i in group]
    assert in_order == sorted(in_order)


@pytest.mark.parametrize("at_least", [1, 2, 3, 4])
def test_there_are_groups_for_as_many_threads(at_least: int) -> None:
    lengths = np.arange(100) % 7 + 1
    assert len(list(by_length(lengths, at_least=at_least))) >= at_least
