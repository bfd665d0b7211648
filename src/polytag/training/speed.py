"""How fast a plan trains on this machine: measured, for a few seconds, on some of its sentences."""

import time
from itertools import islice

from polytag.plan import Plan
from polytag.plan.task import Columns
from polytag.splits import split_sentences
from polytag.training import Step, train_events
from polytag.training.schedule import epochs_for

SECONDS = 4.0
SENTENCES = 400
FIRST_STEPS = 3  # slower than all others


def words_per_second(plan: Plan) -> float:
    """Words of all tasks together; without word vectors, whose reading would take longer than the measurement.

    Raises:
        PolytagError: the plan or a file cannot be used.
    """
    bare = {"vectors": None, "vector_std": None, "clusters": None}
    as_read = {"columns": Columns(), "map": {}, "outside": "O"}  # in memory, tags have the task's name
    whole = {"dev": None, "test": None, "holdout": 0.0, **as_read}
    measured = plan.model_copy(
        update={
            "words": {name: part.model_copy(update=bare) for name, part in plan.words.items()},
            "tasks": {name: task.model_copy(update=whole) for name, task in plan.tasks.items()},
        }
    )
    corpora = {task: {"train": list(islice(split_sentences(plan, task, "train"), SENTENCES))} for task in plan.tasks}
    steps: list[tuple[float, int]] = []
    for event in train_events(measured, corpora=corpora):
        if isinstance(event, Step):
            steps.append((time.perf_counter(), event.words))
        if len(steps) > FIRST_STEPS + 1 and steps[-1][0] - steps[FIRST_STEPS][0] > SECONDS:
            break
    return sum(words for _, words in steps[FIRST_STEPS + 1 :]) / (steps[-1][0] - steps[FIRST_STEPS][0])


def epochs_of(plan: Plan, sentences: int) -> int:
    """The epochs of a plan whose tasks have so many training sentences."""
    return epochs_for({"": sentences}) if plan.training.epochs == "auto" else plan.training.epochs
