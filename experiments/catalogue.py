"""What there is to run and to report: one folder per table, its rows, the order of the queue, the variants.

A folder holds ``table.toml`` (the rows, with the paper's figures) and a plan for each row that is trained here; a row
with ``run`` quotes a training whose home is another folder, so that nothing is trained twice.
"""

import tomllib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from polytag.errors import PlanError, nearest

HERE = Path(__file__).parent
AT = "@"  # row@variant


class Checked(BaseModel):
    """A table of a TOML file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


T = TypeVar("T", bound=Checked)


class Row(Checked):
    """One line of a table: a plan of its own (``NAME.toml``), or a quoted run."""

    name: str
    label: str
    task: str
    paper: float | None = None
    run: str | None = Field(None, description="FOLDER/ROW of the training that is quoted")
    epochs_from: str | None = Field(None, description="FOLDER/ROW, with development data, whose best epoch is taken")
    against: str | None = Field(None, description="row that it is compared with sentence by sentence")


class Table(Checked):
    """One folder."""

    folder: str
    title: str
    metric: str = "F1"
    about: str = ""
    rows: tuple[Row, ...] = ()

    def row(self, name: str) -> Row:
        """A row by its name.

        Raises:
            PlanError: there is none such.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise PlanError(f"{self.folder} has no row '{name}'{nearest(name, [row.name for row in self.rows])}")

    def home(self, row: Row) -> str:
        """FOLDER/ROW of the training behind a row."""
        return row.run or f"{self.folder}/{row.name}"


class Stage(Checked):
    """Some rows of the queue, with the same seeds."""

    about: str
    rows: tuple[str, ...]
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = (1,)
    variants: tuple[str, ...] = ()
    below: float | None = Field(None, description="only rows that miss the paper's figure by more than so much")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.below is not None and not self.variants:
            raise ValueError("'below' chooses the rows whose variants are tried, so name the variants")
        return self


class Variant(Checked):
    """Settings laid over a row's plan; ``chars.*.cell`` stands for that setting of every character part."""

    about: str
    set: tuple[str, ...]


class Catalogue:
    """All folders below ``root``.

    Raises:
        PlanError: a file is missing or says something that it must not.
    """

    def __init__(self, root: Path = HERE) -> None:
        self.root = root
        self.tables = {path.parent.name: _table(path) for path in sorted(root.glob("*/table.toml"))}
        for table in self.tables.values():
            for row in table.rows:
                self._check(table, row)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The queue, in order."""
        return tuple(_validated(Stage, entry, self.root / "queue.toml") for entry in self._read("queue")["stages"])

    @cached_property
    def variants(self) -> dict[str, Variant]:
        """Variants by name."""
        path = self.root / "variants.toml"
        return {name: _validated(Variant, entry, path) for name, entry in self._read("variants").items()}

    def table(self, folder: str) -> Table:
        """A folder's table.

        Raises:
            PlanError: there is none such.
        """
        if folder not in self.tables:
            raise PlanError(f"there is no table '{folder}'{nearest(folder, self.tables)}")
        return self.tables[folder]

    def named(self, row: str, table: Table) -> tuple[Table, Row]:
        """A row as a table's file names it: ``FOLDER/ROW``, or ``ROW`` alone for one of its own.

        Raises:
            PlanError: there is none such.
        """
        return self.find(row if "/" in row else f"{table.folder}/{row}")

    def rival(self, row: Row, table: Table) -> str | None:
        """FOLDER/ROW of the training that a row is compared with."""
        if row.against is None:
            return None
        other, against = self.named(row.against, table)
        return other.home(against)

    def find(self, home: str) -> tuple[Table, Row]:
        """The table and row of ``FOLDER/ROW``.

        Raises:
            PlanError: there is none such.
        """
        folder, _, name = home.partition("/")
        table = self.table(folder)
        return table, table.row(name)

    def plan(self, home: str) -> Path:
        """The plan file of ``FOLDER/ROW``."""
        return self.root / f"{home}.toml"

    def trainings(self) -> Iterator[str]:
        """FOLDER/ROW of everything that is trained, each once."""
        yield from dict.fromkeys(table.home(row) for table in self.tables.values() for row in table.rows)

    def variant(self, name: str) -> Variant:
        """A variant by its name.

        Raises:
            PlanError: there is none such.
        """
        if name not in self.variants:
            raise PlanError(f"there is no variant '{name}'{nearest(name, self.variants)}")
        return self.variants[name]

    def _check(self, table: Table, row: Row) -> None:
        home = table.home(row)
        if not self.plan(home).exists():
            raise PlanError(f"{table.folder}/table.toml: row '{row.name}': there is no plan {home}.toml")
        if row.run and row.epochs_from:
            raise PlanError(f"{table.folder}/table.toml: row '{row.name}' quotes a run, whose epochs are its own")
        for other in (row.epochs_from, row.against):
            if other is not None:
                self.named(other, table)

    def _read(self, name: str) -> dict[str, Any]:
        path = self.root / f"{name}.toml"
        return _toml(path) if path.exists() else {"stages": []} if name == "queue" else {}


def expand(settings: Sequence[str], plan: Path) -> list[str]:
    """Settings with ``KIND.*.key`` written out for each part or task of a plan file.

    A task that names no tag part has one of its own.
    """
    declared = _toml(plan)
    tasks: dict[str, Any] = declared.get("tasks", {})
    declared["tags"] = declared.get("tags", {}) | {task.get("tags", name): {} for name, task in tasks.items()}
    expanded = []
    for setting in settings:
        kind, star, rest = setting.partition(".*.")
        parts = [f"{kind}.{part}.{rest}" for part in declared.get(kind, {})] if star else [setting]
        expanded += parts
    return expanded


def _table(path: Path) -> Table:
    return _validated(Table, {"folder": path.parent.name, **_toml(path)}, path)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlanError(f"{path}: cannot be read: {error}") from None


def _validated(kind: type[T], entry: dict[str, Any], path: Path) -> T:
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise PlanError(f"{path}: {where}: {first['msg']}, found {first['input']!r:.60}") from None
