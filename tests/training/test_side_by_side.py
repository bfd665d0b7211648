"""Trainings in several threads of one process give what each gives alone, and leave the process as it was."""

import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import torch

from polytag.plan import Plan
from polytag.training import prepare, train_events
from polytag.training.network import Network
from polytag.training.threads import cpu_threads
from tests.training import toy

TRAININGS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("ner", "xx"), {"seed": 1}),
    (("ner", "pos"), {"seed": 2, "optimizer": "adam", "threads": None}),
    (("ner",), {"seed": 3, "features": True, "clip": 1.0}),
    (("xx",), {"seed": 1, "task_sampling": "proportional", "threads": 2}),
)


def plan_of(corpora: Path, number: int) -> Plan:
    tasks, training = TRAININGS[number]
    tables = toy.tables(*tasks, search=corpora, epochs=3, **training)
    tables["training"] = {key: value for key, value in tables["training"].items() if value is not None}
    for part in (*tables["chars"].values(), *tables["words"].values()):
        part["dropout"] = 0.5
    return toy.make_plan(tables)


def trained(plan: Plan, output: Path, barrier: Barrier | None = None) -> bytes:
    for event in train_events(plan, output=output):
        del event
        if barrier is not None:
            barrier.wait(60)  # the others take their step now
            barrier = None
    return (output / "weights.safetensors").read_bytes()


def test_four_at_once_give_what_each_gives_alone(corpora: Path, tmp_path: Path) -> None:
    plans = [plan_of(corpora, number) for number in range(len(TRAININGS))]
    with ThreadPoolExecutor(1) as pool:  # a thread that is new, as the others below
        alone = [pool.submit(trained, plan, tmp_path / f"alone {i}").result() for i, plan in enumerate(plans)]
    barrier = Barrier(len(plans))
    with ThreadPoolExecutor(len(plans)) as pool:
        jobs = [pool.submit(trained, plan, tmp_path / f"together {i}", barrier) for i, plan in enumerate(plans)]
        assert [job.result() for job in jobs] == alone


def test_a_training_leaves_the_states_of_the_process_alone(corpora: Path, tmp_path: Path) -> None:
    def states() -> tuple[Any, ...]:
        threads = ThreadPoolExecutor(1).submit(torch.get_num_threads).result()
        _, keys, *place = np.random.get_state()
        return (
            torch.random.get_rng_state().tolist(), random.getstate(), np.asarray(keys).tolist(), place,
            torch.get_num_threads(), threads, torch.is_grad_enabled(), torch.get_default_dtype(),
        )  # fmt: skip

    plan, before = plan_of(corpora, 0), states()
    for event in train_events(plan, output=tmp_path / "model"):
        assert torch.get_num_threads() == 1
        assert (*states()[:4], *states()[5:]) == (*before[:4], *before[5:]), event
    assert states() == before


def test_a_network_made_in_a_thread_does_not_touch_pytorch_s_generator(corpora: Path) -> None:
    found = prepare(plan_of(corpora, 0))
    before = torch.random.get_rng_state()
    first, again = (Network(found.plan, found.vocabularies).state_dict() for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_threads_are_those_of_one_training() -> None:
    def elsewhere() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.get_num_threads).result()

    with cpu_threads(2):
        assert (torch.get_num_threads(), elsewhere()) == (2, 3)
        with cpu_threads(None):
            assert (torch.get_num_threads(), elsewhere()) == (2, 3)
    assert (torch.get_num_threads(), elsewhere()) == (3, 3)


def test_a_program_may_end_in_the_middle_of_a_training(corpora: Path) -> None:
    plan = toy.tables("ner", search=corpora, threads=1)
    code = (
        f"from polytag.training import train_events\nevents = train_events({plan!r})\n[next(events) for _ in range(9)]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
