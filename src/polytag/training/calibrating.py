"""After a training: temperatures that make the probabilities of the kept weights come true."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError
from polytag.model.checkpoint import WEIGHTS
from polytag.model.temperatures import save_temperatures
from polytag.scoring.familiarity import Familiarity
from polytag.tagger.calibration import Fit, fit, write_temperatures
from polytag.tagger.tagging import Tagger
from polytag.training.loop import Trainer
from polytag.vocabulary.vocabularies import UNKNOWN


def calibrate(trainer: Trainer, best: Tagger) -> dict[str, dict[str, Any]]:
    """Fit the temperature of each task on its development split; the fits, as reports have them, of the best epoch.

    A refit has been trained on that split: its temperatures are those of its first pass.

    Where there is an output directory, they are written into it. Weights that were kept for a single task get one for
    that task. A task without development data, or with none whose tags the training files hold, stays as it is.
    """
    if trainer.prepared.chosen:
        if trainer.output is not None and trainer.prepared.chosen.model.temperatures:
            first = trainer.prepared.chosen.model
            save_temperatures(trainer.output, WEIGHTS, first.temperatures, first.texts)
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


def texts_of(calibration: Mapping[str, Mapping[str, Any]]) -> dict[str, Familiarity]:
    """How well the model knows the text that each temperature comes from, in reports since there are such counts."""
    return {task: Familiarity(**found["text"]) for task, found in calibration.items() if "text" in found}


def _fitted(trainer: Trainer, tagger: Tagger, tasks: list[str]) -> dict[str, Fit]:
    fits = {}
    for task in tasks:
        sentences = trainer.prepared.sentences[task].get("dev")
        if sentences:
            with suppress(PolytagError):  # not one sentence with known tags
                found = fit(tagger, sentences, task)
                fits[task] = replace(found, text=_held_out(trainer, task, found.text))
    return fits


def _held_out(trainer: Trainer, task: str, text: Familiarity) -> Familiarity:
    """How the model would know the dev split if no other task had trained on sentences of it."""
    plan, sentences = trainer.plan, trainer.prepared.sentences
    words, dev = trainer.vocabularies.words[plan.tasks[task].words], sentences[task]["dev"]
    held = {sentence.words for sentence in dev}
    known = {
        words.index(word)
        for user in plan.users("words", plan.tasks[task].words)
        for sentence in sentences[user]["train"]
        if sentence.words not in held
        for word in sentence.words
    } - {UNKNOWN}
    unknown = sum(words.index(word) not in known for sentence in dev for word in sentence.words)
    return replace(text, words=sum(map(len, dev)), unknown_words=unknown)


def _save(directory: Path, fits: Mapping[str, Fit], *, best_for: str | None) -> None:
    if fits:
        write_temperatures(directory, fits, best_for=best_for)
