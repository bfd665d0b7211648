"""The sentences of a task's splits, as its plan says: files, held-out part, labeling rate."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

from polytag.corpus.documents import read
from polytag.corpus.formats.record import is_spans
from polytag.corpus.notes import Notes
from polytag.corpus.offsets import is_scored
from polytag.corpus.sampling import fold, holdout, sample
from polytag.corpus.schemes import of_types
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import UNKNOWN, parse_any
from polytag.errors import CorpusError, PlanError, counted, nearest
from polytag.plan import Plan
from polytag.plan.task import SPLITS, Columns, DataFile, Task
from polytag.plan.values import MEMORY

Corpora = Mapping[str, Mapping[str, Sequence[Sentence]]]  # task -> split -> sentences
OTHER_NAMES = {"validation": "dev"}  # of splits, as Hugging Face's datasets have them
HOLDOUT_SEED = 13  # not the training's seed, so that runs with several seeds share one development set


def has_split(settings: Task, split: str) -> bool:
    """Whether a task has such sentences.

    Raises:
        PlanError: no split has this name.
    """
    if split not in SPLITS:
        raise PlanError(f"there is no split '{split}'{nearest(split, SPLITS)}")
    return bool(getattr(settings, split)) or (split == "dev" and settings.holds_out)


def given_splits(corpora: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Of each task, the plan's name of each split that is given, and the name that it is given by.

    Raises:
        PlanError: these are no splits by task and name.
    """
    return {task: _splits(task, splits) for task, splits in _mapping(corpora, "corpora", "tasks").items()}


def split_sentences(
    plan: Plan, task: str, split: str, *, notes: Notes | None = None, memory: Corpora | None = None
) -> Iterator[Sentence]:
    """The sentences of one split, with their tags under the task's name; none where the task has no such split.

    ``notes`` is as for `read`; ``memory`` has the sentences that come from the program, as the plan says.

    Raises:
        PlanError: a file is not there.
        CorpusError: a file cannot be read, or cannot be split as the plan says.
    """
    settings, memory = plan.tasks[task], memory or {}
    if settings.holds_out and split in ("train", "dev"):
        everything = list(_given(plan, task, "train", notes, memory))
        # Scores need every tag, so a sentence with unknown ones is never held out.
        whole = [i for i, sentence in enumerate(everything) if is_scored(sentence, task)]
        if len(whole) < 2 <= len(everything):
            message = (
                f"{len(whole)} sentences without unknown tags ({UNKNOWN}), expected 2 or more to hold out from; "
                f"name dev files, or leave out '{'fold' if settings.fold else 'holdout'}' to keep the last epoch"
            )
            raise CorpusError(message, path=settings.files("train")[0].file)
        held = {whole[i] for i in _held_out(len(whole), settings)}
        chosen: Iterator[Sentence] = (s for i, s in enumerate(everything) if (i in held) == (split == "dev"))
    else:
        chosen = iter(_given(plan, task, split, notes, memory))
    drawn = _at_rate(chosen, settings) if split == "train" and settings.rate < 1 else chosen
    for sentence in drawn:
        yield of_marked_types(sentence, task, settings, refuse=split == "train")


def _held_out(n: int, settings: Task) -> list[int]:
    """Which of ``n`` training sentences are the development set."""
    part, parts = settings.fold_of if settings.fold else (1, 2)
    if n < parts:
        into = f"cut into {parts} folds" if settings.fold else "hold a share out of"
        message = f"{counted(n, 'sentence')} to {into}, expected at least {parts}"
        raise CorpusError(message, path=settings.files("train")[0].file)
    if settings.fold:
        return fold(n, part, parts, seed=HOLDOUT_SEED)[1]
    return holdout(n, settings.holdout, seed=HOLDOUT_SEED)[1]


