"""Continue a training that was killed, bit for bit: weights, accumulators and where it stood, in one atomic file."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from polytag.errors import ModelError
from polytag.plan import Plan
from polytag.plan_file import first_difference
from polytag.training.loop import Progress, Trainer
from polytag.training.optimizer import Optimizer, flatten_state, restore_state
from polytag.training.torch_network import load_tensors, save_tensors

FORMAT = "polytag-resume"


def state_file(output: Path) -> Path:
    """Where the state of an unfinished training lies."""
    return output / "resume" / "state.safetensors"


def first_pass(output: Path) -> Path:
    """Where the first pass of a refit trains, until the second is done."""
    return output / "resume" / "first"


def is_begun(output: Path) -> bool:
    """Whether there is a training that can be resumed."""
    return state_file(output).exists() or has_first_pass(output)


def has_first_pass(output: Path) -> bool:
    """Whether the first pass of a refit has begun, and the second has not ended."""
    return (first_pass(output) / "plan.toml").exists()


def save_state(trainer: Trainer) -> None:
    """Write the state; a kill at any moment, or a weight that is not finite, leaves this state or the one before.

    At the end of an epoch it comes before `Trainer.publish`, so that what is published never runs ahead of it.

    Raises:
        PolytagError: a weight is not finite.
    """
    trainer.check_weights()
    tensors = {f"weights/{name}": tensor for name, tensor in trainer.network.state_dict().items()}
    for number, optimizer in enumerate(_distinct(trainer)):
        tensors |= {f"optimizer/{number}/{key}": value for key, value in flatten_state(optimizer).items()}
    if trainer.averages:
        tensors |= {f"average/{name}": tensor for name, tensor in trainer.averages.state().items()}
    assert trainer.output is not None
    path = state_file(trainer.output)
    path.parent.mkdir(exist_ok=True)
    metadata = {"format": FORMAT, "progress": json.dumps(asdict(trainer.progress)), "of": _identity(trainer)}
    save_tensors(path, tensors, metadata)


def restore(trainer: Trainer) -> bool:
    """Put a trainer where the saved state stood; False if there is none.

    Raises:
        ModelError: the state is damaged, or of another plan or other data.
    """
    assert trainer.output is not None
    path = state_file(trainer.output)
    if not path.exists():
        return False
    tensors, metadata = load_tensors(path, expected=FORMAT)
    _check_same(path, json.loads(metadata["of"]), json.loads(_identity(trainer)))
    trainer.network.load_state_dict(_below("weights/", tensors))
    for number, optimizer in enumerate(_distinct(trainer)):
        restore_state(optimizer, _below(f"optimizer/{number}/", tensors))
    if trainer.averages:
        trainer.averages.restore(_below("average/", tensors))
    trainer.progress = Progress(**json.loads(metadata["progress"]))
    return True


def _identity(trainer: Trainer) -> str:
    return identity(trainer.plan, trainer.prepared.checksums)


def identity(plan: Plan, checksums: Mapping[str, str], *, is_over: bool = False) -> str:
    """What must be the same when a training goes on, or what a pass that ``is_over`` leaves to another: JSON."""
    tables = plan.to_dict()
    tables.pop("search")  # files may move: their checksums tell whether they are the same
    if plan.training.final_learning_rate is None and not is_over:  # without decay it may go on longer than planned
        for key in ("epochs", "patience"):
            tables["training"].pop(key, None)
    # Tables are equal in any order, but the order of tasks decides the steps, and that of parts the optimizer's state.
    order = {kind: list(tables[kind]) for kind in ("chars", "words", "tags", "tasks")}
    return json.dumps({"plan": tables, "order": order, "data": dict(checksums)})


def _check_same(path: Path, saved: object, now: object) -> None:
    if found := first_difference(saved, now):
        key, was, is_ = found
        raise ModelError(f"{path}: cannot resume: {key} was {was!r} when the training began, now it is {is_!r}")


def _below(prefix: str, tensors: dict) -> dict:  # type: ignore[type-arg]
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _distinct(trainer: Trainer) -> list[Optimizer]:
    """The optimizers, each once, in the order of the plan's tasks."""
    return list(dict.fromkeys(optimizer for group in trainer.optimizers.values() for optimizer in group))
