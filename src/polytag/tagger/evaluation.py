"""Score a model on the files of its plan, or on another file."""

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TypedDict, Unpack

from polytag.corpus.check import columns_of
from polytag.corpus.documents import format_of, told_by_name
from polytag.corpus.formats import FORMATS
from polytag.corpus.notes import Notes
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError, PlanError, PolytagWarning
from polytag.plan import Plan
from polytag.plan.task import SPLITS, Columns, DataFile, Task
from polytag.scoring import Counts
from polytag.scoring.advice import Scored, next_steps
from polytag.scoring.familiarity import Familiarity
from polytag.splits import has_split, read_as, split_sentences
from polytag.tagger.consistency import agreeing
from polytag.tagger.familiarity import Watched
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger, as_tagger

SEEN_DEV = "the model was refit on them too (training.refit), so scores on them say little of other text"
SEEN = "the model was trained on it, so scores on it say little of other text"


class Written(TypedDict, total=False):
    """How a file to score is written, where that is not as the plan says of the task's files."""

    format: str | None
    word: int | str | None
    encoding: str | None
    outside: str | None


class Chosen(Written, total=False):
    """What a model is scored on, as keywords of `sentences_to_score`; `evaluate` says what each means."""

    tasks: Sequence[str]
    data_file: str | PathLike[str] | None
    split: str
    data: str | PathLike[str] | None
    tags: Mapping[str, int | str]
    map: Mapping[str, str]
    notes: Notes | None


@dataclass(frozen=True)
class Evaluation:
    """A loaded model, and for each task the sentences with gold tags that it is scored on, which are read once."""

    tagger: Tagger
    sentences: Mapping[str, Iterator[Sentence]]
    watched: Mapping[str, Watched]
    consistent: Collection[str] = ()  # the tasks whose names are consistent

    @classmethod
    def of(
        cls,
        model: Tagger | str | PathLike[str],
        *,
        best_for: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        consistent: bool = False,
        **chosen: Unpack[Chosen],
    ) -> "Evaluation":
        """Load a model and open what it is scored on; arguments and errors are those of `evaluate`."""
        tagger = as_tagger(model, best_for=best_for, precision=precision, threads=threads)
        watched: dict[str, Watched] = {}
        sentences = {}
        for task, found in sentences_to_score(tagger, **chosen).items():
            watched[task] = Watched(tagger, task)
            sentences[task] = watched[task].watch(found)
        request = tagger.checked(Request(list(sentences), consistent=consistent)) if consistent else None
        return cls(tagger, sentences, watched, agreeing(tagger.engine, request.tasks) if request else ())

    def counts(self, *, calibration: bool = False) -> dict[str, Counts]:
        """Counts of each task, as `Tagger.evaluate` gives them."""
        return {
            task: self.tagger.evaluate(found, task, calibration=calibration, consistent=task in self.consistent)
            for task, found in self.sentences.items()
        }

    def familiarity(self, counts: Mapping[str, Counts]) -> dict[str, Familiarity]:
        """How well the model knows the text of each task that was counted; how sure it is, where that was counted."""
        sure = {task: found.calibration.tags.mean for task, found in counts.items() if found.calibration}
        return {task: replace(self.watched[task].found, confidence=sure.get(task)) for task in counts}

    def unlike(self, counts: Mapping[str, Counts], *, every: bool = False) -> list[str]:
        """What to say of texts that the model was not made for; of ``every`` text, how well it knows that."""
        texts, told = self.tagger.model.texts, {}
        for task, text in self.familiarity(counts).items():
            far = text.told(texts[task]) if task in texts else ""
            told[task] = far or (text.line(texts.get(task)) if every else "")
        return [f"{task}: {said}" for task, said in told.items() if said]

    def next_steps(self, counts: Mapping[str, Counts], examples: Mapping[str, Mapping[str, int]] = {}) -> list[str]:
        """What would help most, in at most three sentences; ``examples`` has how often training has the labels."""
        plan, texts, known = self.tagger.plan, self.tagger.model.texts, self.familiarity(counts)
        return next_steps([
            Scored(task, found, examples.get(task, {}), has_vectors(plan, task), known[task], texts.get(task))
            for task, found in counts.items()
        ])  # fmt: skip

    def lacking(self, counts: Mapping[str, Counts]) -> list[str]:
        """What to say of labels that were counted and that training has not."""
        gold = {task: {name: tally.gold for name, tally in found.types.items()} for task, found in counts.items()}
        told = {task: self.tagger.engine.part(task).vocabulary.lacking(of) for task, of in gold.items()}
        return [f"{task}: {sentence}" for task, sentence in told.items() if sentence]


