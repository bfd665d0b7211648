"""After a training: temperatures that make the probabilities of the kept weights come true."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError
from polytag.model.checkpoint import WEIGHTS
from polytag.model.temperatures import save_temperatures
from polytag.tagger.calibration import Fit, fit, write_temperatures
from polytag.tagger.tagging import Tagger
from polytag.training.loop import Trainer


def calibrate(trainer: Trainer, best: Tagger) -> dict[str, dict[str, Any]]:
    """Fit the temperature of each task on its development split; the fits, as reports have them, of the best epoch.

    A refit has been trained on that split: its temperatures are those of its first pass.

    Where there is an output directory, they are written into it. Weights that were kept for a single task get one for
    that task. A task without development data, or with none whose tags the training files hold, stays as it is.
    """
    if trainer.prepared.chosen:
        if trainer.output is not None and trainer.prepared.chosen.model.temperatures:
            save_temperatures(trainer.output, WEIGHTS, trainer.prepared.chosen.model.temperatures)
        return dict(trainer.prepared.chosen.report["calibration"])
    fits = _fitted(trainer, best, list(trainer.plan.tasks))
    if trainer.output is not None:
        _save(trainer.output, fits, best_for=None)
        for task in trainer.progress.best_per_task:
            kept = Tagger.load(trainer.output, best_for=task, threads=trainer.settings.threads)
            _save(trainer.output, _fitted(trainer, kept, [task]), best_for=task)
    return {task: found.as_dict() for task, found in fits.items()}


def temperatures_of(calibration: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The temperature of each task."""
    return {task: found["temperature"] for task, found in calibration.items()}


def _fitted(trainer: Trainer, tagger: Tagger, tasks: list[str]) -> dict[str, Fit]:
    fits = {}
    for task in tasks:
        sentences = trainer.prepared.sentences[task].get("dev")
        if sentences:
            with suppress(PolytagError):  # not one sentence with known tags
                fits[task] = fit(tagger, sentences, task)
    return fits


def _save(directory: Path, fits: Mapping[str, Fit], *, best_for: str | None) -> None:
    if fits:
        write_temperatures(directory, fits, best_for=best_for)
