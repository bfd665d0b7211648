"""From a plan file to a checked plan: recipe and overrides filled in, every mistake told in one sentence."""

import os
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from polytag.errors import PlanError, nearest
from polytag.files import atomic_write
from polytag.plan import Plan
from polytag.plan.commented import TABLES
from polytag.plan.consistency import check_consistency
from polytag.plan.defaults import defaults, with_defaults
from polytag.plan.task import Columns, DataFile, Task
from polytag.plan.values import MEMORY, NONE, Table
from polytag.tokenisers import ANY_LANGUAGE


def load_plan(
    plan: str | os.PathLike[str] | Mapping[str, Any],
    *,
    data: str | os.PathLike[str] | None = None,
    settings: Iterable[str] = (),
    memory: Mapping[str, Collection[str]] = {},
) -> Plan:
    """Read a plan file, or check the tables of one.

    Args:
        plan: the TOML file, or a dict of what stands in one; paths in a dict are looked up in the working directory.
        data: where relative paths are looked up after the plan's own directory; ``POLYTAG_DATA`` unless given.
        settings: overrides, ``"training.epochs=5"``.
        memory: the splits of each task whose sentences come from the program, in place of files.

    Raises:
        PlanError: the file cannot be read, or a key, value or name in it cannot be used.
    """
    if isinstance(plan, Mapping):
        tables, source, folder = _plain(plan), "plan", Path()
    else:
        tables, source, folder = _read(Path(plan)), str(plan), Path(plan).parent
    for setting in settings:
        _override(tables, setting)
    if "search" not in tables:
        data = data or os.environ.get("POLYTAG_DATA")
        tables["search"] = ["."]
    checked = make_plan(_with_memory(tables, memory), source=source).found_in(folder)
    return checked.model_copy(update={"search": (*checked.search, str(Path(data).resolve()))}) if data else checked


def copy_plan(
    plan: str | os.PathLike[str], to: Path, checked: Plan, *, settings: Iterable[str] = (), comment: str = ""
) -> None:
    """Write what stands in a plan file, with overrides, as another; ``checked`` is what both are read as.

    Raises:
        PlanError: the plan cannot be read.
    """
    tables = _read(Path(plan))
    for setting in settings:
        _override(tables, setting)
    tables = {"search": list(checked.kept_in(to.parent).search)} | {k: v for k, v in tables.items() if k != "search"}
    with atomic_write(to) as file:
        file.write(comment + tomli_w.dumps(tables))


def make_plan(tables: Mapping[str, Any], *, source: str = "plan") -> Plan:
    """Check tables as a plan file holds them and fill in the defaults of recipe and size; numbers may be numpy's.

    Raises:
        PlanError: names the key, the value and what is allowed.
    """
    plain = _plain(tables)
    return _checked(with_defaults(plain, defaults(plain, source)), source)


def _checked(full: Mapping[str, Any], source: str) -> Plan:
    try:
        plan = Plan.model_validate(full)
    except ValidationError as error:
        raise PlanError(f"{source}: {_explain(error)}") from None
    check_consistency(plan, source)
    check_texts(plan, source)
    return plan


def check_texts(plan: Plan, source: str) -> None:
    """See to it that UTF-8 holds all texts of a plan, as it goes into the model.

    Raises:
        PlanError: names the key and the text.
    """
    for key, text in _texts(plan.to_dict()):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise PlanError(f"{source}: {key}: found {text!r:.80}, expected text that UTF-8 holds") from None


def stored_plan(tables: Mapping[str, Any], *, source: str) -> Plan:
    """Check the tables that a model holds, all of whose settings are written out; one that it has not did not exist.

    Where they name no tokeniser, texts are cut as they were when it was made.

    Raises:
        PlanError: as `make_plan`.
    """
    parts = tables.get("words")
    if isinstance(parts, Mapping):
        named = {name: {"tokeniser": _legacy(of), **of} for name, of in parts.items() if isinstance(of, Mapping)}
        tables = {**tables, "words": {**parts, **named}}
    return _checked(with_defaults(_plain(tables), {}), source)


