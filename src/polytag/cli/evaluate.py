"""``polytag evaluate``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from polytag.cli.options import best_for_option, data_option, device_option, precision_option

if TYPE_CHECKING:
    from polytag.corpus.sentence import Sentence
    from polytag.scoring import Counts
    from polytag.tagging import Tagger


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
@click.option(
    "--calibration", is_flag=True, help="Also say how far the probabilities of tags and spans can be believed."
)
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Also write a report, one HTML page.")
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
    html: Path | None,
    calibration: bool,
) -> None:
    """Score MODEL on the plan's test split, or on a file, as conlleval counts.

    Spans: precision, recall and F1 per type and overall; plain tags: accuracy. Words that no training file holds are
    also scored by themselves. The calibration error is how far a probability and the share of what was right with it
    are apart, on average over 15 bins (--json: with the bins).
    """
    from polytag.evaluation import sentences_to_score
    from polytag.reports import check_report
    from polytag.scoring import as_dict, table
    from polytag.tagging import Tagger

    if html is not None:
        check_report()
    tagger = Tagger.load(model, best_for=best_for, precision=precision, device=device)
    sentences = sentences_to_score(tagger, tasks=tasks, data_file=data_file, split=split, data=data)
    if html is None:
        counts = {task: tagger.evaluate(found, task, calibration=calibration) for task, found in sentences.items()}
    else:
        title = f"{model}: {data_file or f'{split} files'}"
        counts = _report(tagger, sentences, html, model=model, data=data, calibration=calibration, title=title)
    if as_json:
        click.echo(json.dumps({task: as_dict(found) for task, found in counts.items()}, indent=2, ensure_ascii=False))
        return
    for task, found in counts.items():
        click.echo(f"{task}:" if len(counts) > 1 else "", nl=len(counts) > 1)
        click.echo(table(found))


def _report(
    tagger: "Tagger",
    sentences: "dict[str, Iterator[Sentence]]",
    html: Path,
    *,
    model: Path,
    data: Path | None,
    calibration: bool,
    title: str,
) -> "dict[str, Counts]":
    """Write the report; the counts come from the same pass over the sentences."""
    from polytag.files import atomic_write
    from polytag.reports import report_cases, report_page
    from polytag.reports.training_curves import curves_of

    cases = report_cases(tagger, sentences, data=data)
    page = report_page(cases, title=title, curves=curves_of(model))
    with atomic_write(html) as file:
        file.write(page)
    return {task: found.counts(calibration=calibration) for task, found in cases.items()}
