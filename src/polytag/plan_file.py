"""From a plan file to a checked plan: recipe and overrides filled in, every mistake told in one sentence."""

import os
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from polytag.errors import PlanError, nearest
from polytag.plan import MEMORY, NONE, Chars, Columns, Initialisation, Plan, Table, Tags, Task, Training, Words
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


def make_plan(tables: Mapping[str, Any], *, source: str = "plan") -> Plan:
    """Check tables as a plan file holds them and fill in the defaults of recipe and size; numbers may be numpy's.

    Raises:
        PlanError: names the key, the value and what is allowed.
    """
    plain = _plain(tables)
    return _checked(_with_defaults(plain, _defaults(plain, source)), source)


def _checked(full: Mapping[str, Any], source: str) -> Plan:
    try:
        plan = Plan.model_validate(full)
    except ValidationError as error:
        raise PlanError(f"{source}: {_explain(error)}") from None
    _check_names(plan, source)
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
    return _checked(_with_defaults(_plain(tables), {}), source)


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
    _check_names(changed, "plan")
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


def recipes() -> dict[str, dict[str, Any]]:
    """The tables of defaults that ``training.recipe`` names."""
    return _tables("recipes.toml")


def sizes() -> dict[str, dict[str, Any]]:
    """The tables of defaults that ``size`` names."""
    return _tables("sizes.toml")


def _tables(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("polytag").joinpath(name).read_text(encoding="utf-8"))


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


_KINDS = ("chars", "words", "tags", "tasks", "training", "initialisation")


def _defaults(tables: Mapping[str, Any], source: str) -> dict[str, Any]:
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


def _with_defaults(tables: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
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
    where = [str(step) for step in first["loc"] if step != "[key]"]
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
    tables: dict[str, type[Table]] = {
        "chars": Chars, "words": Words, "tags": Tags, "tasks": Task,
        "training": Training, "initialisation": Initialisation, "columns": Columns,
    }  # fmt: skip
    inside = [step for step in location[:-1] if step in tables]
    return list((tables[str(inside[-1])] if inside else Plan).settings())


def _check_names(plan: Plan, source: str) -> None:
    for task, settings in plan.tasks.items():
        for kind in ("chars", "words", "tags"):
            name, declared = getattr(settings, kind), getattr(plan, kind)
            if name is not None and name not in declared:
                hint = nearest(name, declared) or f"; declare it with [{kind}.{name}]"
                raise PlanError(f"{source}: tasks.{task}.{kind}: there is no part {kind}.{name}{hint}")
        if settings.chars is None and not plan.words[settings.words].embedding:
            raise PlanError(
                f"{source}: tasks.{task}: neither characters nor word embeddings are left; "
                f"name a chars part or set words.{settings.words}.embedding = true"
            )
    for kind in ("chars", "words", "tags"):
        for name in getattr(plan, kind):
            if not plan.users(kind, name):
                raise PlanError(f"{source}: {kind}.{name} is declared, but no task uses it")
    for name in plan.words:
        if len({plan.tasks[task].chars for task in plan.users("words", name)}) > 1:
            raise PlanError(
                f"{source}: tasks {', '.join(plan.users('words', name))} share words.{name}, "
                "so they must name the same chars part: the word GRU reads its characters"
            )
    for task, settings in plan.tasks.items():
        if plan.layer_of(task) > (layers := plan.words[settings.words].layers):
            raise PlanError(
                f"{source}: tags.{settings.tags}.layer: found {plan.layer_of(task)}, expected at most {layers}, "
                f"the layers of words.{settings.words}, which tasks.{task} reads"
            )
    _check_initialisation(plan, source)
    cells = {chars.cell for chars in plan.chars.values()} | {words.cell for words in plan.words.values()}
    if "lstm" in cells and plan.training.precision != "float32":
        found = plan.training.precision
        raise PlanError(f"{source}: training.precision: found '{found}', expected 'float32' where a cell is 'lstm'")
    if plan.training.select not in {"mean", *plan.tasks}:
        options = ["mean", *plan.tasks]
        raise PlanError(
            f"{source}: training.select: there is no task '{plan.training.select}'"
            f"{nearest(plan.training.select, options)}"
        )
    selecting = plan.tasks.get(plan.training.select)
    if plan.training.select != "mean" and selecting and not (selecting.dev or selecting.holdout):
        raise PlanError(
            f"{source}: training.select: the task '{plan.training.select}' has no development data to choose an epoch "
            "by; give it dev files or a holdout"
        )


def _check_initialisation(plan: Plan, source: str) -> None:
    start, known = plan.initialisation, plan.part_names()
    for key, names in {"parts": start.taken, "freeze": start.freeze or ()}.items():
        for name in names:
            if name not in known:
                raise PlanError(f"{source}: initialisation.{key}: there is no part {name}{nearest(name, known)}")
    if start.parts and start.model is None:
        raise PlanError(f"{source}: initialisation.parts says what is taken from a model, expected initialisation.from")
    for task, settings in plan.tasks.items():
        used = {f"chars.{settings.chars}", f"words.{settings.words}", f"tags.{settings.tags}"}
        if not used & set(known) - set(start.freeze or ()):
            raise PlanError(
                f"{source}: initialisation.freeze: tasks.{task} uses {', '.join(sorted(used & set(known)))}, "
                "expected one that may learn"
            )
