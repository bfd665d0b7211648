"""A plan for somebody's files as a TOML file in which each setting says what it means."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from polytag.corpus import read
from polytag.corpus.lookup import find_file
from polytag.errors import CorpusError, PlanError, PolytagError, nearest
from polytag.files import atomic_write
from polytag.initialise.choosing import HOLDOUT, Choice
from polytag.initialise.looking import is_name
from polytag.plan import Plan
from polytag.plan.commented import WIDTH, inline, line
from polytag.plan.defaults import recipes, sizes
from polytag.plan.parts import Words
from polytag.plan.task import Task
from polytag.plan.training import Training
from polytag.plan.values import Table
from polytag.plan_file import make_plan

RECIPE = "best"
ANY = "any"  # names the words of no language in particular


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChoice:
    """One task as its user wants it; without ``dev`` files, the share that a `Choice` says is held out.

    Files are those that `find_file` finds below the directory ``data``.
    """

    name: str
    train: Sequence[Path]
    tag: str
    format: str = "auto"
    word: int | str = 0
    dev: Sequence[Path] = ()
    test: Sequence[Path] = ()
    language: str = ""
    vectors: Path | None = None
    note: str = ""
    has_entities: bool = False
    data: Path | None = None


def check_files(task: TaskChoice) -> None:
    """See to it that each file of a task has words and tags where they were said to be.

    Raises:
        CorpusError: one has not; holds the file and the line.
    """
    for path in chain(task.train, task.dev, task.test):
        next(read(find_file(path, task.data), format=task.format, word=task.word, tags={task.name: _place(task.tag)}))


def check_name(name: str) -> str:
    """The name of a task, if it can be one.

    Raises:
        PlanError: it cannot.
    """
    if not is_name(name):
        raise PlanError(
            f"name '{name}': a name holds letters of a to z, digits, _ and -, and begins with a letter or a digit"
        )
    return name


def check_language(code: str) -> str:
    """The code of a language, if it can be one; empty for none in particular.

    Raises:
        PlanError: it cannot.
    """
    if code and not re.fullmatch("[a-z]{2,3}", code):
        raise PlanError(f"language '{code}': a code is two or three small letters, such as en")
    return code


def plan_text(
    tasks: Sequence[TaskChoice],
    *,
    directory: Path,
    choice: Choice = Choice(),  # noqa: B008 - it never changes
) -> str:
    """A plan file that lies in ``directory``, checked; all tasks share characters, those of one language words too.

    Each setting says what it means, and what ``choice`` holds why it is so.

    Raises:
        PlanError: there is no such size, two tasks have one name, or a name or language cannot be used.
    """
    if choice.size is not None and choice.size not in sizes():
        raise PlanError(f"there is no size '{choice.size}'{nearest(choice.size, sizes())}")
    for task in tasks:
        check_name(task.name)
        check_language(task.language)
    names = [task.name for task in tasks]
    if twice := [name for name in names if names.count(name) > 1]:
        raise PlanError(f"two tasks are named '{twice[0]}', expected names that differ")
    lines = ["# Written by polytag init. Tasks that name the same part share it: see 'polytag show' on this file.", ""]
    reasons = choice.reasons
    lines += [*_chosen("size", choice.size, reasons, Plan), ""] if choice.size or "size" in reasons else []
    lines += ["[chars.shared]  # alphabet, character embedding and GRU", ""]
    for name in dict.fromkeys(task.language or ANY for task in tasks):
        lines += _words_part(name, [task for task in tasks if (task.language or ANY) == name], directory)
    for task in tasks:
        lines += _task(task, directory, choice)
    known = f"one of {', '.join(recipes())}; all that it sets: polytag show --all"
    lines += ["[training]", f"{f'recipe = {inline(RECIPE)}':<{WIDTH}}  # {known}"]
    for key in ("learning_rate", "epochs"):
        lines += _chosen(key, value, reasons, Training) if (value := getattr(choice, key)) else []
    lines += [""]
    text = "\n".join(lines)
    make_plan(tomllib.loads(text))
    return text


def write_plan(text: str, path: Path, *, force: bool = False) -> None:
    """Write a plan file, whole or not at all.

    Raises:
        PolytagError: there is one already, unless ``force``, or it cannot be written.
    """
    if path.exists() and not force:
        raise PolytagError(f"{path}: is there already; name another file with -o, or overwrite it with --force")
    with atomic_write(path) as file:
        file.write(text)


def _words_part(name: str, tasks: Iterable[TaskChoice], directory: Path) -> list[str]:
    users = list(tasks)
    language = next((task.language for task in users if task.language), "")
    vectors = next((_in_plan(task.vectors, directory, task.data) for task in users if task.vectors), "")
    said = {"language": language or None, "tokeniser": None, "vectors": vectors or None}
    examples = {"language": "en", "tokeniser": "unicode", "vectors": "FILE"}
    return [
        f"[words.{_key(name)}]  # word list, word embedding and GRU",
        *(line(key, value, Words) if value else f"# {line(key, examples[key], Words)}" for key, value in said.items()),
        "",
    ]


def _task(task: TaskChoice, directory: Path, choice: Choice) -> list[str]:
    splits = {"train": task.train, "dev": task.dev, "test": task.test}
    files = {
        split: [_in_plan(path, directory, task.data) for path in paths] for split, paths in splits.items() if paths
    }
    tag = _place(task.tag)
    by_number = {} if task.word == 0 and isinstance(tag, str) else {"word": task.word}  # where columns have no names
    columns = f"columns = {inline({**by_number, 'tag': tag})}"
    return [
        f"[tasks.{_key(task.name)}]",
        line("chars", "shared", Task),
        line("words", task.language or ANY, Task),
        *(line(split, paths[0] if len(paths) == 1 else paths, Task) for split, paths in files.items()),
        *([] if task.dev else _chosen("holdout", choice.holdout or HOLDOUT, choice.reasons, Task)),
        *([line("format", task.format, Task)] if task.format != "auto" else []),
        *(
            _chosen("mention_replacement", choice.mention_replacement, choice.reasons, Task)
            if task.has_entities
            else []
        ),
        *_chosen("case_augmentation", choice.case_augmentation, choice.reasons, Task),
        f"{columns:<{WIDTH}}  # {_printable(task.note) or 'where words and tags stand'}",
        "",
    ]


def _chosen(key: str, value: object, reasons: Mapping[str, str], model: type[Table]) -> list[str]:
    """A setting, and above it why; where there is no value, a comment says it all."""
    why = [f"# {key}: {reasons[key]}"] if key in reasons else []
    return why if value is None else [*why, line(key, value, model)]


def _in_plan(path: Path, directory: Path, data: Path | None) -> str:
    """A path as a plan in ``directory`` finds it; an absolute one and one below ``data`` stay as they are given."""
    try:
        found = find_file(path, data)
    except CorpusError:  # vectors that are yet to be made
        found = path
    if found == path:
        return str(path) if path.is_absolute() else Path(os.path.relpath(path, directory)).as_posix()
    is_hidden = (directory / path).exists()  # which the plan would find first
    return str(found.resolve()) if is_hidden else path.as_posix()


def _place(tag: str) -> int | str:
    return int(tag) if tag.removeprefix("-").isdecimal() else tag


def _key(name: str) -> str:
    """A name as TOML has it, for `make_plan` to judge."""
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else inline(name)


def _printable(note: str) -> str:
    """A note that may stand in a comment: tags can hold anything."""
    return "".join(character if character.isprintable() else "?" for character in " ".join(note.split()))
