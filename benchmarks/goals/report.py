"""The rows as text, as a page of Markdown and as data for JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.goals.goals import Row
from benchmarks.goals.machine import QUIET_CORES, QUIET_LOAD

HEAD = ("", "goal", "measured", "bound", "ratio", "verdict")
RULE = ("---", "---", "---:", "---:", "---:", "---")
METHOD = (
    "This page is written by `make bench`; do not edit it. Each measurement runs in a process of its own, on one "
    "thread unless its row says otherwise, contenders in turn, round by round; a figure is the median of the rounds. "
    "A ratio of 1 or more reaches the goal. Absolute figures drift on a shared machine."
)
ABOUT = {
    "command": "Command", "date": "Date", "processor": "Processor", "instructions": "Instruction sets",
    "cores": "Cores", "system": "System", "python": "Python", "torch": "torch", "core": "What computes",
    "auto": "`--precision auto` is here", "training_text": "Training text", "tagged_text": "Tagged text",
    "model": "Paper's network", "small_model": "Small network", "tests": "Tests before",
    "load_before": "Load average before", "load_after": "after", "others": "Cores that others used meanwhile",
}  # fmt: skip


def cells(row: Row) -> tuple[str, ...]:
    """What the table says of a row, under HEAD."""
    goal, measured = row.goal, row.figure.measured
    return (
        goal.name,
        goal.title,
        "-" if measured is None else goal.show(measured),
        f"{goal.direction} {goal.show(goal.bound)}",
        "-" if row.ratio is None else f"{row.ratio:.2f}",
        row.verdict,
    )


def warnings(about: Mapping[str, Any], others: Mapping[str, float]) -> list[str]:
    """What makes the figures doubtful."""
    found = []
    if about.get("quick"):
        found.append("this was a quick run, to see that all works: its figures mean nothing")
    if about["load_before"] > QUIET_LOAD:
        found.append(f"the load average was {about['load_before']:.2f} before anything ran: the machine was not quiet")
    busy = [f"{group} ({cores:.2f})" for group, cores in others.items() if cores > QUIET_CORES]
    if busy:
        found.append(f"others used the machine, by so many cores, during {', '.join(busy)}")
    return found


def text(about: Mapping[str, Any], rows: Sequence[Row], others: Mapping[str, float]) -> str:
    """The table for a terminal, with the notes below it."""
    table = [HEAD, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    notes = [f"{row.goal.name}: {row.figure.note}" for row in rows if row.figure.note]
    facts = [f"{title}: {_shown(about[key])}" for key, title in ABOUT.items() if key in about]
    warned = [f"WARNING: {warning}" for warning in warnings(about, others)]
    return "\n".join([*lines, "", *notes, "", *facts, *warned]) + "\n"


def page(about: Mapping[str, Any], rows: Sequence[Row], others: Mapping[str, float]) -> str:
    """A page of Markdown, which says how it was made."""
    parts = [
        "# Goals and what was measured",
        METHOD,
        "\n".join(f"- {title}: {_code(key, about[key])}" for key, title in ABOUT.items() if key in about),
        "\n".join(f"**Warning:** {warning}." for warning in warnings(about, others)),
        "\n".join([_line(HEAD), _line(RULE), *(_line(cells(row)) for row in rows)]),
        "\n".join(f"- `{row.goal.name}`: {row.figure.note}" for row in rows if row.figure.note),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def data(about: Mapping[str, Any], rows: Sequence[Row], others: Mapping[str, float]) -> dict[str, Any]:
    """All of it, for JSON."""
    results = [{**asdict(row.goal), **asdict(row.figure), "ratio": row.ratio, "verdict": row.verdict} for row in rows]
    return {**about, "others_by_measurement": others, "warnings": warnings(about, others), "goals": results}


def _line(values: Sequence[str]) -> str:
    return "| " + " | ".join(value.replace("|", "\\|").replace("\n", " ") for value in values) + " |"


def _code(key: str, value: Any) -> str:
    return f"`{value}`" if key == "command" else _shown(value)


def _shown(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
