"""The plan: what is trained and what is shared. Only here.

A plan declares named parts (``chars.NAME``, ``words.NAME``, ``tags.NAME``) and tasks that name the parts they use.
Tasks that name the same part share it; nothing else decides sharing.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from polytag.errors import PlanError, nearest

Size = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Cell = Literal["reset_before", "reset_after"]
Paths = Annotated[tuple[str, ...], Field(min_length=1)]


class Table(BaseModel):
    """A table of the plan: unknown keys are errors, values never change once checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Chars(Table):
    """A character part: alphabet, character embedding and character GRU (paper, section 3.2.1)."""

    dimension: Size = 25
    hidden: Size = 80
    layers: Size = 2
    cell: Cell = "reset_before"
    bias: bool = False
    boundaries: bool = Field(True, description="give each word a start and an end symbol")
    dropout: Fraction = 0.0


class Words(Table):
    """A word part: word list, word embedding, pretrained vectors and word GRU (paper, section 3.2.2)."""

    vectors: str | None = Field(None, description="file of pretrained word vectors")
    vector_std: Positive | None = Field(None, description="rescale the vectors to this standard deviation")
    embedding: bool = Field(True, description="false leaves word embeddings out: characters alone")
    dimension: Size = Field(50, description="of the word embedding; where there are vectors, theirs")
    hidden: Size = 300
    layers: Size = 2
    cell: Cell = "reset_before"
    bias: bool = False
    dropout: Fraction = Field(0.0, description="at the input of each layer")
    lowercase: bool = True
    zero_digits: bool = Field(True, description="look words up with every digit as 0")
    max_characters: Size = Field(35, description="longer words are cut for the character GRU only")
    vocabulary: Literal["train", "all"] = Field("train", description="'all' takes the words of dev and test files too")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.vectors is not None and not self.embedding:
            raise ValueError("vectors need the word embedding; leave 'vectors' out or set embedding = true")
        return self


class Tags(Table):
    """A tag part: tag set, gazetteer input, emission projection and CRF (paper, section 3.3)."""

    scheme: Literal["bioes", "iob2", "iob1"] = Field("bioes", description="how the network sees spans")
    gazetteer: str | None = Field(None, description="CoNLL list, 'TYPE entity words' per line")
    constrained: bool = Field(False, description="decode valid tag sequences only")
    dropout: Fraction = Field(0.0, description="at the input of the CRF")


class Columns(Table):
    """Where words and tags stand: column numbers from 0 (negative from the end), or names as the format has them."""

    word: int = 0
    tag: int | str = -1


class Task(Table):
    """One tagging problem: its files, and the names of the parts it uses."""

    chars: Name | None = Field(None, description="left out: no characters")
    words: Name
    tags: Name = Field("", description="the task's own name unless given", validate_default=False)
    train: Paths
    dev: Paths | None = None
    test: Paths | None = None
    format: Literal["auto", "conll", "conllu", "treebank", "jsonl"] = "auto"
    encoding: str = "auto"
    columns: Columns = Columns()
    scheme: Literal["auto", "iob1", "iob2", "bioes", "bilou", "plain"] = "auto"
    holdout: Fraction = Field(0.0, description="share of the training sentences held out as the development set")
    rate: Annotated[float, Field(gt=0.0, le=1.0)] = Field(1.0, description="labeling rate: share of training sentences")
    rate_draw: Literal["nested", "replacement"] = "nested"
    rate_seed: int = 13

    @model_validator(mode="before")
    @classmethod
    def _lists_of_paths(cls, data: Any) -> Any:
        return {
            key: (value,) if key in ("train", "dev", "test") and isinstance(value, str) else value
            for key, value in data.items()
        }

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.holdout and self.dev:
            raise ValueError("give dev files or holdout, not both")
        return self


class Initialisation(Table):
    """Standard deviations of the normal distributions that weights start from."""

    gru: Positive = 0.1
    chars: Positive = 0.01
    words: Positive = Field(0.001, description="of words without a pretrained vector")


class Training(Table):
    """How the parts are trained (paper, sections 3.4 and 4)."""

    recipe: str = "paper"
    seed: Annotated[int, Field(ge=0, strict=True)] = 1
    epochs: Count = 50
    batch_sentences: Count = 10
    optimizer: Literal["adagrad", "adam"] = "adagrad"
    learning_rate: Positive = 0.01
    final_learning_rate: Positive | None = Field(None, description="decay linearly to this over all epochs")
    epsilon: Positive = 1e-6
    accumulators: Literal["shared", "task"] = Field("shared", description="of AdaGrad and Adam in shared parts")
    clip: Positive | None = Field(None, description="largest norm of a step's gradient")
    margin: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = Field(5.0, description="kappa of the softmax-margin")
    task_sampling: Literal["round", "proportional"] = Field(
        "round", description="a mini-batch of each task in turn, or each task in proportion to its size"
    )
    patience: Count | None = Field(None, description="stop after so many epochs without a better score")
    select: str = Field("mean", description="'mean' or a task: whose development score keeps the best epoch")
    best_per_task: bool = Field(False, description="also keep the best weights of each task")
    track_test: bool = Field(False, description="score the test split at every epoch, for best-on-test figures only")
    threads: Count | None = Field(None, description="CPU threads; PyTorch's own choice unless given")


