"""What a plan that says nothing gets: the tables of its recipe and its size, and tag parts of the tasks' own."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from polytag.errors import PlanError, nearest
from polytag.plan.values import NONE


def recipes() -> dict[str, dict[str, Any]]:
    """The tables of defaults that ``training.recipe`` names."""
    return _tables("recipes.toml")


def sizes() -> dict[str, dict[str, Any]]:
    """The tables of defaults that ``size`` names."""
    return _tables("sizes.toml")


def _tables(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("polytag").joinpath(name).read_text(encoding="utf-8"))


_KINDS = ("chars", "words", "tags", "tasks", "training", "initialisation")


def defaults(tables: Mapping[str, Any], source: str) -> dict[str, Any]:
    """What a plan's recipe and size set, by kind of table; the size wins."""
    training, known = tables.get("training", {}), recipes()
    name = str(training.get("recipe", "paper")) if isinstance(training, Mapping) else "paper"
    if name not in known:
        raise PlanError(f"{source}: training.recipe: there is no recipe '{name}'{nearest(name, known)}")
    recipe, known = known[name], {NONE: {}, **sizes()}
    size = str(tables.get("size", recipe.get("size", NONE)))
    if size not in known:
        raise PlanError(f"{source}: size: there is no size '{size}'{nearest(size, known)}")
    return {kind: {**recipe.get(kind, {}), **known[size].get(kind, {})} for kind in _KINDS} | {"size": size}


def with_defaults(tables: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Tables, unchecked as yet, with defaults for all that they leave out, and a tag part for each task without."""
    tables |= {"size": defaults["size"]} if "size" in defaults else {}
    for kind in ("training", "initialisation"):
        given = tables.get(kind, {})
        tables[kind] = {**defaults.get(kind, {}), **given} if isinstance(given, Mapping) else given
    tasks = tables.get("tasks")
    if isinstance(tasks, Mapping):
        tables["tasks"] = {
            task: {"tags": task, **settings} if isinstance(settings, Mapping) else settings
            for task, settings in tasks.items()
        }
        named = {s["tags"] for s in tables["tasks"].values() if isinstance(s, Mapping) and isinstance(s["tags"], str)}
        own: dict[str, Any] = {name: {} for name in tasks if name in named}
        tags = tables.get("tags", {})
        tables["tags"] = {**own, **tags} if isinstance(tags, Mapping) else tags
    for kind in ("chars", "words", "tags", "tasks"):
        parts = tables.get(kind)
        if isinstance(parts, Mapping):
            tables[kind] = {
                part: {**_fitting(defaults.get(kind, {}), settings), **settings}
                if isinstance(settings, Mapping)
                else settings
                for part, settings in parts.items()
            }
    return tables


def _fitting(defaults: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's defaults, less what is made of vectors where there are none."""
    vectors = settings.get("vectors", NONE) not in (NONE, None)
    return {key: value for key, value in defaults.items() if key not in ("vector_std", "clusters") or vectors}
