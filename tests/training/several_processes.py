"""What the processes of a test do together; started by ``torchrun``, the directory to work in as its argument."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polytag.plan import Plan
from polytag.training import Event, Note, Step, Trainer, prepare, train_events
from polytag.training.distributed import World, joined
from tests.training import toy

VARIANTS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "single": (("ner",), {}),
    "batches smaller than the processes": (("ner",), {"batch_sentences": 1}),
    "joint, adagrad": (("ner", "pos", "xx"), {"learning_rate": 0.05, "clip": 5.0}),
    "joint, accumulators of each task": (("ner", "pos", "xx"), {"accumulators": "task", "learning_rate": 0.05}),
    "joint, adam": (("ner", "xx"), {"optimizer": "adam", "final_learning_rate": 1e-4, "task_sampling": "proportional"}),
    "features": (("ner", "xx"), {"features": True, "learning_rate": 0.05, "clip": 5.0}),
    "a lower layer": (("ner", "pos"), {"learning_rate": 0.05}),
}
RESUMED = "joint, adagrad"


def plan_of(corpora: Path, variant: str) -> Plan:
    tasks, training = VARIANTS[variant]
    tables = toy.tables(*tasks, search=corpora, **training, epochs=2)
    if variant == "a lower layer":
        tables["words"]["en"]["layers"] = 2
        tables["tags"] = {"pos": {"layer": 1}}
    return toy.make_plan(tables)


def begin(events: Iterator[Event], *, steps: int) -> None:
    """Train so many steps and stop."""
    while steps:
        steps -= isinstance(next(events), Step)
    events.close()  # type: ignore[attr-defined]


def weights_agree_at_each_step(plan: Plan, output: Path, world: World) -> bool:
    """Whether all processes hold the same bits after every step."""
    trainer = Trainer(prepare(plan), output, world=world)
    agree = True
    for event in trainer.events():
        if isinstance(event, Step):
            bits = {name: tensor.numpy().tobytes() for name, tensor in trainer.network.state_dict().items()}
            agree &= all(other == bits for other in world.gather(bits))
    return agree


def random_numbers(plan: Plan, output: Path, world: World) -> list[float]:
    """What each process draws for the dropout of one step."""
    import torch

    trainer = Trainer(prepare(plan), output, world=world)
    return world.gather(float(torch.rand((), generator=trainer._generator_of(7))))


def main(directory: Path) -> None:
    with joined() as world:
        corpora, losses = directory / "corpora", {}
        for variant in VARIANTS:
            events = train_events(plan_of(corpora, variant), output=directory / "together" / variant)
            losses[variant] = [event.loss for event in events if isinstance(event, Step)]
        for variant in ("begun alone", "begun together"):
            plan, alone = plan_of(corpora, RESUMED), variant == "begun alone"
            events = train_events(plan, output=directory / variant, resume=alone, save_seconds=0)
            seen = [*events] if alone else begin(events, steps=7)
            assert not seen or any(isinstance(event, Note) and "resumed after" in event.text for event in seen)
        found = {
            "losses": losses,
            "agree": {v: weights_agree_at_each_step(plan_of(corpora, v), directory, world) for v in VARIANTS},
            "random": random_numbers(plan_of(corpora, "single"), directory, world),
        }
        if world.is_first:
            (directory / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
