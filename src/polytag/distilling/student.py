"""The plan that learns from labelled files and from raw text that models tagged: that of the first model, made anew."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import tomli_w

from polytag.errors import PlanError
from polytag.plan import Plan
from polytag.plan.task import SPLITS
from polytag.plan.values import AUTO, MEMORY, NONE
from polytag.plan_file import make_plan
from polytag.vocabulary.vocabularies import TagVocabulary

PLAN, CORPUS = "plan.toml", "raw.conll"
RAW = "-raw"  # ends the names of tasks that learn from the tagged text
_HEAD = """\
# Written by polytag distill: the first model's plan, with a further task for each of its own, which learns from the raw
# text that models tagged and shares all parts. Name the task without -raw where you tag or score.
"""
_SIZED = ("hidden", "layers")  # what a size sets


def labelled_tasks(tasks: Sequence[str]) -> list[str]:
    """Tasks but for those that an earlier distilling added, whose text models tagged."""
    added = {task + RAW for task in tasks}
    return [task for task in tasks if task not in added]


def labelled_plan(plan: Plan, tasks: Iterable[str], *, name: str, data: str | PathLike[str] | None) -> Plan:
    """The plan of some tasks of a model, whose files are all there; ``data`` is looked up besides.

    Raises:
        PlanError: a file is not there, or the model learnt from sentences that no file has.
    """
    search = (*plan.search, str(Path(data).resolve())) if data is not None else plan.search
    found = plan.only(tasks).model_copy(update={"search": search})
    for task, settings in found.tasks.items():
        if MEMORY in settings.train:
            said = "its sentences came from a program, expected files to train on beside the raw text"
            raise PlanError(f"{name}: tasks.{task}.train: {said}")
    try:
        _with_paths(found, Path())
    except PlanError as error:
        raise PlanError(f"{name}: {error}") from None
    return found


def student_plan(plan: Plan, tags: Mapping[str, TagVocabulary], *, folder: Path, size: str | None) -> str:
    """A plan file that lies in ``folder`` beside the tagged text, with what differs from the defaults of its recipe.

    Args:
        plan: as `labelled_plan` has it.
        tags: of each task, in the order of the columns of the tagged text.
        folder: the directory of the plan.
        size: of the parts, in place of the plan's own.

    Raises:
        PlanError: there is no such size, or the plan's settings do not go with it.
    """
    tables = _with_paths(plan, folder)
    for kind in ("initialisation", "search"):
        tables.pop(kind)
    if size is not None:
        tables["size"] = size
        for part in (*tables["chars"].values(), *tables["words"].values()):
            for key in _SIZED:
                part.pop(key, None)
    for number, (task, vocabulary) in enumerate(tags.items(), 1):
        tables["tasks"][task + RAW] = {
            **_needed(tables["tasks"][task], "chars", "words", "tags"),
            "train": CORPUS,
            "columns": {"word": 0, "tag": number},
            "scheme": vocabulary.scheme,
        }
    wanted = _without_defaults(tables)
    make_plan(wanted)
    return _HEAD + "\n" + tomli_w.dumps(wanted)


def _with_paths(plan: Plan, folder: Path) -> dict[str, Any]:
    """The tables of a plan, whose files are named from a folder.

    Raises:
        PlanError: one is not there.
    """

    def moved(path: str, key: str) -> str:
        found = plan.find(path, key).resolve()
        return Path(os.path.relpath(found, folder.resolve())).as_posix()

    def moved_of(task: str, path: str, split: str) -> str:
        return moved(path, f"tasks.{task}.{split}")

    tasks = {task: settings.with_names(partial(moved_of, task)) for task, settings in plan.tasks.items()}
    tables = plan.model_copy(update={"tasks": tasks}).to_dict()
    for settings in tables["tasks"].values():
        for split in SPLITS:
            settings[split] = settings[split][0] if len(settings[split]) == 1 else settings[split]
    for name, words in plan.words.items():
        if words.vectors:
            tables["words"][name]["vectors"] = moved(words.vectors, f"words.{name}.vectors")
            tables["words"][name].pop("dimension", None)  # theirs
        if words.clusters:
            key = f"words.{name}.clusters"
            tables["words"][name]["clusters"] = [p if p == AUTO else moved(p, key) for p in words.clusters]
    for name, part in plan.tags.items():
        if part.gazetteer:
            tables["tags"][name]["gazetteer"] = moved(part.gazetteer, f"tags.{name}.gazetteer")
    return tables


def _without_defaults(tables: dict[str, Any]) -> dict[str, Any]:
    """The same tables without what they would hold anyway."""
    bare = {
        "size": tables["size"],
        "training": {"recipe": tables["training"]["recipe"]},
        "chars": {name: {} for name in tables["chars"]},
        "words": {name: _needed(part, "vectors") for name, part in tables["words"].items()},
        "tags": {name: {} for name in tables["tags"]},
        "tasks": {name: _needed(task, "chars", "words", "tags", "train") for name, task in tables["tasks"].items()},
    }
    return _differences(tables, make_plan(bare).to_dict(), bare)


def _needed(table: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: table[key] for key in keys if table.get(key, NONE) != NONE}


def _differences(tables: Mapping[str, Any], defaults: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for key, value in tables.items():
        if isinstance(value, dict) and isinstance(inner := defaults.get(key), dict):
            found[key] = _differences(value, inner, kept.get(key, {}))
        elif key in kept or key not in defaults or value != defaults[key]:
            found[key] = value
    return found
