"""``polytag audit``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.options import (
    PATH,
    data_option,
    directory_option,
    jobs_option,
    quiet_option,
    set_option,
    task_option,
)
from polytag.cli.outputs import check_directory

if TYPE_CHECKING:
    from polytag.auditing.suspects import Suspect


@click.command()
@click.argument("plan", type=PATH)
@directory_option("The directory for everything.", default=Path("audit"), show_default=True)
@click.option("--folds", type=click.IntRange(2), default=3, show_default=True, help="Trainings; each predicts a fold.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="How many suspects to print.")
@task_option("Audit")
@jobs_option
@data_option
@set_option
@quiet_option
def audit(plan: Path, output: Path, limit: int, quiet: bool, **options: Any) -> None:
    """Find training sentences of PLAN whose annotation is probably wrong.

    Trains small models, each on all training sentences but a fold, and ranks where they disagree with the annotation
    that they were not trained on. Writes audit.jsonl, a record for each finding with file and line, and audit.html, a
    page to browse them; also told: the same words annotated differently, and sentences that stand in training twice,
    or in dev or test files too. Called again, it goes on where it was interrupted.

    Example: polytag audit plan.toml --task ner
    """
    from polytag.auditing import audit as look
    from polytag.auditing.write import summary

    check_directory(output)
    done = look(plan, output=output, **options | ({} if quiet else {"say": _say}))
    for task, found in done.tasks.items():
        click.echo("\n".join(f"{task}: {line}" for line in summary(found)))
        for suspect in found.suspects[:limit]:
            click.echo(_told(task, suspect))
    click.echo(f"page: {done.page}\nrecords: {done.records}")


def _say(line: str) -> None:
    click.echo(line, err=True)


def _told(task: str, suspect: "Suspect") -> str:
    from polytag.auditing.write import suspect_as_json

    record = suspect_as_json(task, suspect)
    sides = [record["annotated"], record["predicted"]]
    said = [f"{' '.join(side['words'])} {side['label']}" if side else "none" for side in sides]
    line = "" if record["line"] is None else f":{record['line']}"
    return f"{record['suspicion']:.2f} {record['file']}{line}: {said[0]} -> {said[1]} ({record['kind']})"