def has_vectors(plan: Plan, task: str) -> bool:
    """Whether the words that a task reads have pretrained vectors."""
    return plan.words[plan.tasks[task].words].vectors is not None


def evaluate(
    model: Tagger | str | PathLike[str],
    *,
    best_for: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    consistent: bool = False,
    **chosen: Unpack[Chosen],
) -> dict[str, Counts]:
    """Counts of each task.

    Args:
        model: a model directory, a packed file, or a tagger, which has the three settings that follow.
        best_for: use the weights kept for this task.
        precision: as for `Tagger.load`.
        threads: as for `Tagger.load`.
        consistent: as in a `Request`, of the tasks that have spans.
        chosen: what it is scored on:

            * tasks: unless given, those in ``tags``, or all tasks that have the split.
            * data_file: an annotated file; else the plan's ``split``.
            * split: ``"test"`` (unless given) or ``"dev"``.
            * data: where the plan's relative paths are looked up besides the places it remembers.
            * format, word, tags, encoding, outside: how ``data_file`` is written, where that is not as the plan says of
              the task's files: as for `polytag.corpus.read`, ``tags`` by task. Where a suffix tells another format, the
              tags are those under the task's name, or the only ones.
            * map: labels of the files to those of the model; ``"O"`` leaves spans of a type out.
            * notes: takes what readers say of the files.

    Raises:
        ModelError: the model cannot be read.
        PlanError: a task has no such split, or several tasks would read one column; or what is said of a file is said
            of none.
        CorpusError: a file cannot be read.
        PolytagError: this machine has no instructions for the precision; no task has spans to be consistent.

    Warns:
        PolytagWarning: there are labels that training has not, so that they are never found, or the text is unlike that
            of the dev split.
    """
    evaluation = Evaluation.of(
        model, best_for=best_for, precision=precision, threads=threads, consistent=consistent, **chosen
    )
    counts = evaluation.counts()
    for sentence in (*evaluation.lacking(counts), *evaluation.unlike(counts)):
        warnings.warn(PolytagWarning(sentence), stacklevel=2)
    return counts


def sentences_to_score(
    tagger: Tagger,
    *,
    tasks: Sequence[str] = (),
    data_file: str | PathLike[str] | None = None,
    split: str = "test",
    data: str | PathLike[str] | None = None,
    tags: Mapping[str, int | str] = {},
    map: Mapping[str, str] = {},
    notes: Notes | None = None,
    **written: Unpack[Written],
) -> dict[str, Iterator[Sentence]]:
    """What `evaluate` scores each task on; arguments and errors are the same, and ``notes`` is as for `read`."""
    plan, notes = _with_map(tagger.plan, map), Notes() if notes is None else notes
    tasks = tasks or list(tags)
    chosen = tagger.choose(tasks) if tasks else [t for t, s in plan.tasks.items() if data_file or has_split(s, split)]
    if data_file is not None:
        return _of_file(plan, chosen, Path(data_file), tags, notes, written)
    for name, value in {"tags": tags, **written}.items():
        if value:
            raise PlanError(f"{name} of no file ({value!r:.60}), expected a file that is so written (--data-file)")
    without = [task for task in chosen if not has_split(plan.tasks[task], split)]
    if without or not chosen:
        raise PlanError(
            f"the plan has no {split} files for {', '.join(without or plan.tasks)}, expected some, another split "
            "(--split) or a file (--data-file)"
        )
    if split == "dev" and plan.training.refit and notes is not None:
        notes.tell("refit", SEEN_DEV, path="dev files")
    if data is not None:
        plan = plan.model_copy(update={"search": (*plan.search, str(Path(data).resolve()))})
    return {task: split_sentences(plan, task, split, notes=notes) for task in chosen}


