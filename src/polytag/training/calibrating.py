"""The last step of a training: temperatures that make the probabilities of the kept weights come true."""

from contextlib import suppress

from polytag.errors import PolytagError
from polytag.tagger.calibration import Fit, fit, write_temperatures
from polytag.tagger.tagging import Tagger
from polytag.training.loop import Trainer


def calibrate(trainer: Trainer, best: Tagger) -> dict[str, Fit]:
    """Fit and write the temperature of each task on its development split; the fits are those of the best epoch.

    Weights that were kept for a single task get one for that task. A task without development data, or with none
    whose tags the training files hold, stays as it is.
    """
    fits = _fitted(trainer, best, list(trainer.plan.tasks), best_for=None)
    for task in trainer.progress.best_per_task:
        kept = Tagger.load(trainer.output, best_for=task, threads=trainer.settings.threads)
        _fitted(trainer, kept, [task], best_for=task)
    return fits


def _fitted(trainer: Trainer, tagger: Tagger, tasks: list[str], *, best_for: str | None) -> dict[str, Fit]:
    fits = {}
    for task in tasks:
        sentences = trainer.prepared.sentences[task].get("dev")
        if sentences:
            with suppress(PolytagError):  # not one sentence with known tags
                fits[task] = fit(tagger, sentences, task)
    if fits:
        write_temperatures(trainer.output, fits, best_for=best_for)
    return fits
