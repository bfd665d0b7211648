"""A plan as TOML in which each setting says what it means."""

from collections.abc import Iterator, Mapping
from typing import Any

import tomli_w

from polytag.plan import Plan
from polytag.plan.parts import Chars, Tags, Words
from polytag.plan.task import Columns, Task
from polytag.plan.training import Initialisation, Training
from polytag.plan.values import Table

TABLES: Mapping[str, type[Table]] = {
    "chars": Chars, "words": Words, "tags": Tags, "tasks": Task,
    "training": Training, "initialisation": Initialisation,
}  # fmt: skip
NAMED = ("chars", "words", "tags", "tasks")  # tables of tables, by names
WIDTH = 36  # of what stands before a comment, where it is no longer


def commented(tables: Mapping[str, Any]) -> str:
    """All settings of `Plan.to_dict`, each with its meaning as a comment."""
    lines = [*_settings({key: value for key, value in tables.items() if key not in TABLES}, Plan)]
    for kind, model in TABLES.items():
        found = tables.get(kind, {})
        for place, settings in _below(kind, found) if kind in NAMED else [(kind, found)]:
            lines += ["", f"[{place}]", *_settings(settings, model)]
    return "\n".join(lines)


def line(key: str, value: object, model: type[Table]) -> str:
    """One setting of a table with its meaning."""
    field = model.settings().get(key.rpartition(".")[2])
    meaning = (field.description or "") if field else ""
    said = f"{key} = {inline(value)}"
    return f"{said:<{WIDTH}}  # {meaning}" if meaning else said


def inline(value: object) -> str:
    """A value in one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, Mapping):
        items = ", ".join(f"{inline_key(key)} = {inline(item)}" for key, item in value.items())
        return f"{{ {items} }}" if items else "{}"
    return tomli_w.dumps({"_": value}).partition(" = ")[2].rstrip("\n")


def inline_key(key: str) -> str:
    """A key as TOML has it: labels of maps can hold anything."""
    return tomli_w.dumps({key: 0}).partition(" = 0")[0]


def _below(kind: str, found: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, settings in found.items():
        yield f"{kind}.{name}", settings


def _settings(settings: Mapping[str, Any], model: type[Table]) -> Iterator[str]:
    for key, field in model.settings().items():
        value = settings.get(key, field.default)
        if key == "columns":
            yield from (line(f"columns.{inner}", of, Columns) for inner, of in value.items())
        elif key in settings or (model is Task and value == {}):  # a plan does not hold empty tables
            yield line(key, value, model)
