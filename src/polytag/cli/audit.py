"""``polytag audit``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.options import (
    ANNOTATED,
    PATH,
    data_option,
    directory_option,
    from_option,
    jobs_option,
    quiet_option,
    set_option,
    tag_option,
    task_option,
    word_option,
)
from polytag.cli.outputs import check_directory
from polytag.errors import PolytagError

if TYPE_CHECKING:
    from polytag.auditing.suspects import Suspect


@click.command()
@click.argument("files", nargs=-1, type=PATH, required=True, metavar="PLAN|FILES...")
@directory_option("The directory for everything.", default=Path("audit"), show_default=True)
@click.option("--folds", type=click.IntRange(2), default=3, show_default=True, help="Trainings; each predicts a fold.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="How many suspects to print.")
@task_option("Audit")
@from_option(ANNOTATED)
@word_option
@tag_option("A task of FILES, and the column or key of its tags (repeatable); as polytag init does if absent.")
@jobs_option
@data_option
@set_option
@quiet_option
def audit(
    files: tuple[Path, ...], output: Path, limit: int, quiet: bool,
    source_format: str, word: int | str, tags: dict[str, int | str], **options: Any,
) -> None:  # fmt: skip
    """Find sentences whose annotation is probably wrong: of the training files of PLAN, a .toml, or of FILES.

    Trains small models, each on all training sentences but a fold, and ranks where they disagree with the annotation
    that they were not trained on. Writes audit.jsonl, a record for each finding with file and line, and audit.html, a
    page to browse them; also told: the same words annotated differently, and sentences that stand in training twice,
    or in dev or test files too. Called again, it goes on where it was interrupted.

    For FILES a plan is written into the directory, as polytag init writes one.

    Example: polytag audit plan.toml --task ner

    Example: polytag audit news.conll --set training.epochs=5
    """
    from polytag.auditing import audit as look
    from polytag.auditing.write import summary

    check_directory(output)
    reading = {"source_format": source_format, "word": word, "tags": tags, "data": options["data"]}
    plan = _plan(files, output, reading)
    done = look(plan, output=output, **options | ({} if quiet else {"say": _say}))
    for task, found in done.tasks.items():
        for line, first in ((line, of[:1]) for line, of in summary(found).items()):
            click.echo(": ".join([task, line, *first]))
        for suspect in found.suspects[:limit]:
            click.echo(_told(task, suspect))
    click.echo(f"page: {done.page}\nrecords: {done.records}")


def _plan(files: tuple[Path, ...], output: Path, options: dict[str, Any]) -> Path:
    """The plan that is named, or one that is made of annotated files."""
    from polytag.cli.init import tasks_of
    from polytag.corpus.lookup import find_file
    from polytag.initialise import plan_text, write_plan

    plans = [path for path in files if path.suffix == ".toml"]
    if plans and (len(files) > 1 or options["tags"] or options["word"] or options["source_format"] != "auto"):
        raise click.UsageError(
            f"{plans[0]}: a plan names its files and columns itself, expected nothing said of others"
        )
    if plans:
        return plans[0]
    tasks, _ = tasks_of(tuple(find_file(path, options["data"]).absolute() for path in files), options)
    plan, text = output / "plan.toml", plan_text([replace(task, note="") for task in tasks], directory=output)
    if not plan.exists():
        output.mkdir(parents=True, exist_ok=True)
        write_plan(text, plan)
    elif plan.read_text(encoding="utf-8") != text:
        raise PolytagError(f"{plan}: is there already, and of other files or options; name another directory with -o")
    return plan


def _say(line: str) -> None:
    click.echo(line, err=True)


def _told(task: str, suspect: "Suspect") -> str:
    from polytag.auditing.write import suspect_as_json
    from polytag.reports.cases import place

    record = suspect_as_json(task, suspect)
    sides = [record["annotated"], record["predicted"]]
    said = [f"{' '.join(side['words'])} {side['label']}" if side else "none" for side in sides]
    at = place(record["file"], record["line"])
    return f"{record['suspicion']:.2f} {at}: {said[0]} -> {said[1]} ({record['kind']})"
