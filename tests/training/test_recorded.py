"""What recipes are and what they train to, recorded before the first change: nobody's results move unnoticed.

Files in ``recorded`` are not made anew when a test fails. A setting that comes is off in them, and on in `best` alone.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from polytag.plan_file import load_plan
from polytag.training import Step, Trainer, prepare
from tests.cli.conftest import run

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "training" / "recorded"
LOSSES: dict[str, list[float]] = json.loads((RECORDED / "losses.json").read_text())
TOLERANCE = 1e-3  # 20 steps with and without the native core differ by 2e-4
OFF = (False, "none", 0.0)
# How texts, spans and numbered tags are read, that there is a CRF, and that vectors move as all else does: nothing
# could say otherwise before.
AS_EVER = {
    "tokeniser": "unicode", "overlaps": "longest", "outside": "O", "names": [], "output": "crf", "fine_tuning": 1.0,
}  # fmt: skip


@pytest.mark.parametrize("recipe", LOSSES)
def test_a_recipe_trains_as_it_did(recipe: str, tmp_path: Path) -> None:
    """The loss of 20 steps of three tasks in turn; `best`, with dropout, draws otherwise since 27 November 2026."""
    trainer = Trainer(prepare(load_plan(RECORDED / "paper.toml", settings=[f"training.recipe={recipe}"])), tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        events = list(islice(trainer.events(), len(LOSSES[recipe])))
    finally:
        torch.set_num_threads(threads)
    losses = [event.loss for event in events if isinstance(event, Step)]
    assert losses == pytest.approx(LOSSES[recipe], rel=TOLERANCE)


def test_recipe_paper_sets_what_it_did() -> None:
    recorded = dict(_values(tomllib.loads((RECORDED / "paper.show.txt").read_text())))
    shown = run(["show", "--all", RECORDED / "paper.toml", "--set", 'words.spanish.vectors="vectors.txt"']).out
    # no machine's own directories are in the record
    found = dict(_values(tomllib.loads(shown.replace(f"{ROOT.as_posix()}/", ""))))
    assert {key: found.get(key) for key in recorded} == recorded
    more = {key: value for key, value in found.items() if key not in recorded}
    assert {key: of for key, of in more.items() if of not in OFF and of != AS_EVER.get(key[-1])} == {}


def _values(table: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _values(value, *above, key)
        else:
            yield (*above, key), value
