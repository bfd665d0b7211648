"""``polytag compare``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.options import (
    PATH,
    data_file_options,
    data_option,
    html_option,
    json_option,
    precision_option,
    split_option,
    threads_option,
)
from polytag.cli.outputs import tell, write_page
from polytag.files import json_text

if TYPE_CHECKING:
    from polytag.reports import Comparison


@click.command()
@click.argument("a", type=PATH)
@click.argument("b", type=PATH)
@click.option("--task", metavar="NAME", help="The task to compare; NAME:OTHER where model B calls it OTHER.")
@data_file_options("Compare on", "A's")
@split_option("test", "A's")
@data_option
@click.option(
    "--best-for",
    metavar="TASK",
    help="Use the weights kept for this task; TASK:OTHER for others of B, TASK: for A alone.",
)
@precision_option
@threads_option
@click.option("--limit", type=click.IntRange(0), default=10, show_default=True, help="How many sentences to print.")
@html_option
@json_option
def compare(
    a: Path,
    b: Path,
    data_file: Path | None,
    data: Path | None,
    limit: int,
    html: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare the models A and B on the same sentences.

    Shows their scores, whether the difference is more than chance (approximate randomisation over sentences, and an
    interval from random samples of them), and the sentences where they differ. Tags of different schemes are compared
    as the spans that they mark. --map also reads what B says, of labels that A has not.
    """
    from polytag.corpus.lookup import find_file
    from polytag.corpus.notes import Notes
    from polytag.reports import comparison_page
    from polytag.reports.page import check_jinja
    from polytag.reports.two_models import compare as compare_models

    if html is not None:
        check_jinja()
    notes = Notes()
    found = compare_models(a, b, data_file=data_file and find_file(data_file, data), data=data, notes=notes, **options)
    tell(notes)
    for name, sentence in found.lacking.items():
        click.echo(f"{name}: {sentence}", err=True)
    if html is not None:
        write_page(html, comparison_page(found, names=(str(a), str(b))))
    click.echo(json_text(_numbers(found)) if as_json else f"A: {a}\nB: {b}\n{found}")
    if not as_json:
        for line in _sentences(found, limit):
            click.echo(line)


def _sentences(found: "Comparison", limit: int) -> list[str]:
    """The first sentences where the models differ, spans in brackets."""
    from polytag.reports.comparison import VERDICTS, rows

    lines = []
    for difference in found.differences[:limit]:
        lines += ["", f"{difference.a.place}: {VERDICTS[difference.verdict]}"]
        for name, segments in rows(difference, plain=found.plain):
            words = (f"[{s.text}]{s.type}" if s.type else s.text for s in segments)
            lines.append(f"  {name:<5} {' '.join(words)}")
    more = len(found.differences) - limit
    return [*lines, "", f"... and {more:,} more sentences (--limit, --html)"] if more > 0 and limit else lines


def _numbers(found: "Comparison") -> dict[str, Any]:
    whole = {line.name.lower(): line for line in (found.precision, found.recall, found.score)}
    return {
        "task": found.task,
        "metric": found.metric.lower(),
        "sentences": found.sentences,
        "difference": found.interval.value,
        "interval": [found.interval.low, found.interval.high],
        "p": found.probability,
        "scores": {name: {"a": line.a, "b": line.b} for name, line in whole.items()},
        "types": {line.name: {"a": line.a, "b": line.b, "gold": line.gold} for line in found.types},
        "sentences_that_differ": len(found.differences),
        "right": found.verdicts,
    }
