"""``polytag init``."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from polytag.cli.options import ANNOTATED, PATH, data_option, from_option, output_option, tag_option, word_option
from polytag.errors import PolytagError

if TYPE_CHECKING:
    from polytag.initialise import Seen, TaskChoice

SEVERAL = "several parted by blanks; a name with blanks in quotes"

T = TypeVar("T")


@click.command()
@output_option("The plan file to write.", default="plan.toml", show_default=True)
@click.option("--train", multiple=True, type=PATH, help="Training file (repeatable); with it nothing is asked.")
@click.option("--dev", multiple=True, type=PATH, help="Development file (repeatable).")
@click.option("--test", multiple=True, type=PATH, help="Test file (repeatable).")
@click.option("--holdout", type=click.FloatRange(0, 1, True, True), help="Share held out if there is no --dev.  [0.1]")
@from_option(ANNOTATED)
@word_option
@tag_option(
    "A task's name and the column or key of its tags (repeatable); unless given, the last column (conllu: upos), "
    "named pos, chunk or ner as its tags look."
)
@click.option("--language", metavar="CODE", help="Of the words, such as en; names their part.")
@click.option("--vectors", type=PATH, help="File of pretrained word vectors.")
@click.option("--recipe", help="Table of training defaults: paper, authors, best, ...  [best]")
@data_option
@click.option("--force", is_flag=True, help="Overwrite the plan file.")
def init(output: Path, train: tuple[Path, ...], recipe: str | None, force: bool, **options: Any) -> None:
    """Write a plan for your files: asks for them, shows what is in them, and proposes the rest.

    With --train nothing is asked, and the plan has a task for each --tag.

    Example: polytag init --train eng.train --dev eng.testa --test eng.testb --tag ner=3 --language en -o ner.toml
    """
    from polytag.initialise import RECIPE, plan_text, write_plan

    if output.exists() and not force:
        raise PolytagError(f"{output}: is there already; name another file with -o, or overwrite it with --force")
    share: dict[str, bool] = {}
    if train:
        tasks = _given(train, options)
    else:
        if wrong := [name for name in ("dev", "test", "tags", "language", "vectors") if options[name]]:
            option = wrong[0].replace("tags", "tag")
            raise click.UsageError(f"--{option} goes with --train; without it everything is asked")
        tasks = _asked(options)
        share = _asked_sharing(tasks)
        recipe = recipe or _asked_recipe(RECIPE)
    write_plan(plan_text(tasks, directory=output.parent, recipe=recipe or RECIPE, **share), output, force=force)
    click.echo(f"{output}: {_what_next(output, options['data'])}")


def _what_next(output: Path, data: Path | None) -> str:
    """Two commands to go on with."""
    plan = shlex.quote(str(output))
    is_told = data is None or os.environ.get("POLYTAG_DATA") == str(data)
    where = "" if is_told else f" --data {shlex.quote(str(data))}"
    mark = "`" if "'" in plan + where else "'"
    show, train = (f"{mark}polytag {words}{mark}" for words in (f"show {plan}", f"train {plan} -o model{where}"))
    return f"look at it with {show}, train with {train}"


def _given(train: tuple[Path, ...], options: dict[str, Any]) -> list["TaskChoice"]:
    """The tasks that options name, or the one that the files look like."""
    from polytag.corpus.lookup import find_file
    from polytag.initialise import check_language, check_name, guessed_name, look

    for name in options["tags"]:
        check_name(name)
    check_language(options["language"] or "")
    data = options["data"]
    seen = look(find_file(train[0], data), format=options["source_format"], word=options["word"])
    _show(seen)
    tags = {name: str(place) for name, place in options["tags"].items()} or {guessed_name(seen, seen.tag): seen.tag}
    return [_given_task(seen, train, name, tag, options) for name, tag in tags.items()]


def _given_task(seen: "Seen", train: tuple[Path, ...], name: str, tag: str, options: dict[str, Any]) -> "TaskChoice":
    from polytag.initialise import HOLDOUT, TaskChoice, check_files

    task = TaskChoice(
        name=name,
        train=train,
        tag=tag,
        format=options["source_format"],
        word=options["word"],
        dev=options["dev"],
        test=options["test"],
        holdout=options["holdout"] or HOLDOUT,
        language=options["language"] or "",
        vectors=_existing(options["vectors"], options["data"]),
        note=_note(seen, tag),
        data=options["data"],
    )
    check_files(task)
    return task


def _asked(options: dict[str, Any]) -> list["TaskChoice"]:
    """Task after task, each file looked at as soon as it is named."""
    tasks: list[TaskChoice] = []
    while not tasks or click.confirm("Another task, of the same or of another language?", default=False, err=True):
        tasks.append(_asked_task(options, tasks))
    return tasks


def _asked_task(options: dict[str, Any], before: list["TaskChoice"]) -> "TaskChoice":
    from polytag.initialise import HOLDOUT, TaskChoice, guessed_name

    read_as = {"format": options["source_format"], "word": options["word"], "data": options["data"]}
    train, seen = _ask(f"Training file ({SEVERAL})", "", lambda answer: _training(answer, read_as))
    _show(seen)

    def with_tags(answer: str) -> tuple[Path, ...]:
        return _with_tags(_files(answer, options["data"]), tag, name, read_as)

    question = f"Which column holds the tags ({', '.join(seen.columns)})"
    tag = _ask(question, seen.tag, lambda answer: _tag(train, answer, read_as))
    name = _ask("Name of the task", _new_name(guessed_name(seen, tag), before), lambda answer: _name(answer, before))
    dev = _ask(f"Development file (none: hold out a share of the training sentences; {SEVERAL})", "", with_tags)
    test = _ask(f"Test file (none: leave out; {SEVERAL})", "", with_tags)
    share = click.FloatRange(0, 1, True, True)
    holdout = HOLDOUT if dev else click.prompt("Share to hold out", HOLDOUT, type=share, err=True)
    known = before[-1].language if before else ""
    language = _ask("Code of the language, such as en (none: leave out)", known, _language)
    vectors = _ask(
        "File of pretrained word vectors (none: leave out; a name with blanks in quotes)",
        "",
        lambda answer: _one_file(answer, options["data"]),
    )
    return TaskChoice(
        name=name, train=train, tag=tag, **read_as, dev=dev, test=test, holdout=holdout, language=language,
        vectors=vectors, note=_note(seen, tag),
    )  # fmt: skip


def _asked_sharing(tasks: list["TaskChoice"]) -> dict[str, bool]:
    """Which parts several tasks name in common."""
    share = {}
    if len({task.language for task in tasks}) < len(tasks):
        share["share_words"] = click.confirm("Do tasks of one language share their words part?", default=True, err=True)
    if len(tasks) > 1:
        share["share_characters"] = click.confirm("Do all tasks share their characters?", default=True, err=True)
    return share


def _asked_recipe(default: str) -> str:
    from polytag.initialise import check_recipe
    from polytag.plan_file import recipes

    return _ask(f"Recipe ({', '.join(recipes())})", default, check_recipe)


def _new_name(name: str, before: list["TaskChoice"]) -> str:
    taken = {task.name for task in before}
    return next(new for new in (name, *(f"{name}-{number}" for number in range(2, 99))) if new not in taken)


def _ask(question: str, default: str, value_of: Callable[[str], T]) -> T:
    """What ``value_of`` makes of the answer; where it raises, that is said and the question asked again."""

    def value(answer: str) -> T:
        try:
            return value_of(answer.strip())
        except PolytagError as error:
            raise click.UsageError(str(error)) from error
        except OSError as error:  # a name too long, a directory that may not be read
            raise click.UsageError(f"{error.filename or answer}: {error.strerror or error}") from error

    try:
        answer: T = click.prompt(question, default, show_default=bool(default), value_proc=value, err=True)
    except click.Abort as error:
        if isinstance(error.__context__, EOFError):
            raise click.UsageError(
                "standard input ended before all was answered; with --train nothing is asked"
            ) from None
        raise
    return answer


def _training(answer: str, read_as: dict[str, Any]) -> tuple[tuple[Path, ...], "Seen"]:
    """The training files, each with a column that all have, and what is in the first."""
    from polytag.corpus.lookup import find_file
    from polytag.initialise import look

    data = read_as["data"]
    if not (paths := _files(answer, data)):
        raise PolytagError("no file named, expected at least one")
    format_, word = read_as["format"], read_as["word"]
    first, *others = (look(find_file(path, data), format=format_, word=word) for path in paths)
    for other in others:
        if not set(first.columns) & set(other.columns):
            raise PolytagError(f"{other.path}: none of the columns {', '.join(first.columns)} of {first.path}")
    return paths, first


def _with_tags(paths: tuple[Path, ...], tag: str, name: str, read_as: dict[str, Any]) -> tuple[Path, ...]:
    from polytag.initialise import TaskChoice, check_files

    check_files(TaskChoice(name=name, train=paths, tag=tag, **read_as))
    return paths


def _tag(train: tuple[Path, ...], answer: str, read_as: dict[str, Any]) -> str:
    _with_tags(train, answer, "tags", read_as)
    return answer


def _language(answer: str) -> str:
    from polytag.initialise import check_language

    return check_language(answer)


def _name(answer: str, before: list["TaskChoice"]) -> str:
    from polytag.initialise import check_name

    if answer in {task.name for task in before}:
        raise PolytagError(f"a task is named '{answer}' already, expected another name")
    return check_name(answer)


def _one_file(answer: str, data: Path | None) -> Path | None:
    paths = _files(answer, data)
    if len(paths) > 1:
        raise PolytagError(f"{len(paths)} files, expected one or none")
    if paths and paths[0].is_dir():
        raise PolytagError(f"{paths[0]}: is a directory, expected a file")
    return paths[0] if paths else None


def _files(answer: str, data: Path | None) -> tuple[Path, ...]:
    try:
        names = shlex.split(answer)
    except ValueError as error:
        raise PolytagError(f"file names: {error}, expected them parted by blanks") from error
    return tuple(_existing(Path(name), data) for name in names)


def _existing(path: Path | None, data: Path | None) -> Any:
    from polytag.corpus.lookup import find_file

    if path is not None and not find_file(path, data).exists():
        raise PolytagError(f"{path}: no such file")
    return path


def _show(seen: "Seen") -> None:
    click.echo("\n".join(seen.lines()), err=True)


def _note(seen: "Seen", tag: str) -> str:
    column = seen.column(tag)
    return column.note if column else ""