class Plan(Table):
    """A whole plan, checked, with every default filled in."""

    chars: dict[Name, Chars] = {}
    words: dict[Name, Words]
    tags: dict[Name, Tags] = {}
    tasks: Annotated[dict[Name, Task], Field(min_length=1)]
    training: Training = Training()
    initialisation: Initialisation = Initialisation()
    search: tuple[str, ...] = Field((), description="directories in which relative paths are looked up")

    def users(self, kind: str, name: str) -> list[str]:
        """The tasks that use a part, in the order of the plan."""
        return [task for task, settings in self.tasks.items() if getattr(settings, kind) == name]

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
        raise PlanError(f"{key}: there is no '{path}'; looked for {' and '.join(map(str, places))}")

    def to_dict(self) -> dict[str, Any]:
        """Plain tables, as TOML can hold them (settings that are None are left out)."""
        return self.model_dump(mode="json", exclude_none=True)


def load_plan(
    path: str | os.PathLike[str], *, data: str | os.PathLike[str] | None = None, settings: Iterable[str] = ()
) -> Plan:
    """Read a plan file.

    Args:
        path: the TOML file.
        data: where relative paths are looked up after the plan's own directory; ``POLYTAG_DATA`` unless given.
        settings: overrides, ``"training.epochs=5"``.

    Raises:
        PlanError: the file cannot be read, or a key, value or name in it cannot be used.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise PlanError(f"{path}: the plan cannot be read: {reason}") from None
    for setting in settings:
        _override(tables, setting)
    if "search" not in tables:
        data = data or os.environ.get("POLYTAG_DATA")
        tables["search"] = [str(base.resolve()) for base in (path.parent, *([Path(data)] if data else []))]
    elif data:
        tables["search"] = [*tables["search"], str(Path(data).resolve())]
    return make_plan(tables, source=str(path))


def make_plan(tables: Mapping[str, Any], *, source: str = "plan") -> Plan:
    """Check tables as a plan file holds them and fill in the recipe's defaults.

    Raises:
        PlanError: names the key, the value and what is allowed.
    """
    full = _with_recipe(dict(tables), source)
    try:
        plan = Plan.model_validate(full)
    except ValidationError as error:
        raise PlanError(f"{source}: {_explain(error)}") from None
    _check_names(plan, source)
    return plan


def recipes() -> dict[str, dict[str, Any]]:
    """The tables of defaults that ``training.recipe`` names."""
    return tomllib.loads(files("polytag").joinpath("recipes.toml").read_text(encoding="utf-8"))


def _with_recipe(tables: dict[str, Any], source: str) -> dict[str, Any]:
    training = tables.get("training", {})
    name = training.get("recipe", "paper") if isinstance(training, Mapping) else "paper"
    known = recipes()
    if name not in known:
        raise PlanError(f"{source}: training.recipe: there is no recipe '{name}'{nearest(str(name), known)}")
    recipe = known[name]
    tables["training"] = {**recipe.get("training", {}), **training} if isinstance(training, Mapping) else training
    tasks = tables.get("tasks")
    if isinstance(tasks, Mapping):
        tables["tasks"] = {
            task: {"tags": task, **settings} if isinstance(settings, Mapping) else settings
            for task, settings in tasks.items()
        }
        named = {s["tags"] for s in tables["tasks"].values() if isinstance(s, Mapping) and isinstance(s["tags"], str)}
        own: dict[str, Any] = {name: {} for name in tasks if name in named}
        tables["tags"] = {**own, **tables.get("tags", {})} if isinstance(tables.get("tags", {}), Mapping) else None
    for kind in ("chars", "words", "tags", "tasks"):
        defaults, parts = recipe.get(kind, {}), tables.get(kind)
        if isinstance(parts, Mapping):
            tables[kind] = {
                part: {**_fitting(defaults, settings), **settings} if isinstance(settings, Mapping) else settings
                for part, settings in parts.items()
            }
    return tables


def _fitting(defaults: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's defaults, less a rescaling of vectors where there are none."""
    return {key: value for key, value in defaults.items() if key != "vector_std" or "vectors" in settings}


def _override(tables: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not all(key.split(".")):
        raise PlanError(f"--set {setting}: expected key=value, such as training.epochs=5")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    *parents, last = key.split(".")
    for parent in parents:
        tables = tables.setdefault(parent, {})
        if not isinstance(tables, dict):
            raise PlanError(f"--set {setting}: '{parent}' is a value, not a table")
    tables[last] = value


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
    shown = repr(value) if not isinstance(value, Mapping) else "this table"
    return f"{key}: {message[0].lower()}{message[1:]}, found {shown}"


def _keys_beside(location: Sequence[int | str]) -> list[str]:
    """The keys that the table of an unknown key has."""
    tables: dict[str, type[Table]] = {
        "chars": Chars, "words": Words, "tags": Tags, "tasks": Task,
        "training": Training, "initialisation": Initialisation, "columns": Columns,
    }  # fmt: skip
    inside = [step for step in location[:-1] if step in tables]
    return list((tables[str(inside[-1])] if inside else Plan).model_fields)


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
    if plan.training.select not in {"mean", *plan.tasks}:
        options = ["mean", *plan.tasks]
        raise PlanError(
            f"{source}: training.select: there is no task '{plan.training.select}'"
            f"{nearest(plan.training.select, options)}"
        )
