"""A first plan for somebody's files: what is in them, sensible defaults, and the plan as a commented TOML file."""

import os
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import tomli_w

from polytag.corpus import FORMATS, Column, Report, check, read
from polytag.corpus.lookup import find_file
from polytag.errors import CorpusError, PlanError, PolytagError, counted, nearest
from polytag.files import atomic_write
from polytag.plan.defaults import recipes, sizes
from polytag.plan_file import make_plan

HOLDOUT = 0.1  # of the training sentences, where there is no development file
RECIPE = "best"
ANY = "any"  # names the words of no language in particular

# Types of spans that tell which task it is; labels of single words are taken for parts of speech.
_CHUNKS = {"NP", "VP", "PP", "ADJP", "ADVP"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a training file holds, and which of its columns (conll: numbers) may hold the tags."""

    path: Path
    report: Report
    word: int | str = 0

    @property
    def columns(self) -> list[str]:
        return [column.name for column in self.report.columns]

    @property
    def tag(self) -> str:
        """The column that is most likely meant."""
        usual = FORMATS[self.report.format].usual_tag
        return usual if usual in self.columns else self.columns[-1]

    def column(self, name: str) -> Column | None:
        """A column by its name or, counted from the end, its negative number; None for one that was not looked at."""
        named = {column.name: column for column in self.report.columns}
        width = len(named) + 1
        return named.get(str(int(name) + width)) if name.startswith("-") and name[1:].isdecimal() else named.get(name)

    def lines(self) -> list[str]:
        """What was seen, for people."""
        report = self.report
        sizes = f"{counted(report.sentences, 'sentence')}, {counted(report.tokens, 'token')}"
        found = [f"{self.path}: {report.format}, {sizes}"]
        for column in report.columns:
            common = ", ".join(tag for tag, _ in column.tags.most_common(5))
            found.append(f"  column {column.name}: {common}  ({column.note})")
        if report.problem_count:
            line, problem = report.problems[0]
            place = f" in line {line}" if line else ""
            found.append(f"  {counted(report.problem_count, 'problem')}, the first{place}: {problem}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChoice:
    """One task as its user wants it; without ``dev`` files, a share of the training sentences is held out.

    Files are those that `find_file` finds below the directory ``data``.
    """

    name: str
    train: Sequence[Path]
    tag: str
    format: str = "auto"
    word: int | str = 0
    dev: Sequence[Path] = ()
    test: Sequence[Path] = ()
    holdout: float = HOLDOUT
    language: str = ""
    vectors: Path | None = None
    note: str = ""
    data: Path | None = None


def look(path: Path, *, format: str = "auto", word: int | str = 0) -> Seen:
    """Read a training file.

    Raises:
        CorpusError: it cannot be read, or has no tags beside the words.
    """
    report = check(path, format=format, word=word)
    if not report.columns:
        line, problem = report.problems[0] if report.problems else (0, "no column but the words")
        raise CorpusError(f"{problem}, expected words with tags", path=path, line=line)
    return Seen(path, report, word)


def guessed_name(seen: Seen, tag: str) -> str:
    """A name for the task of a column: pos, chunk or ner; for a key of CoNLL-U's MISC the key."""
    column = seen.column(tag)
    key = tag.rpartition(".")[2]
    if column is None and _is_name(key) and not key.isdecimal():
        return key
    if column is None or column.scheme == "plain":
        return "pos"
    types = {name.partition("-")[2] for name in column.tags}
    return "chunk" if types & _CHUNKS else "ner"


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
    if not _is_name(name):
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
    recipe: str = RECIPE,
    size: str | None = None,
) -> str:
    """A plan file that lies in ``directory``, checked; all tasks share characters, those of one language words too.

    Raises:
        PlanError: there is no such recipe or size, two tasks have one name, or a name or language cannot be used.
    """
    if recipe not in recipes():
        raise PlanError(f"there is no recipe '{recipe}'{nearest(recipe, recipes())}")
    if size is not None and size not in sizes():
        raise PlanError(f"there is no size '{size}'{nearest(size, sizes())}")
    for task in tasks:
        check_name(task.name)
        check_language(task.language)
    names = [task.name for task in tasks]
    if twice := [name for name in names if names.count(name) > 1]:
        raise PlanError(f"two tasks are named '{twice[0]}', expected names that differ")
    lines = ["# Written by polytag init. Tasks that name the same part share it: see 'polytag show' on this file.", ""]
    chosen = f"{_line('size', size)}  # one of" if size else "# size = " + '"small"  # or one of'
    lines += [f"{chosen} {', '.join(sizes())}; unless given the recipe's", ""]
    lines += ["[chars.shared]  # alphabet, character embedding and GRU", ""]
    for name in dict.fromkeys(task.language or ANY for task in tasks):
        lines += _words_part(name, [task for task in tasks if (task.language or ANY) == name], directory)
    for task in tasks:
        lines += _task(task, directory)
    lines += ["[training]", _line("recipe", recipe) + _described(recipes()), ""]
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


def _is_name(text: str) -> bool:
    return re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]*", text) is not None


def _words_part(name: str, tasks: Iterable[TaskChoice], directory: Path) -> list[str]:
    users = list(tasks)
    language = next((task.language for task in users if task.language), "")
    vectors = next((_in_plan(task.vectors, directory, task.data) for task in users if task.vectors), "")
    return [
        f"[words.{_key(name)}]  # word list, word embedding and GRU",
        _line("language", language) if language else '# language = "en"  # the code by which a server is asked for it',
        '# tokeniser = "unicode"  # what cuts text into words, in any language; spaCy\'s rules: "spacy:en"',
        _line("vectors", vectors) if vectors else '# vectors = "FILE"  # pretrained word vectors',
        "",
    ]


def _task(task: TaskChoice, directory: Path) -> list[str]:
    splits = {"train": task.train, "dev": task.dev, "test": task.test}
    files = {
        split: [_in_plan(path, directory, task.data) for path in paths] for split, paths in splits.items() if paths
    }
    column = f"columns = {{ word = {_value(task.word)}, tag = {_value(_place(task.tag))} }}"
    return [
        f"[tasks.{_key(task.name)}]",
        _line("chars", "shared"),
        _line("words", task.language or ANY),
        *(_line(split, paths[0] if len(paths) == 1 else paths) for split, paths in files.items()),
        *([] if task.dev else [_line("holdout", task.holdout) + "  # share of train that chooses the epoch"]),
        *([_line("format", task.format)] if task.format != "auto" else []),
        column + (f"  # {_printable(task.note)}" if task.note else ""),
        "",
    ]


def _described(known: Iterable[str]) -> str:
    return f"  # one of {', '.join(known)}; all that it sets: polytag show --all"


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


def _line(key: str, value: object) -> str:
    return tomli_w.dumps({key: value}).rstrip("\n")


def _key(name: str) -> str:
    """A name as TOML has it, for `make_plan` to judge."""
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else _value(name)


def _printable(note: str) -> str:
    """A note that may stand in a comment: tags can hold anything."""
    return "".join(character if character.isprintable() else "?" for character in " ".join(note.split()))


def _value(value: object) -> str:
    return _line("_", value).partition(" = ")[2]
