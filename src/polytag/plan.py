"""The plan: what is trained and what is shared. Only here.

A plan declares named parts (``chars.NAME``, ``words.NAME``, ``tags.NAME``) and tasks that name the parts they use.
Tasks that name the same part share it; nothing else decides sharing.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from polytag.errors import PlanError, nearest

Size = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]  # what every generator takes
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, strict=True)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Cell = Literal["reset_before", "reset_after"]
Paths = Annotated[tuple[str, ...], Field(min_length=1)]
NONE = "none"  # how a plan file leaves out a value that its recipe sets: TOML has no null


def _column(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("expected the number or the name of a column")
    return value


class Table(BaseModel):
    """A table of the plan: unknown keys are errors, values never change once checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _none_is_nothing(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {key: None if value == NONE and key in cls._optional() else value for key, value in data.items()}

    @classmethod
    def _optional(cls) -> set[str]:
        """The settings that may be left out altogether."""
        return {name for name, field in cls.model_fields.items() if type(None) in get_args(field.annotation)}


class Chars(Table):
    """A character part: alphabet, character embedding and character GRU (paper, section 3.2.1)."""

    dimension: Size = 25
    hidden: Size = 80
    layers: Size = 2
    cell: Cell = "reset_before"
    bias: Flag = False
    boundaries: Flag = Field(True, description="give each word a start and an end symbol")
    dropout: Fraction = 0.0


class Words(Table):
    """A word part: word list, word embedding, pretrained vectors and word GRU (paper, section 3.2.2)."""

    vectors: str | None = Field(None, description="file of pretrained word vectors")
    vector_std: Positive | None = Field(None, description="rescale the vectors to this standard deviation")
    embedding: Flag = Field(True, description="false leaves word embeddings out: characters alone")
    dimension: Size = Field(50, description="of the word embedding; where there are vectors, theirs")
    hidden: Size = 300
    layers: Size = 2
    cell: Cell = "reset_before"
    bias: Flag = False
    dropout: Fraction = Field(0.0, description="at the input of each layer")
    lowercase: Flag = True
    zero_digits: Flag = Field(True, description="look words up with every digit as 0")
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
    constrained: Flag = Field(False, description="decode valid tag sequences only")
    dropout: Fraction = Field(0.0, description="at the input of the CRF")


class Columns(Table):
    """Where words and tags stand: column numbers from 0 (negative from the end), or names as the format has them."""

    word: Annotated[int, Field(strict=True)] = 0
    tag: Annotated[int | str, BeforeValidator(_column)] = -1


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
    rate: Annotated[float, Field(gt=0.0, le=1.0, strict=True)] = Field(
        1.0, description="labeling rate: share of training sentences"
    )
    rate_draw: Literal["nested", "replacement"] = "nested"
    rate_seed: Seed = 13

    @model_validator(mode="before")
    @classmethod
    def _lists_of_paths(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {
            key: (value,) if key in ("train", "dev", "test") and isinstance(value, str) and value != NONE else value
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
    seed: Seed = 1
    epochs: Count = 50
    batch_sentences: Count = 10
    optimizer: Literal["adagrad", "adam"] = "adagrad"
    learning_rate: Positive = 0.01
    final_learning_rate: Positive | None = Field(None, description="decay linearly to this over all epochs")
    epsilon: Positive = 1e-6
    accumulators: Literal["shared", "task"] = Field("shared", description="of AdaGrad and Adam in shared parts")
    clip: Positive | None = Field(None, description="largest norm of a step's gradient")
    margin: Annotated[float, Field(ge=0.0, allow_inf_nan=False, strict=True)] = Field(
        5.0, description="kappa of the softmax-margin"
    )
    task_sampling: Literal["round", "proportional"] = Field(
        "round", description="a mini-batch of each task in turn, or each task in proportion to its size"
    )
    patience: Count | None = Field(None, description="stop after so many epochs without a better score")
    select: str = Field("mean", description="'mean' or a task: whose development score keeps the best epoch")
    best_per_task: Flag = Field(False, description="also keep the best weights of each task")
    track_test: Flag = Field(False, description="score the test split at every epoch, for best-on-test figures only")
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

    def only(self, tasks: Iterable[str]) -> "Plan":
        """The plan of some tasks alone, with the parts that they use: what joint training is compared with.

        Raises:
            PlanError: there is no such task.
        """
        chosen = dict.fromkeys(tasks)
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
        return self.model_copy(update={**parts, "tasks": kept, "training": training})

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
        """Plain tables, as TOML can hold them: every setting is written out, those that are None as "none"."""
        tables = self.model_dump(mode="json")
        for name, words in self.words.items():
            # A dimension that nobody set is no default any more once it is written out: the vectors' own would clash.
            if words.vectors is not None and "dimension" not in words.model_fields_set:
                del tables["words"][name]["dimension"]
        return _written_out(tables)


def _written_out(tables: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _written_out(value) if isinstance(value, dict) else NONE if value is None else value
        for key, value in tables.items()
    }
