"""``polytag init``."""

import os
import shlex
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.options import ANNOTATED, PATH, data_option, from_option, output_option, tag_option, word_option
from polytag.errors import PolytagError

if TYPE_CHECKING:
    from polytag.initialise import Seen, Speed, TaskChoice


@click.command()
@output_option("The plan file to write.", default="plan.toml", show_default=True)
@click.option("--train", multiple=True, type=PATH, required=True, help="Training file (repeatable).")
@click.option("--dev", multiple=True, type=PATH, help="Development file (repeatable).")
@click.option("--test", multiple=True, type=PATH, help="Test file (repeatable).")
@click.option(
    "--holdout", type=click.FloatRange(0, 1, True, True), help="Share held out if there is no --dev.  [as fits]"
)
@from_option(ANNOTATED)
@word_option
@tag_option(
    "A task's name and the column or key of its tags (repeatable); unless given, the last column (conllu: upos), "
    "named pos, chunk or ner as its tags look."
)
@click.option("--language", metavar="CODE", help="Of the words, such as en; names their part.")
@click.option("--vectors", type=PATH, help="File of pretrained word vectors.")
@click.option(
    "--raw", multiple=True, type=PATH, metavar="TEXT",
    help="Text without labels (repeatable), of which the vectors are to be made: says with which command.",
)  # fmt: skip
@click.option("--size", help="Layers and units: small, medium or paper.  [as fits]")
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True),
    help="How long the training may take here: the speed is measured, size and epochs go by it (needs PyTorch).",
)  # fmt: skip
@data_option
@click.option("--force", is_flag=True, help="Overwrite the plan file.")
def init(
    output: Path, train: tuple[Path, ...], force: bool, size: str | None, minutes: float | None,
    **options: Any,
) -> None:  # fmt: skip
    """Write a plan for your files, with a task for each --tag; shows what is in them and chooses the rest.

    Size, epochs and what is held out for development go by the number of sentences and, with --minutes, by the speed of
    training on this machine; the plan says why.

    Example: polytag init --train eng.train --dev eng.testa --test eng.testb --tag ner=3 --language en -o ner.toml
    """
    from polytag.initialise import ANY, choose, plan_text, write_plan

    if output.exists() and not force:
        raise PolytagError(f"{output}: is there already; name another file with -o, or overwrite it with --force")
    for text in options["raw"]:
        if str(text) != "-":
            _existing(text, options["data"])
    if options["raw"]:
        options["vectors"] = options["vectors"] or output.parent / f"{options['language'] or ANY}.vec.gz"
        if options["vectors"].exists():
            click.echo(f"{options['vectors']}: is there already, and polytag vectors would write over it", err=True)
    vectors = options["vectors"] if options["raw"] else _existing(options["vectors"], options["data"])
    asked = {"dev": options["dev"], "test": options["test"], "language": options["language"] or "", "vectors": vectors}
    tasks, seen = tasks_of(train, options, **asked)
    write = partial(plan_text, tasks, directory=output.parent)
    words = sum(each.report.tokens for each in seen) * len(tasks)
    sentences = sum(each.report.sentences for each in seen)
    speed = partial(_speed, write, output.parent, options["data"], sentences, words)
    has_entities = any(task.has_entities for task in tasks)
    choice = choose(
        sentences, has_dev=bool(options["dev"]), size=size, has_entities=has_entities,
        has_capitals=any(each.report.has_capitals for each in seen),
        holdout=options["holdout"], minutes=minutes, speed=speed,
    )  # fmt: skip
    text = write(choice=choice)
    click.echo("\n".join(f"{key}: {why}" for key, why in choice.reasons.items()), err=True)
    write_plan(text, output, force=force)
    click.echo(f"{output}: {_what_next(output, has_entities=has_entities, **options)}")


def _speed(
    write: Callable[..., str], folder: Path, data: Path | None, sentences: int, words: int, size: str
) -> "Speed":
    """Measured, of one size, with all else as the plan will have it."""
    from polytag.initialise import Choice, Speed
    from polytag.plan_file import load_plan
    from polytag.training.speed import epochs_of, words_per_second

    tables = tomllib.loads(write(choice=Choice(size)))
    plan = load_plan({**tables, "search": [str(folder.resolve())]}, data=data)
    rate = words_per_second(plan)
    return Speed(rate, words / rate, epochs_of(plan, sentences))


def _what_next(
    output: Path, *, has_entities: bool, data: Path | None, raw: tuple[Path, ...], vectors: Path | None, **_: Any
) -> str:
    """The commands to go on with; those that raw text wants are among them."""
    is_told = data is None or os.environ.get("POLYTAG_DATA") == str(data)
    where = [] if is_told else ["--data", str(data)]
    texts, names = list(map(str, raw)), ["--consistent"] * has_entities
    commands = {
        "look at it with": ["show", str(output)],
        "make its vectors with": ["vectors", *texts, "-o", str(vectors), *where] if raw else [],
        "train with": ["train", str(output), "-o", "model", *where],
        "let the model tag the text with": ["distill", "model", *texts, *names, "-o", "distilled", *where]
        if raw
        else [],
        "learn from that too with": ["train", "distilled/plan.toml", "-o", "student", *where] if raw else [],
    }
    quoted = {does: shlex.join(["polytag", *words]) for does, words in commands.items() if words}
    mark = "`" if "'" in "".join(quoted.values()) else "'"
    return ", ".join(f"{does} {mark}{command}{mark}" for does, command in quoted.items())


def tasks_of(train: tuple[Path, ...], options: dict[str, Any], **more: Any) -> tuple[list["TaskChoice"], list["Seen"]]:
    """The tasks that options name, or the one that the files look like; tells what is in each training file.

    Raises:
        PolytagError: a file cannot be read so, or a name cannot be used.
    """
    from polytag.corpus.lookup import find_file
    from polytag.initialise import ENTITIES, TaskChoice, check_files, check_name, guessed_name, kind_of, look

    for name in options["tags"]:
        check_name(name)
    reading = {"format": options["source_format"], "word": options["word"]}
    files = [look(find_file(path, options["data"]), **reading) for path in train]
    click.echo("\n".join(line for each in files for line in each.lines()), err=True)
    seen = files[0]
    places = {name: str(place) for name, place in options["tags"].items()} or {guessed_name(seen, seen.tag): seen.tag}
    tasks = []
    for name, tag in places.items():
        column = seen.column(tag)
        found: dict[str, Any] = {"note": column.note, "has_entities": kind_of(column) == ENTITIES} if column else {}
        tasks.append(TaskChoice(name=name, train=train, tag=tag, data=options["data"], **found, **reading, **more))
        check_files(tasks[-1])
    return tasks, files


def _existing(path: Path | None, data: Path | None) -> Any:
    from polytag.corpus.lookup import find_file

    if path is not None and not find_file(path, data).exists():
        raise PolytagError(f"{path}: no such file")
    return path
