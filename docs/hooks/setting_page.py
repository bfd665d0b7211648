"""Every setting of a plan, as a page: from the models that check them, and the recipes."""

from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from polytag.plan import Plan
from polytag.plan.commented import NAMED, TABLES
from polytag.plan.defaults import recipes, sizes
from polytag.plan.task import Columns, DataFile, File, Task
from polytag.plan.values import Choices, Table

HEAD = """# Settings of a plan

<!-- Made by python docs/hooks/generated.py, from src/polytag/plan -->

A plan is a TOML file. Its tables are the parts (`chars.NAME`, `words.NAME`, `tags.NAME`), the tasks (`tasks.NAME`) and
two tables for how it is trained. Names are made of letters, digits, `-` and `_`.

A value comes from the first of these that has it: `--set` on the command line, the plan, its recipe
(`training.recipe`) and its `size`, the default. `polytag show PLAN --all` writes every value out. A setting that may be
left out can also be switched off: `"none"` says so where a recipe sets it. Unknown keys, wrong types and impossible
values are errors that name the key, the value and what is allowed.

Relative paths are looked up beside the plan, then under `--data` or `POLYTAG_DATA`.
"""
_BOUND = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}
_PLAIN = {int: "whole number", float: "number", str: "text", bool: "true or false"}


def settings_page() -> str:
    """The page in Markdown; a table for each table of a plan."""
    lines = [HEAD]
    for name, model in TABLES.items():
        lines += _section(name, model)
    lines += ["\n## size\n", f"`size`: {Plan.model_fields['size'].description}. {_SIZES}\n", *_sizes()]
    lines += ["\n## search\n", f"`search`: {Plan.model_fields['search'].description}. {_SEARCH}"]
    return "\n".join(lines) + "\n"


_SEARCH = "polytag writes it into the plan of a model directory, so that both can be moved together."


_SIZES = "Where recipe and size set the same, the size wins."


def _sizes() -> Iterator[str]:
    yield from ("| size | characters | words |", "|---|---|---|")
    for name, tables in sizes().items():
        shapes = (f"{tables[kind]['layers']} x {tables[kind]['hidden']}" for kind in ("chars", "words"))
        yield f"| `{name}` | {' | '.join(shapes)} |"


def _section(name: str, model: type[Table]) -> Iterator[str]:
    heading = f"[{name}.NAME]" if name in NAMED else f"[{name}]"
    yield f"\n## {heading} {{ #{name} }}\n\n{' '.join((model.__doc__ or '').split())}\n"
    yield from ("| setting | value | default | meaning |", "|---|---|---|---|")
    for key, field in model.settings().items():
        if key == "columns":
            for inner, of in Columns.settings().items():
                yield _row(f"columns.{inner}", of, {})
        else:
            of_recipes = {recipe: tables.get(name, {}) for recipe, tables in recipes().items()}
            yield _row(key, field, {recipe: table[key] for recipe, table in of_recipes.items() if key in table})
    if model is Task:
        yield f"\nA file is a path, or a table. {DataFile.__doc__}\n"
        yield from ("| setting | value | default | meaning |", "|---|---|---|---|")
        yield from (_row(key, field, {}) for key, field in DataFile.settings().items() if key != "columns")


def _row(key: str, field: FieldInfo, of_recipes: Mapping[str, Any]) -> str:
    """A row of the table; recipes are named where they set another value than the default."""
    default = "required" if field.is_required() else _value(field.default) or ("its name" if key == "tags" else "none")
    meaning = (field.description or "").replace("|", "\\|")
    others = (f"{recipe} {_value(value)}" for recipe, value in of_recipes.items() if value != field.default)
    cells = [f"`{key}`", _type(field.annotation, field.metadata), "<br>".join([default, *others]), meaning]
    return f"| {' | '.join(cells)} |"


def _value(value: Any) -> str:
    """As a plan file writes it."""
    if value is None or value == "":
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(annotation: Any, metadata: list[Any]) -> str:
    """A type in words, with its bounds."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0], [*metadata, *(x for m in arguments[1:] for x in getattr(m, "metadata", [m]))])
    names = [name for item in metadata if isinstance(item, Choices) for name in item.names]
    if origin is Literal or names:
        return " ".join(f"`{value}`" for value in names or arguments)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type(a, metadata) for a in arguments if a is not NoneType))
    if origin is dict:
        return "table of names"
    if origin is tuple:
        kinds = {str: "path or list of paths", File: "file or list of files"}
        return kinds.get(arguments[0], "name or list of names")
    bounds = _bounds(metadata)
    return f"{_PLAIN.get(annotation, str(annotation))}{f' {bounds}' if bounds else ''}"


def _bounds(metadata: list[Any]) -> str:
    found: Mapping[type, Any] = {type(item): item for item in metadata if type(item) in _BOUND}
    return " and ".join(f"{sign} {getattr(found[k], name):,.0f}" for k, (sign, name) in _BOUND.items() if k in found)
