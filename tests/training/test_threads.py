"""How many CPU threads a training computes with."""

import pytest

from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.training.threads import threads_for


def plan_of(layers: int, hidden: int, batch: int, threads: int | None = None) -> Plan:
    return make_plan({
        "words": {"en": {"layers": layers, "hidden": hidden}},
        "tasks": {"ner": {"words": "en", "train": ["x.conll"], "columns": {"tag": 1}}},
        "training": {"batch_sentences": batch} | ({} if threads is None else {"threads": threads}),
    })  # fmt: skip


@pytest.mark.parametrize(("layers", "hidden", "batch"), [(1, 100, 32), (1, 200, 16), (2, 150, 10)])
def test_a_small_network_trains_on_one_thread(layers: int, hidden: int, batch: int) -> None:
    assert threads_for(plan_of(layers, hidden, batch)) == 1


@pytest.mark.parametrize(("layers", "hidden", "batch"), [(2, 300, 10), (1, 300, 16), (2, 150, 32)])
def test_pytorch_chooses_for_a_large_one(layers: int, hidden: int, batch: int) -> None:
    assert threads_for(plan_of(layers, hidden, batch)) is None


def test_the_plan_has_the_last_word() -> None:
    assert threads_for(plan_of(1, 100, 16, threads=2)) == 2
