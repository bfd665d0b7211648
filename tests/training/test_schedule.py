"""Which sentences are trained on when: every pass covers every sentence once, and a seed says it all."""

from collections import Counter
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.training.schedule import Turn, epochs_for, turns

SIZES = st.dictionaries(st.sampled_from("abc"), st.integers(1, 13), min_size=1)


def of_task(task: str, *epochs: list[Turn]) -> list[int]:
    return [sentence for epoch in epochs for turn in epoch if turn.task == task for sentence in turn.sentences]


@given(SIZES, st.integers(1, 5), st.integers(0, 3))
def test_each_pass_covers_each_sentence_once(sizes: dict[str, int], batch: int, seed: int) -> None:
    for sampling in ("round", "proportional"):
        epochs = [turns(sizes, e, batch_sentences=batch, seed=seed, task_sampling=sampling) for e in range(4)]  # type: ignore[arg-type]
        for task, size in sizes.items():
            if sampling == "proportional":  # batches come shuffled, but an epoch is a pass
                assert all(sorted(of_task(task, epoch)) == list(range(size)) for epoch in epochs)
                continue
            drawn = of_task(task, *epochs)
            for first in range(0, len(drawn) - size + 1, size):
                assert sorted(drawn[first : first + size]) == list(range(size))


@given(SIZES, st.integers(1, 5))
def test_a_round_has_a_batch_of_each_task_in_turn(sizes: dict[str, int], batch: int) -> None:
    epoch = turns(sizes, 0, batch_sentences=batch, seed=1)
    assert [turn.task for turn in epoch] == list(sizes) * ceil(max(sizes.values()) / batch)
    assert all(1 <= len(turn.sentences) <= batch for turn in epoch)


@given(SIZES, st.integers(1, 5))
def test_epochs_of_the_smallest_task_draw_the_same_batches_in_shorter_epochs(sizes: dict[str, int], batch: int) -> None:
    short = [turns(sizes, e, batch_sentences=batch, seed=1, epoch_of="smallest") for e in range(40)]
    assert {len(epoch) for epoch in short} == {len(sizes) * ceil(min(sizes.values()) / batch)}
    long = [turn for e in range(3) for turn in turns(sizes, e, batch_sentences=batch, seed=1)]
    assert [turn for epoch in short for turn in epoch][: len(long)] == long


@given(SIZES, st.integers(1, 5))
def test_in_proportion_each_task_comes_as_often_as_it_has_batches(sizes: dict[str, int], batch: int) -> None:
    epoch = turns(sizes, 3, batch_sentences=batch, seed=1, task_sampling="proportional")
    assert Counter(turn.task for turn in epoch) == {task: ceil(size / batch) for task, size in sizes.items()}


def test_smaller_tasks_begin_anew_in_a_new_order() -> None:
    epoch = turns({"large": 40, "small": 10}, 0, batch_sentences=5, seed=1)
    drawn = of_task("small", epoch)
    passes = [tuple(drawn[i : i + 10]) for i in range(0, 40, 10)]
    assert len(set(passes)) == 4
    assert len({tuple(of_task("large", turns({"large": 40}, e, batch_sentences=5, seed=1))) for e in range(5)}) == 5


def test_batches_of_tasks_are_mixed_in_proportion_and_differ_by_epoch() -> None:
    orders = [
        tuple(t.task for t in turns({"a": 50, "b": 50}, e, batch_sentences=5, seed=1, task_sampling="proportional"))
        for e in range(3)
    ]
    assert len(set(orders)) == 3
    assert orders[0] not in (("a",) * 10 + ("b",) * 10, ("a", "b") * 10)


@pytest.mark.parametrize("sampling", ["round", "proportional"])
def test_the_schedule_is_a_function_of_the_seed(sampling: str) -> None:
    def draw(seed: int) -> list[Turn]:
        return turns({"a": 23, "b": 9}, 2, batch_sentences=4, seed=seed, task_sampling=sampling)  # type: ignore[arg-type]

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


def test_tasks_of_one_size_are_not_drawn_in_step() -> None:
    epoch = turns({"a": 30, "b": 30}, 0, batch_sentences=30, seed=1)
    assert list(epoch[0].sentences) != list(epoch[1].sentences)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_fewer_sentences_get_more_epochs(a: int, b: int) -> None:
    few, many = sorted((a, b))
    assert 8 <= epochs_for({"t": many}) <= epochs_for({"t": few}) <= 25


def test_epochs_by_the_largest_task() -> None:
    assert epochs_for({"t": 14_041}) == epochs_for({"t": 14_041, "small": 100}) == 8
    assert epochs_for({"t": 2_500}) == 12
    assert epochs_for({"t": 143}) == 25
    assert epochs_for({"t": 14_041, "small": 2_500}, epoch_of="smallest") == 12
