"""The plan: what is trained and what is shared. Only here.

A plan declares named parts (``chars.NAME``, ``words.NAME``, ``tags.NAME``) and tasks that name the parts they use.
Tasks that name the same part share it; nothing else decides sharing.
"""

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from polytag.errors import PlanError, nearest
from polytag.plan.parts import Chars, Tags, Words
from polytag.plan.task import Task
from polytag.plan.training import Initialisation, Training
from polytag.plan.values import NONE, Name, Table


class Plan(Table):
    """A whole plan, checked, with every default filled in."""

    chars: dict[Name, Chars] = Field({})
    words: dict[Name, Words]
    tags: dict[Name, Tags] = Field({})
    tasks: Annotated[dict[Name, Task], Field(min_length=1)]
    training: Training = Training()
    initialisation: Initialisation = Initialisation()
    search: tuple[str, ...] = Field(
        (), description="directories in which relative paths are looked up, named from the plan file's own"
    )
    size: str | None = Field(
        None,
        description="table of layers and units: small, medium or paper; unless given the recipe's, else the paper's",
    )

    def users(self, kind: str, name: str) -> list[str]:
        """The tasks that use a part, in the order of the plan."""
        return [task for task, settings in self.tasks.items() if getattr(settings, kind) == name]

    def layer_of(self, task: str) -> int:
        """The layer of the word GRU whose states a task reads; the lowest is 1."""
        settings = self.tasks[task]
        return self.tags[settings.tags].layer or self.words[settings.words].layers

    def only(self, tasks: Iterable[str]) -> "Plan":
        """The plan of some tasks alone, of all where none is named, with the parts that they use.

        Raises:
            PlanError: there is no such task.
        """
        chosen = dict.fromkeys(tasks)
        if not chosen:
            return self
        for task in chosen:
            if task not in self.tasks:
                raise PlanError(f"there is no task '{task}' in the plan{nearest(task, self.tasks)}")
        kept = {task: settings for task, settings in self.tasks.items() if task in chosen}
        parts = {
            kind: {n: part for n, part in getattr(self, kind).items() if n in {getattr(t, kind) for t in kept.values()}}
            for kind in ("chars", "words", "tags")
        }
        select = self.training.select if self.training.select in kept else "mean"
        training = self.training.model_copy(update={"select": select})
        plan = self.model_copy(update={**parts, "tasks": kept, "training": training})
        return plan.model_copy(update={"initialisation": self._initialised(plan.part_names())})

    def part_names(self) -> list[str]:
        """All parts, as ``chars.latin``."""
        return [f"{kind}.{name}" for kind in ("chars", "words", "tags") for name in getattr(self, kind)]

    def _initialised(self, left: Collection[str]) -> Initialisation:
        """What is said of the parts that are left."""
        start = self.initialisation
        said = {
            "parts": [p for p in start.parts or () if p.partition("=")[0].strip() in left],
            "freeze": [p for p in start.freeze or () if p in left],
        }
        return start.model_copy(update={key: tuple(names) or None for key, names in said.items()})

    def find(self, path: str, key: str) -> Path:
        """Resolve a path of the plan (a ``#...`` suffix is kept).

        Raises:
            PlanError: nothing is there; names the key and the places looked at.
        """
        plain, mark, suffix = path.partition("#")
        places = [Path(plain)] if Path(plain).is_absolute() else [Path(base) / plain for base in self.search or (".",)]
        for place in places:
            if place.exists():
                return Path(f"{place}{mark}{suffix}")
        looked = " and ".join(map(str, places))
        raise PlanError(f"{key}: there is no '{path}'; looked for {looked}; --data names one more directory to look in")

    def kept_in(self, directory: Path) -> "Plan":
        """The plan as a file in a directory holds it: what it searches is named from there, so that both can move."""
        base, search = directory.resolve(), []
        for place in self.search:
            with suppress(ValueError):  # on Windows nothing leads from one drive to another
                search.append(Path(os.path.relpath(Path(place).resolve(), base)).as_posix())
        return self.model_copy(update={"search": tuple(search)})

    def found_in(self, directory: Path) -> "Plan":
        """The inverse of `kept_in`; what is absolute already stays so."""
        base = directory.resolve()
        return self.model_copy(update={"search": tuple(os.path.normpath(base / place) for place in self.search)})

    def to_dict(self) -> dict[str, Any]:
        """Plain tables, as TOML can hold them: every setting is written out, those that are None as "none".

        Every kind of table is there; in these, no table is that holds nothing.
        """
        tables = self.model_dump(mode="json", by_alias=True)
        for name, words in self.words.items():
            # A dimension that nobody set is no default any more once it is written out: the vectors' own would clash.
            if words.vectors is not None and "dimension" not in words.model_fields_set:
                del tables["words"][name]["dimension"]
        return {kind: _written_out(table) for kind, table in tables.items()}  # each is there, were it empty


def _written_out(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _written_out(item) for key, item in value.items() if item != {}}
    if isinstance(value, list):  # files: of a table in a list, what is not said is left out
        return [{k: v for k, v in item.items() if v is not None} if isinstance(item, dict) else item for item in value]
    return NONE if value is None else value
