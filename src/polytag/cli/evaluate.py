"""``polytag evaluate``."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.options import consistent_option, html_option, scoring_options
from polytag.cli.outputs import tell, write_page
from polytag.files import json_text

if TYPE_CHECKING:
    from polytag.corpus.notes import Notes
    from polytag.scoring import Counts
    from polytag.tagger.evaluation import Evaluation


@click.command()
@scoring_options("Score", split="test", preposition="on")
@click.option(
    "--calibration", is_flag=True, help="Also say how far the probabilities of tags and spans can be believed."
)
@click.option(
    "--operating-points", is_flag=True, help="Show precision and recall of spans over tag's --min-probability instead."
)
@click.option(
    "--wanted-precision", metavar="PERCENT", type=click.FloatRange(0, 100),
    help="The same, and the probability that gives this precision on the dev split.",
)  # fmt: skip
@click.option("--familiarity", is_flag=True, help="Also say how well the model knows the text, beside its dev split.")
@consistent_option("in the files (about 262,144 words at a time)")
@html_option
def evaluate(
    model: Path,
    data_file: Path | None,
    data: Path | None,
    split: str,
    as_json: bool,
    calibration: bool,
    operating_points: bool,
    wanted_precision: float | None,
    familiarity: bool,
    html: Path | None,
    **options: Any,
) -> None:
    """Score MODEL on the plan's test split, or on a file, as conlleval counts.

    Spans: precision, recall and F1 per type and overall; plain tags: accuracy. Words that no training file holds are
    also scored by themselves. The calibration error is how far a probability and the share of what was right with it
    are apart, on average over 15 bins (--json: with the bins).
    """
    from polytag.corpus.lookup import find_file
    from polytag.corpus.notes import Notes
    from polytag.model.report_file import recorded
    from polytag.reports.chart import check_matplotlib
    from polytag.reports.page import check_jinja
    from polytag.tagger.evaluation import Evaluation

    if html is not None:
        check_jinja()
        check_matplotlib()
    data_file = data_file and find_file(data_file, data)
    notes = Notes()
    evaluation = Evaluation.of(model, data_file=data_file, data=data, split=split, notes=notes, **options)
    if operating_points or wanted_precision is not None:
        if calibration or as_json or html is not None:
            raise click.UsageError("operating points are a table of their own: no --calibration, --json or --html")
        click.echo("\n".join(_operating(evaluation, wanted_precision, data=data, notes=notes)))
        tell(notes)
        return
    if html is None:
        counts = evaluation.counts(calibration=calibration or familiarity)
    else:
        title = f"{model}: {data_file or f'{split} files'}{', consistent names' * bool(evaluation.consistent)}"
        counts = _report(evaluation, html, model=model, data=data, calibration=calibration or familiarity, title=title)
    tell(notes)
    for sentence in (*evaluation.lacking(counts), *evaluation.unlike(counts, every=familiarity)):
        click.echo(sentence, err=True)
    click.echo(_numbers(counts) if as_json else _tables(counts))
    for step in evaluation.next_steps(counts, recorded(model).examples):
        click.echo(f"next: {step}", err=True)


def _operating(evaluation: "Evaluation", wanted: float | None, *, data: Path | None, notes: "Notes") -> Iterator[str]:
    from polytag.tagger.evaluation import sentences_to_score
    from polytag.tagger.operating import OperatingPoints

    tagger, spans = evaluation.tagger, evaluation.tagger.span_tasks()
    for task, sentences in evaluation.sentences.items():
        if task not in spans:
            yield f"{task}: its tags are no spans"
            continue
        consistent = task in evaluation.consistent
        points = OperatingPoints.of(tagger, sentences, task, consistent=consistent)
        yield from (f"{task}:", *points.table())
        if wanted is not None:
            dev = sentences_to_score(tagger, tasks=[task], split="dev", data=data, notes=notes)[task]
            least = OperatingPoints.of(tagger, dev, task, consistent=consistent).least_for(wanted)
            if least is None:
                yield f"no probability gives {wanted:g} % precision on dev"
            else:
                found = points.at(least)
                rates = f"{found.precision:.2f} % precision and {found.recall:.2f} % recall here"
                yield f"{wanted:g} % precision on dev: --min-probability {least:.6g}, which gives {rates}"


def _numbers(counts: "dict[str, Counts]") -> str:
    from polytag.scoring import as_dict

    return json_text({task: as_dict(found) for task, found in counts.items()})


def _tables(counts: "dict[str, Counts]") -> str:
    from polytag.scoring import table

    return "\n".join((f"{task}:\n" if len(counts) > 1 else "") + table(found) for task, found in counts.items())


def _report(
    evaluation: "Evaluation", html: Path, *, model: Path, data: Path | None, calibration: bool, title: str
) -> "dict[str, Counts]":
    """Write the report; the counts come from the same pass over the sentences."""
    from polytag.reports import report_cases, report_page
    from polytag.reports.training_curves import curves_of

    cases = report_cases(evaluation.tagger, evaluation.sentences, data=data, consistent=evaluation.consistent)
    page = report_page(cases, title=title, curves=curves_of(model))
    write_page(html, page)
    return {task: found.counts(calibration=calibration) for task, found in cases.items()}
