"""Training: from a plan to a model, in a directory or in memory. Needs PyTorch, the extra ``polytag[train]``.

Without it importing this folder raises a `PolytagError` that says so, and so does whatever trains.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from polytag.errors import ModelError, PlanError, PolytagError

try:
    import torch  # noqa: F401 - nothing below works without it, nothing outside this folder needs it
except ModuleNotFoundError as error:
    raise PolytagError("PyTorch is not installed, expected it for training: pip install 'polytag[train]'") from error

from polytag.plan import Plan
from polytag.plan.consistency import check_refit
from polytag.plan_file import from_memory, load_plan
from polytag.splits import given_splits
from polytag.tagger.tagging import Tagger
from polytag.training.distributed import joined
from polytag.training.events import Evaluation as Evaluation
from polytag.training.events import Event as Event
from polytag.training.events import Note as Note
from polytag.training.events import Step as Step
from polytag.training.events import Trained as Trained
from polytag.training.loop import Trainer as Trainer
from polytag.training.passes import Corpora, in_memory, into_directory
from polytag.training.prepare import Prepared as Prepared
from polytag.training.prepare import prepare as prepare
from polytag.training.threads import cpu_threads

SAVE_SECONDS = 60.0  # a killed training loses at most about this much


Tables = Mapping[str, Any]


def train(
    plan: Plan | str | os.PathLike[str] | Tables,
    *,
    output: str | os.PathLike[str] | None = None,
    corpora: Corpora | None = None,
    data: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    resume: bool = False,
    settings: Iterable[str] = (),
    device: str = "cpu",
) -> Tagger:
    """Train a plan and return the tagger with the best epoch's weights.

    In a script that ``torchrun`` starts, all its processes train together; each must make the same call.

    Args:
        plan: a plan file, a dict of what stands in one, or a plan.
        output: the model directory to make; without it nothing is written, and `Tagger.save` can write it later.
        corpora: sentences in place of files: of each task, by the splits ``"train"``, ``"dev"`` and ``"test"``. Those
            of a split are an iterable of `polytag.Sentence`, of pairs of words and tags, or of mappings with
            ``"words"`` or ``"tokens"`` and, under the task's name, ``TASK_tags`` or ``tags``, the tags; or a
            ``DataFrame`` or a ``Dataset`` with such columns and a row for each sentence. What is not given the plan's
            files have.
        data: where the plan's relative paths are looked up after its own directory.
        seed: overrides ``training.seed``.
        resume: continue the training that ``output`` holds.
        settings: overrides, ``"training.epochs=5"``.
        device: where to compute, ``"cpu"`` or ``"cuda"``.

    Raises:
        PlanError: the plan cannot be used.
        CorpusError: a file or a sentence cannot be used; says which.
        PolytagError: the output or the device cannot be used.
    """
    overrides = [*settings, *([] if seed is None else [f"training.seed={seed}"])]
    with joined() as world:
        checked = world.agree(lambda: _planned(plan, corpora, data=data, settings=overrides))
        for event in train_events(checked, output=output, corpora=corpora, resume=resume, device=device):
            if isinstance(event, Trained):
                model = event.model
        return Tagger(model)


def train_events(
    plan: Plan | str | os.PathLike[str] | Tables,
    *,
    output: str | os.PathLike[str] | None = None,
    corpora: Corpora | None = None,
    resume: bool = False,
    device: str = "cpu",
    command: str = "",
    save_seconds: float = SAVE_SECONDS,
) -> Iterator[Event]:
    """The same as a generator of events, for whoever wants to watch; the last is `Trained`, with the model.

    Of a refit the events of both passes come, and one `Trained`.

    ``command`` is recorded in the report; what a killed training resumes from is saved every ``save_seconds``.
    """
    if resume and output is None:
        raise ModelError("resume continues the training that a directory holds, expected an output")
    with joined() as world:
        checked = world.agree(lambda: _planned(plan, corpora))
        check_refit(checked, "plan")
        if output is None and checked.training.best_per_task:
            raise PlanError("training.best_per_task keeps weights for each task in files, expected an output for them")
        with cpu_threads(checked.training.threads):
            if output is None:
                yield from in_memory(checked, corpora, world, device=device, command=command)
            else:
                yield from into_directory(
                    checked, corpora, world, Path(output),
                    resume=resume, device=device, command=command, save_seconds=save_seconds,
                )  # fmt: skip


def _planned(
    plan: Plan | str | os.PathLike[str] | Tables,
    corpora: Corpora | None,
    *,
    data: str | os.PathLike[str] | None = None,
    settings: Iterable[str] = (),
) -> Plan:
    """The plan, checked, with what ``corpora`` gives in place of files."""
    memory = given_splits(corpora or {})
    if not isinstance(plan, Plan):
        return load_plan(plan, data=data, settings=settings, memory=memory)
    if data is not None or [*settings]:
        raise PlanError("data, seed and settings belong to a plan that is read, expected them in a plan that is made")
    return from_memory(plan, memory) if memory else plan