def from_memory(plan: Plan, memory: Mapping[str, Collection[str]]) -> Plan:
    """A checked plan with the splits of some tasks from the program, in place of files.

    Raises:
        PlanError: there is no such task, or a task cannot have such splits.
    """
    tables = {"tasks": {name: dict(task) for name, task in plan.tasks.items()}}
    tasks = _with_memory(tables, memory)["tasks"]
    try:
        changed = plan.model_copy(update={"tasks": {name: Task.model_validate(task) for name, task in tasks.items()}})
    except ValidationError as error:
        raise PlanError(f"plan: {_explain(error)}") from None
    check_consistency(changed, "plan")
    return changed


def _with_memory(tables: dict[str, Any], memory: Mapping[str, Collection[str]]) -> dict[str, Any]:
    tasks: Any = tables.get("tasks")
    if not isinstance(tasks, dict):
        return tables
    for task, splits in memory.items():
        if task not in tasks:
            raise PlanError(f"corpora: there is no task '{task}' in the plan{nearest(task, tasks)}")
        if isinstance(tasks[task], dict):
            tasks[task] |= dict.fromkeys(splits, MEMORY)
    return tables


def _plain(value: Any) -> Any:
    """Tables as Python has them: what numpy has numbers for are numbers, its arrays lists."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") and hasattr(value, "dtype") else value


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows put a byte order mark
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PlanError(f"{path}:{line}: byte {error.object[error.start]:#04x}, expected UTF-8 text") from None
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no TOML, or a number of thousands of digits
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise PlanError(f"{path}: the plan cannot be read: {reason}") from None


def first_difference(before: Any, now: Any, key: str = "") -> tuple[str, Any, Any] | None:
    """The dotted key of the first setting in which two tables differ, with both values; None where they are equal."""
    if before == now:
        return None
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted({*before, *now}):
            if found := first_difference(before.get(name), now.get(name), f"{key}.{name}" if key else name):
                return found
    return key, before, now


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts in tables and lists, each with its dotted key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, key)


def _legacy(part: Mapping[str, Any]) -> str:
    language = part.get("language", NONE)
    return f"legacy:{ANY_LANGUAGE if language == NONE else language}"


def _override(tables: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not all(key.split(".")):
        raise PlanError(f"--set {setting}: expected key=value, such as training.epochs=5")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except RecursionError:
        raise PlanError(f"--set {setting:.60}: brackets in brackets without end, expected a value") from None
    except ValueError:
        value = text  # a bare word is a string
    *parents, last = key.split(".")
    for parent in parents:
        tables = tables.setdefault(parent, {})
        if not isinstance(tables, dict):
            raise PlanError(f"--set {setting}: '{parent}' is a value, not a table")
    tables[last] = value


_IN_TOML = {  # pydantic's words -> those of people who write TOML
    r"valid dictionary( or instance of \w+)?|Dictionary": "table",
    r"valid tuple|Tuple": "list",
    r"a valid boolean": "true or false",
    r"( after validation)?, not \d+$": "",
}


def _explain(error: ValidationError) -> str:
    """One sentence for the first problem: the key, the value, and what is allowed."""
    first = error.errors(include_url=False)[0]
    where = [str(step) for step in first["loc"] if step not in ("[key]", "[file]", "[path]")]
    key, value = ".".join(where) or "plan", first["input"]
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'{nearest(where[-1], _keys_beside(first['loc']))}"
    if first["type"] == "missing":
        return f"'{key}' is missing"
    message = first["msg"].removeprefix("Value error, ")
    for pydantic, toml in _IN_TOML.items():
        message = re.sub(pydantic, toml, message)
    if isinstance(value, Mapping) and first["type"] == "value_error":
        return f"{key}: {message}"  # two settings that do not go together: the message names them
    return f"{key}: {message[0].lower()}{message[1:]}, found {'a table' if isinstance(value, Mapping) else repr(value)}"


def _keys_beside(location: Sequence[int | str]) -> list[str]:
    """The keys that the table of an unknown key has."""
    tables: dict[str, type[Table]] = {**TABLES, "columns": Columns, "[file]": DataFile}
    inside = [step for step in location[:-1] if step in tables]
    return list((tables[str(inside[-1])] if inside else Plan).settings())
