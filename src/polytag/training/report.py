"""report.json: final scores per task and split, and all that is needed to make them again."""

import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from polytag.files import write_json
from polytag.model.report_file import REPORT
from polytag.reports.card import write_card
from polytag.reports.intervals import interval_of
from polytag.scoring import Counts, as_dict
from polytag.scoring.advice import Epochs, Scored, is_enough, next_steps
from polytag.tagger.consistency import agreeing
from polytag.tagger.evaluation import has_vectors
from polytag.tagger.tagging import Tagger
from polytag.training.distributed import evaluate
from polytag.training.loop import Trainer
from polytag.training.trained_on import trained_on

_PACKAGES = ("polytag", "torch", "numpy", "safetensors")


def make_report(trainer: Trainer, best: Tagger, *, command: str, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """Score the best epoch's weights; this is the one time that the test split is touched.

    ``calibration`` holds what was fitted on the development split of each task that has one. Where there is an output
    directory, the report and the card are written into it. The development scores of a refit are of its first pass.
    """
    progress, sentences, world = trainer.progress, trainer.prepared.sentences, trainer.world
    chosen = trainer.prepared.chosen
    started = time.perf_counter()
    counts = {
        task: {
            split: evaluate(best, splits[split], task, world=world) for split in ("dev", "test") if splits.get(split)
        }
        for task, splits in sentences.items()
    }
    scoring_seconds = round(time.perf_counter() - started, 2)
    scores = {
        task: (chosen.development_scores(task) if chosen else {}) | {split: as_dict(one) for split, one in of.items()}
        for task, of in counts.items()
    }
    told = trained_on(trainer.prepared)
    examples = {task: {label: of["count"] for label, of in labels.items()} for task, labels in told["labels"].items()}
    report: dict[str, Any] = {
        "scores": scores,
        "intervals": {
            task: (chosen.report.get("intervals", {}).get(task, {}) if chosen else {})
            | {split: list(interval_of(one)[1:]) for split, one in of.items()}
            for task, of in counts.items()
        },
        **told,
        "next": chosen.report.get("next", []) if chosen else _next_steps(trainer, best, counts, examples),
        "calibration": dict(calibration),
        "best_epoch": progress.best_epoch,
        "epochs": chosen.report["epochs"] if chosen else progress.epoch,
        "seconds": round(progress.seconds + (chosen.report["seconds"] if chosen else 0), 1),
        "scoring_seconds": scoring_seconds,  # of the words of dev and test
        "seed": trainer.settings.seed,
        "recipe": trainer.settings.recipe,
        "command": command.encode("utf-8", "backslashreplace").decode(),  # names of files may be no text
        "notes": trainer.prepared.notes,
        "data": dict(trainer.prepared.checksums),
        **_surroundings(),
        "device": str(trainer.device),
        "processes": world.size,
    }
    if chosen:
        report["first_pass"] = {"scores": chosen.report["scores"]}
    if trainer.settings.best_per_task:
        report["best_per_task"] = dict(progress.best_per_task)
    if trainer.settings.track_test:
        report["best_on_test"] = {task: _best_on_test(progress.history, task) for task in scores}
    if world.is_first and trainer.output is not None:
        write_card(trainer.output, best.model, report)  # before the report, which makes a training complete
        write_json(trainer.output / REPORT, report)
    return report


def _next_steps(
    trainer: Trainer,
    best: Tagger,
    counts: Mapping[str, Mapping[str, Counts]],
    examples: Mapping[str, Mapping[str, int]],
) -> list[str]:
    """What would help most, by the scores on dev, or on test where there is none."""
    scored = [_scored(trainer, best, task, of, examples[task]) for task, of in counts.items() if of]
    history = [line["selected"] for line in trainer.progress.history if line["selected"] is not None]
    return next_steps(scored, Epochs(history, trainer.epochs))


def _scored(
    trainer: Trainer, best: Tagger, task: str, counts: Mapping[str, Counts], examples: Mapping[str, int]
) -> Scored:
    """A task by the counts of its first split, also with consistent names, which processes do not share among them."""
    split, found = next(iter(counts.items()))
    consistent = None
    if is_enough(found) and agreeing(best.engine, [task]):
        consistent = best.evaluate(trainer.prepared.sentences[task][split], task, consistent=True)
    return Scored(task, found, examples, has_vectors(trainer.plan, task), consistent=consistent)


def _surroundings() -> dict[str, Any]:
    """What ran the training: versions of packages, and the machine."""
    return {
        "versions": {package: _version(package) for package in _PACKAGES} | {"python": platform.python_version()},
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "system": platform.system(),
        },
    }


def _best_on_test(history: list[dict[str, Any]], task: str) -> dict[str, float] | None:
    """The epoch with the highest test score: optimistic, for comparison with the paper only."""
    scored = [(line["test"][task], -line["epoch"]) for line in history if task in line["test"]]
    if not scored:
        return None
    score, epoch = max(scored)
    return {"epoch": -epoch, "score": score}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
