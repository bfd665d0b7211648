"""Score a model on the files of its plan, or on another file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TypedDict, Unpack

from polytag.corpus.notes import Notes
from polytag.corpus.schemes import read_outside
from polytag.corpus.sentence import Sentence
from polytag.errors import PlanError
from polytag.scoring import Counts
from polytag.splits import has_split, read_as, split_sentences
from polytag.tagger.tagging import Tagger


class Chosen(TypedDict, total=False):
    """What a model is scored on, as keywords of `sentences_to_score`; `evaluate` says what each means."""

    tasks: Sequence[str]
    data_file: str | PathLike[str] | None
    split: str
    data: str | PathLike[str] | None
    outside: str | None
    notes: Notes | None


@dataclass(frozen=True)
class Evaluation:
    """A loaded model, and for each task the sentences with gold tags that it is scored on, which are read once."""

    tagger: Tagger
    sentences: Mapping[str, Iterator[Sentence]]

    @classmethod
    def of(
        cls,
        model: str | PathLike[str],
        *,
        best_for: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        **chosen: Unpack[Chosen],
    ) -> "Evaluation":
        """Load a model and open what it is scored on; arguments and errors are those of `evaluate`."""
        tagger = Tagger.load(model, best_for=best_for, precision=precision, threads=threads)
        return cls(tagger, sentences_to_score(tagger, **chosen))

    def counts(self, *, calibration: bool = False) -> dict[str, Counts]:
        """Counts of each task, as `Tagger.evaluate` gives them."""
        return {
            task: self.tagger.evaluate(found, task, calibration=calibration) for task, found in self.sentences.items()
        }


def evaluate(
    model: str | PathLike[str],
    *,
    tasks: Sequence[str] = (),
    data_file: str | PathLike[str] | None = None,
    split: str = "test",
    data: str | PathLike[str] | None = None,
    best_for: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    outside: str | None = None,
) -> dict[str, Counts]:
    """Counts of each task.

    Args:
        model: a model directory, or a packed file.
        tasks: unless given, all tasks that have the split.
        data_file: an annotated file, read with the columns and format of the task; else the plan's ``split``.
        split: ``"test"`` or ``"dev"``.
        data: where the plan's relative paths are looked up besides the places it remembers.
        best_for: use the weights kept for this task.
        precision: as for `Tagger.load`.
        threads: as for `Tagger.load`.
        outside: the tag of words in no span in ``data_file``, unless it is the task's.

    Raises:
        ModelError: the model cannot be read.
        PlanError: a task has no such split, or several tasks would read one file.
        CorpusError: a file cannot be read.
        PolytagError: this machine has no instructions for the precision.
    """
    chosen: Chosen = {"tasks": tasks, "data_file": data_file, "split": split, "data": data, "outside": outside}
    return Evaluation.of(model, best_for=best_for, precision=precision, threads=threads, **chosen).counts()


def sentences_to_score(
    tagger: Tagger,
    *,
    tasks: Sequence[str] = (),
    data_file: str | PathLike[str] | None = None,
    split: str = "test",
    data: str | PathLike[str] | None = None,
    outside: str | None = None,
    notes: Notes | None = None,
) -> dict[str, Iterator[Sentence]]:
    """What `evaluate` scores each task on; arguments and errors are the same, and ``notes`` is as for `read`."""
    plan = tagger.plan
    if outside is not None and data_file is None:
        raise PlanError(f"'{outside}' as the outside tag of no file, expected a file that is so written (--data-file)")
    chosen = tagger.choose(tasks) if tasks else [t for t, s in plan.tasks.items() if data_file or has_split(s, split)]
    if data_file is not None:
        if len(chosen) > 1:
            raise PlanError(f"a file to score holds the tags of one task, so name it: {', '.join(chosen)}")
        task = chosen[0]
        own, found = {task: outside or plan.tasks[task].outside}, read_as(plan, task, data_file, notes=notes)
        return {task: (read_outside(sentence, own) for sentence in found)}
    without = [task for task in chosen if not has_split(plan.tasks[task], split)]
    if without or not chosen:
        raise PlanError(
            f"the plan has no {split} files for {', '.join(without or plan.tasks)}, expected some, another split "
            "(--split) or a file (--data-file)"
        )
    if data is not None:
        plan = plan.model_copy(update={"search": (*plan.search, str(Path(data).resolve()))})
    return {task: split_sentences(plan, task, split, notes=notes) for task in chosen}