def _with_map(plan: Plan, map: Mapping[str, str]) -> Plan:
    """The plan with more said of the labels of all files."""
    if not map:
        return plan
    return plan.model_copy(update={"tasks": {name: task.with_map(map) for name, task in plan.tasks.items()}})


def _of_file(
    plan: Plan, tasks: Sequence[str], path: Path, tags: Mapping[str, int | str], notes: Notes, written: Written
) -> dict[str, Iterator[Sentence]]:
    """The sentences of one file, for tasks that each have tags of their own there."""
    if len(tasks) > 1 and set(tags) != set(tasks):
        raise PlanError(f"a file to score holds the tags of one task, so name it: {', '.join(tasks)}")
    if other := set(tags) - set(tasks):
        raise PlanError(f"tags of '{min(other)}', expected those of {', '.join(tasks)}")
    if any(was_trained_on(plan, task, path) for task in tasks):
        notes.tell("trained", SEEN, path=str(path))
    described = {task: _described(plan, task, path, tags.get(task), written) for task in tasks}
    return {task: read_as(plan, task, path, file=file, notes=notes) for task, file in described.items()}


def _described(plan: Plan, task: str, path: Path, tag: int | str | None, written: Written) -> DataFile:
    """All that is to know of a file: what is said of it; what the plan says of it or else of the task's files."""
    settings = plan.tasks[task]
    named = next((of for split in SPLITS for of in settings.files(split) if _is(plan, of, path)), None)
    file = named or _by_its_name(settings, task, path, tag, written)
    columns = {key: of for key, of in (("word", written.get("word")), ("tag", tag)) if of is not None}
    said = {key: of for key, of in written.items() if key != "word" and of is not None}
    return file.model_copy(update={**said, "columns": (file.columns or Columns()).model_copy(update=columns)})


def _by_its_name(settings: Task, task: str, path: Path, tag: int | str | None, written: Written) -> DataFile:
    """A file as the task's files are; in another format, by its suffix or as said, with the columns of that."""
    file, usual, told = settings.described(str(path)), settings.files("train")[0], told_by_name(path)
    if told not in (None, told_by_name(usual.file)):
        file = file.model_copy(update={"format": told})
    format = format_of(path, written.get("format") or file.format or "auto")
    if format == format_of(usual.file, usual.format or "auto"):
        return file
    word, encoding = written.get("word") or 0, written.get("encoding") or "auto"
    tag = _only_tags(path, task, format=format, word=word, encoding=encoding) if tag is None else tag
    return file.model_copy(update={"format": format, "columns": Columns.model_construct(word=word, tag=tag)})


def was_trained_on(plan: Plan, task: str, path: Path) -> bool:
    """Whether a file is one that the plan of a model trains on; one that is packed does not know where these lie."""
    settings = plan.tasks[task]
    files = [*settings.files("train"), *(settings.files("dev") if plan.training.refit else ())]
    return bool(plan.search) and any(_is(plan, file, path) for file in files)


def _is(plan: Plan, file: DataFile, path: Path) -> bool:
    with suppress(PlanError, OSError):
        return plan.find(file.file, "").samefile(path)
    return False


def _only_tags(path: Path, task: str, *, format: str, word: int | str, encoding: str) -> str:
    """The tags that a file in another format has for a task: those of its name, the usual ones, or the only ones."""
    names = columns_of(path, format=format, word=word, encoding=encoding)
    usual = [name for name in (task, FORMATS[format].usual_tag) if name in names]
    if not usual and len(names) != 1:
        found = f"tags {', '.join(names)}" if names else "no tags"
        raise CorpusError(f"{format} with {found}, expected to be told which are those of '{task}' (--tag)", path=path)
    return (usual or names)[0]
