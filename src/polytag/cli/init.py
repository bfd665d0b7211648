"""``polytag init``."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.data import FORMATS
from polytag.errors import PolytagError

if TYPE_CHECKING:
    from polytag.initialise import Seen, TaskChoice

FILES = click.Path(path_type=Path)


@click.command()
@click.option("--output", "-o", type=FILES, default="plan.toml", show_default=True, help="The plan file to write.")
@click.option("--train", multiple=True, type=FILES, help="Training file (repeatable); with it nothing is asked.")
@click.option("--dev", multiple=True, type=FILES, help="Development file (repeatable).")
@click.option("--test", multiple=True, type=FILES, help="Test file (repeatable).")
@click.option("--holdout", type=click.FloatRange(0, 1, True, True), help="Share held out if there is no --dev.  [0.1]")
@click.option("--format", "format_", type=FORMATS, default="auto", show_default=True, help="How the files are written.")
@click.option("--word", default=0, show_default=True, help="Column of the words (conll).")
@click.option("--tag-column", help="Column or key of the tags; the last one unless given (conllu: upos).")
@click.option("--name", help="Name of the task; pos, chunk or ner, as its tags look, unless given.")
@click.option("--language", metavar="CODE", help="Of the words, such as en: splits raw text, and names their part.")
@click.option("--vectors", type=FILES, help="File of pretrained word vectors.")
@click.option("--recipe", help="Table of training defaults: paper, authors, best, ...  [best]")
@click.option("--force", is_flag=True, help="Overwrite the plan file.")
def init(output: Path, train: tuple[Path, ...], recipe: str | None, force: bool, **options: Any) -> None:
    """Write a plan for your files: asks for them, shows what is in them, and proposes the rest.

    With --train nothing is asked, and the plan has one task.

    Example: polytag init --train eng.train --dev eng.testa --test eng.testb --language en -o ner.toml
    """
    from polytag.initialise import RECIPE, look, plan_text, write_plan

    if output.exists() and not force:
        raise PolytagError(f"{output}: is there already; name another file with -o, or overwrite it with --force")
    share: dict[str, bool] = {}
    if train:
        seen = look(train[0], format=options["format_"], word=options["word"])
        tasks = [_given(seen, train, options)]
    else:
        if wrong := [name for name in ("dev", "test", "tag_column", "name", "language", "vectors") if options[name]]:
            raise click.UsageError(f"--{wrong[0].replace('_', '-')} goes with --train; without it everything is asked")
        tasks = _asked(options)
        share = _asked_sharing(tasks)
        recipe = recipe or _asked_recipe(RECIPE)
    write_plan(plan_text(tasks, directory=output.parent, recipe=recipe or RECIPE, **share), output, force=force)
    click.echo(f"{output}: look at it with 'polytag show {output}', train with 'polytag train {output} -o model'")


def _given(seen: "Seen", train: tuple[Path, ...], options: dict[str, Any]) -> "TaskChoice":
    from polytag.initialise import HOLDOUT, TaskChoice, check_files, guessed_name

    _show(seen)
    tag = options["tag_column"] or seen.tag
    task = TaskChoice(
        name=options["name"] or guessed_name(seen, tag),
        train=train,
        tag=tag,
        format=options["format_"],
        word=options["word"],
        dev=options["dev"],
        test=options["test"],
        holdout=options["holdout"] or HOLDOUT,
        language=options["language"] or "",
        vectors=_existing(options["vectors"]),
        note=_note(seen, tag),
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
    from polytag.initialise import HOLDOUT, TaskChoice, check_files, guessed_name, look

    train = _files("Training file (several parted by blanks)")
    while not train:
        train = _files("Training file (several parted by blanks)")
    seen = look(train[0], format=options["format_"], word=options["word"])
    _show(seen)
    tag = _prompt(f"Which column holds the tags ({', '.join(seen.columns)})", seen.tag)
    name = _prompt("Name of the task", _new_name(guessed_name(seen, tag), before))
    dev = _files("Development file (none: hold out a share of the training sentences)")
    task = TaskChoice(
        name=name,
        train=train,
        tag=tag,
        format=options["format_"],
        word=options["word"],
        dev=dev,
        test=_files("Test file (none: leave out)"),
        holdout=HOLDOUT if dev else click.prompt("Share to hold out", HOLDOUT, type=float, err=True),
        language=_prompt("Code of the language, such as en (none: leave out)", before[-1].language if before else ""),
        vectors=_existing(next(iter(_files("File of pretrained word vectors (none: leave out)")), None)),
        note=_note(seen, tag),
    )
    check_files(task)
    return task


def _asked_sharing(tasks: list["TaskChoice"]) -> dict[str, bool]:
    """Which parts several tasks name in common."""
    share = {}
    if len({task.language for task in tasks}) < len(tasks):
        share["share_words"] = click.confirm("Do tasks of one language share their words part?", default=True, err=True)
    if len(tasks) > 1:
        share["share_characters"] = click.confirm("Do all tasks share their characters?", default=True, err=True)
    return share


def _asked_recipe(default: str) -> str:
    from polytag.plan_file import recipes

    known = ", ".join(recipes())
    return _prompt(f"Recipe ({known})", default)


def _new_name(name: str, before: list["TaskChoice"]) -> str:
    taken = {task.name for task in before}
    return next(new for new in (name, *(f"{name}-{number}" for number in range(2, 99))) if new not in taken)


def _prompt(question: str, default: str) -> str:
    answer: str = click.prompt(question, default, show_default=bool(default), err=True)
    return answer.strip()


def _files(question: str) -> tuple[Path, ...]:
    try:
        return tuple(_existing(Path(name)) for name in shlex.split(_prompt(question, "")))
    except ValueError as error:
        raise PolytagError(f"file names: {error}, expected them parted by blanks") from error


def _existing(path: Path | None) -> Any:
    if path is not None and not path.exists():
        raise PolytagError(f"{path}: no such file")
    return path


def _show(seen: "Seen") -> None:
    click.echo("\n".join(seen.lines()), err=True)


def _note(seen: "Seen", tag: str) -> str:
    column = seen.column(tag)
    return column.note if column else ""