def of_marked_types(sentence: Sentence, task: str, settings: Task, *, refuse: bool = False) -> Sentence:
    """A sentence with spans of the types that its file marks, where the plan names them; others are in no span.

    Raises:
        CorpusError: there are others, and ``refuse`` says that there must be none.
    """
    if settings.marks is None:
        return sentence
    tags, misfits = of_types(sentence.tags[task], settings.marks), sentence.misfits.get(task, ())
    for position, tag in enumerate(sentence.tags[task] if refuse and tags != sentence.tags[task] else ()):
        if tag != tags[position]:
            line = sentence.lines[position] if len(sentence.lines) else 0
            expected = f"tasks.{task}.marks says {', '.join(settings.marks)}"
            raise CorpusError(
                f"found {tag} in a file that marks other types: {expected}", path=sentence.source, line=line
            )
    kept = tuple(span for span in misfits if span.type in settings.marks)
    return replace(
        sentence,
        tags={**sentence.tags, task: tags},
        misfits={**sentence.misfits, task: kept} if misfits else sentence.misfits,
    )


def read_as(
    plan: Plan, task: str, path: str | PathLike[str], *, file: DataFile | None = None, notes: Notes | None = None
) -> Iterator[Sentence]:
    """The sentences of a file that is written as ``file`` says, or like the task's own, with the labels of the task.

    Where the task's scheme is plain, spans of characters are labels: of each of their words. ``notes`` is as for
    `read`.
    """
    settings = plan.tasks[task]
    file = settings.described(file or str(path))
    columns = file.columns or Columns()
    found = read(
        path,
        format=file.format or "auto",
        word=columns.word,
        tags={task: columns.tag},
        encoding=file.encoding or "auto",
        tokeniser=plan.words[settings.words].tokeniser,
        names=columns.names,
        overlaps=settings.overlaps,
        min_probability=file.min_probability or 0.0,
        labels={task: settings.labels(file)},
        notes=notes,
    )
    is_label = settings.scheme == "plain" and is_spans(columns.tag)
    return (_as_labels(sentence, task) for sentence in found) if is_label else found


def _as_labels(sentence: Sentence, task: str) -> Sentence:
    """A sentence whose words have the types of their spans for tags; those in no span, and unknown ones, stay."""
    parsed = map(parse_any, sentence.tags[task])
    labels = tuple([tag.text if tag.role == "O" else tag.type for tag in parsed])
    return replace(sentence, tags={**sentence.tags, task: labels})


def _given(plan: Plan, task: str, split: str, notes: Notes | None, memory: Corpora) -> Iterable[Sentence]:
    return memory.get(task, {}).get(split) or _files(plan, task, split, notes)


def _files(plan: Plan, task: str, split: str, notes: Notes | None) -> Iterator[Sentence]:
    for file in plan.tasks[task].files(split):
        if file.file == MEMORY:
            message = "no file has these sentences, which a program gave, expected files or to be given them"
            raise PlanError(f"tasks.{task}.{split}: {message}")
        yield from read_as(plan, task, plan.find(file.file, f"tasks.{task}.{split}"), file=file, notes=notes)


def _at_rate(sentences: Iterator[Sentence], settings: Task) -> Iterator[Sentence]:
    everything = list(sentences)
    if not everything:
        raise CorpusError("the training files hold no sentence", path=settings.files("train")[0].file)
    drawn = sample(
        len(everything), settings.rate, seed=settings.rate_seed, replacement=settings.rate_draw == "replacement"
    )
    return (everything[i] for i in drawn)


def _splits(task: str, splits: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _mapping(splits, f"corpora['{task}']", "splits"):
        split = OTHER_NAMES.get(name, name)
        if split not in SPLITS:
            raise PlanError(f"corpora['{task}']: there is no split '{name}'{nearest(str(name), SPLITS)}")
        if split in found:
            raise PlanError(
                f"corpora['{task}']: '{name}' and '{found[split]}' are the same split, expected one of them"
            )
        found[split] = name
    return found


def _mapping(value: Any, place: str, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        example = "{'ner': {'train': ..., 'dev': ...}}"
        found = f"{value!r:.60} ({type(value).__name__})"
        raise PlanError(f"{place} is {found}, expected a mapping of names of {what}, as in {example}")
    return value
