"""The directory of several trainings: the plan and the request that they have in common, the same at every call."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from polytag.errors import ModelError, PlanError
from polytag.files import write_json
from polytag.plan import Plan
from polytag.plan_file import copy_plan, first_difference, load_plan

PLAN = "plan.toml"


def settle(
    directory: Path, file: str, request: Mapping[str, Any], *, plan: Path, checked: Plan, settings: Collection[str],
    may_change: Collection[str] = ("training.seed",), more: Mapping[str, Any] = {},
) -> Path:  # fmt: skip
    """Write down plan and request, or see to it that they are still the same; returns the plan to train with.

    ``more`` is of the request, but may be another at each call; ``may_change`` names the settings of the plan that
    each training sets for itself.

    Raises:
        PlanError: the directory holds trainings of another plan or request.
        ModelError: what an earlier call wrote is damaged.
    """
    kept = directory / PLAN
    if not (directory / file).exists():
        if kept.exists():
            raise ModelError(f"{directory}: holds a plan.toml, which that of the trainings would replace; name another")
        copy_plan(plan, kept, checked, settings=settings)
    elif kept.resolve() != plan.resolve():
        _check_same(kept, *(_compared(each, may_change) for each in (load_plan(kept), checked)))
    if (directory / file).exists():
        before = read_request(directory / file)
        _check_same(directory / file, {key: before.get(key) for key in request}, dict(request))
    write_json(directory / file, {**request, **more})
    return kept


def read_request(path: Path) -> dict[str, Any]:
    """What `settle` wrote.

    Raises:
        ModelError: it is damaged.
    """
    try:
        request = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(request, dict):
            return request
    except (OSError, ValueError, RecursionError):
        pass
    raise ModelError(f"{path}: the file is damaged, expected what an earlier call wrote")


def _compared(plan: Plan, may_change: Collection[str]) -> dict[str, Any]:
    tables = plan.to_dict()
    for key in ("search", *may_change):
        *parents, last = key.split(".")
        table = tables
        for parent in parents:
            table = table[parent]
        table.pop(last)
    return tables


def _check_same(path: Path, before: Any, now: Any) -> None:
    if found := first_difference(before, now):
        key, was, is_ = found[0], *("not given" if value is None else repr(value) for value in found[1:])
        raise PlanError(f"{path}: {key} was {was} for the trainings here, now it is {is_}; name another directory")
