"""``polytag evaluate``."""

import json
from pathlib import Path

import click

from polytag.cli.options import best_for_option, data_option, device_option, precision_option


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--task", "tasks", multiple=True, help="Score this task only (repeatable).")
@click.option("--data-file", type=click.Path(path_type=Path), help="Score on this file, read as the task's files are.")
@click.option(
    "--split", type=click.Choice(["test", "dev"]), default="test", show_default=True, help="Which of the plan's files."
)
@data_option
@best_for_option
@precision_option("float32")
@device_option
@click.option("--json", "as_json", is_flag=True, help="Numbers for machines.")
def evaluate(
    model: Path,
    tasks: tuple[str, ...],
    data_file: Path | None,
    split: str,
    data: Path | None,
    best_for: str | None,
    precision: str,
    device: str,
    as_json: bool,
) -> None:
    """Score MODEL on the plan's test split, or on a file, as conlleval counts.

    Spans: precision, recall and F1 per type and overall; plain tags: accuracy. Words that no training file holds are
    also scored by themselves.
    """
    from polytag.evaluation import evaluate as evaluate_model
    from polytag.scoring import as_dict, table

    counts = evaluate_model(
        model, tasks=tasks, data_file=data_file, split=split, data=data, best_for=best_for, precision=precision,
        device=device,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps({task: as_dict(found) for task, found in counts.items()}, indent=2, ensure_ascii=False))
        return
    for task, found in counts.items():
        click.echo(f"{task}:" if len(counts) > 1 else "", nl=len(counts) > 1)
        click.echo(table(found))
