"""``polytag show``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polytag.cli.options import PATH, data_option, set_option
from polytag.tokenisers import UNICODE

if TYPE_CHECKING:
    from polytag.plan import Plan

OUTPUTS = {"crf": "CRF", "softmax": "softmax"}


@click.command()
@click.argument("plan", type=PATH)
@data_option
@set_option
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Every setting with its meaning, all defaults written out, as a plan file.",
)
def show(plan: Path, data: Path | None, settings: tuple[str, ...], everything: bool) -> None:
    """Show the parts of PLAN (a plan file, a model directory or a packed model), who shares them, and their sizes."""
    from polytag.model.hub import is_of_hub
    from polytag.model.packed import is_packed
    from polytag.plan.commented import commented
    from polytag.plan_file import load_plan

    if plan.is_dir() or is_packed(plan) or is_of_hub(plan):
        if settings:
            raise click.UsageError(f"--set {settings[0]}: {plan} is a model, whose settings cannot change any more")
        _show_model(plan, everything=everything)
        return
    checked = load_plan(plan, data=data, settings=settings)
    click.echo(commented(checked.to_dict()) if everything else "\n".join(_parts(checked, {}, _schemes(checked))))


def _show_model(path: Path, *, everything: bool) -> None:
    from polytag.model import load_model
    from polytag.model.report_file import recorded
    from polytag.plan.commented import commented

    model = load_model(path)
    plan, vocabularies = model.plan, model.vocabularies
    if everything:
        click.echo(commented(plan.to_dict()))
        return
    sizes, schemes = {}, {}
    for name, vocabulary in vocabularies.tags.items():
        schemes[name] = "plain tags" if vocabulary.plain else f"{plan.tags[name].scheme} tags"
    for kind, unit in (("chars", "characters"), ("words", "words"), ("tags", "tags")):
        for name, vocabulary in getattr(vocabularies, kind).items():
            weights = sum(array.size for array in model.part(f"{kind}.{name}").values())
            sizes[f"{kind}.{name}"] = f"{len(vocabulary):,} {unit}, {weights:,} weights"
    scores: dict[str, list[str]] = {}
    report = recorded(path)
    for task, split, metric, score in report.rows:
        scores.setdefault(task, []).append(f"{split} {metric} {score:.2f}{report.said_of(split)}")
    lines = [f"{task}: {', '.join(found)}" for task, found in scores.items()]
    if model.precision != "float32":
        lines.insert(0, f"{'precision':<24} {model.precision}")
    click.echo("\n".join([*_parts(plan, sizes, schemes), *lines]))


def _schemes(plan: "Plan") -> dict[str, str]:
    """What the tags of each part are, as far as the plan says it: the files may, when they are read."""
    found = {}
    for name, settings in plan.tags.items():
        declared = {plan.tasks[task].scheme for task in plan.users("tags", name)}
        spans = f"{settings.scheme} for spans" if "auto" in declared else f"{settings.scheme} tags"
        found[name] = "plain tags" if declared == {"plain"} else spans
    return found


def _parts(plan: "Plan", sizes: dict[str, str], schemes: dict[str, str]) -> list[str]:
    """One line per part: its shape and the tasks that use it."""
    shapes: dict[str, Callable[[Any], str]] = {
        "chars": lambda s: f"{s.dimension} -> {s.layers} x {s.hidden} x 2, {s.cell}",
        "words": lambda s: (
            f"{s.dimension if s.embedding else 'no embedding'} -> {s.layers} x {s.hidden} x 2, {s.cell}"
            f"{f', language {s.language}' if s.language else ''}"
            f"{f', tokeniser {s.tokeniser}' if s.tokeniser != UNICODE else ''}"
        ),
        "tags": lambda s: (
            f"{', constrained' * s.constrained}{', gazetteer' * bool(s.gazetteer)}{', features' * s.features}"
            f"{f', reads layer {s.layer}' if s.layer else ''}"
        ),
    }
    lines = []
    for kind, shape in shapes.items():
        for name, settings in getattr(plan, kind).items():
            users = plan.users(kind, name)
            sharing = f"shared by {', '.join(users)}" if len(users) > 1 else f"used by {users[0]}"
            size = f"; {sizes[f'{kind}.{name}']}" if f"{kind}.{name}" in sizes else ""
            scheme = f"{OUTPUTS[settings.output]}, {schemes[name]}" if kind == "tags" else ""
            lines.append(f"{f'{kind}.{name}':<24} {scheme}{shape(settings)}{size}; {sharing}")
    training, size = plan.training, f", size {plan.size}" if plan.size else ""
    lines.append(
        f"{'training':<24} recipe {training.recipe}{size}: {training.optimizer} {training.learning_rate}, "
        f"epochs {training.epochs}, batches of {training.batch_sentences}"
        + ", refit on train and dev" * training.refit
        + (f", margin {training.margin}" if any(tags.output == "crf" for tags in plan.tags.values()) else "")
    )
    return lines
