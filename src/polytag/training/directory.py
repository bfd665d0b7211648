"""The directory that a training writes into: one writer, nothing overwritten."""

from pathlib import Path

from polytag.errors import ModelError
from polytag.model.checkpoint import WEIGHTS
from polytag.training.resume import state_file


def is_complete(directory: Path, *, resume: bool) -> bool:
    """Whether there is nothing left to resume.

    Raises:
        ModelError: there is something that must not be overwritten.
    """
    if directory.exists() and not directory.is_dir():
        raise ModelError(f"{directory}: the output must be a directory, found a file")
    above = next((parent for parent in directory.parents if parent.exists()), Path())
    if not above.is_dir():
        raise ModelError(f"{directory}: cannot be made: {above} is a file, expected a directory")
    weights, state = (directory / WEIGHTS).exists(), state_file(directory).exists()
    if not resume and (weights or state):
        raise ModelError(f"{directory}: holds a training already; continue it with --resume or name another directory")
    if not (resume or weights or state) and (directory / "plan.toml").exists():
        raise ModelError(f"{directory}: holds a plan.toml, which the model's own would replace; name another directory")
    complete = weights and (directory / "report.json").exists()
    if weights and not state and not complete:
        raise ModelError(f"{directory}: holds weights, but no state to resume their training from")
    return complete
