"""The plan: what is trained and what is shared. Only here.

A plan declares named parts (``chars.NAME``, ``words.NAME``, ``tags.NAME``) and tasks that name the parts they use.
Tasks that name the same part share it; nothing else decides sharing.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from polytag.corpus.formats import FORMATS
from polytag.errors import PlanError, nearest
from polytag.tag_schemes import ALIASES, SCHEMES, SPAN_SCHEMES
from polytag.tokenisers import TOKENISERS, UNICODE, is_tokeniser

Size = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]  # what every generator takes
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, strict=True)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Text = Annotated[str, Field(min_length=1)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]  # as spaCy has them: ISO 639, xx for any
Cell = Literal["reset_before", "reset_after", "lstm"]
Paths = Annotated[tuple[str, ...], Field(min_length=1)]
_CELLS = "a GRU, reset_before: as the paper, or reset_after: as torch.nn.GRU; lstm: an LSTM in its place"
_BIASES = "give the gates biases; the paper has none; those of an LSTM's forget gates start from 1"
MEMORY = "<memory>"  # in the place of files: the sentences came from a program, no file has them
AUTO = "auto"  # among files of clusters: those that are made of the word vectors
NONE = "none"  # how a plan file leaves out a value that its recipe sets: TOML has no null


def _epochs(value: object) -> object:
    if value != "auto" and (type(value) is not int or value < 1):
        raise ValueError("expected a whole number of at least 1, or 'auto'")
    return value


def _tokeniser(value: object) -> object:
    if not is_tokeniser(value):
        raise ValueError(f"expected {TOKENISERS}")
    return value


def _column(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("expected the number or the name of a column")
    return value


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _tag(value: Any) -> Any:
    return str(value) if type(value) is int else value  # --set tasks.ner.outside=0


Names = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1)]


@dataclass(frozen=True)
class Choices:
    """The names that a value may have, for those who list them."""

    names: tuple[str, ...]


def _among(choices: Choices, aliases: Mapping[str, str] = {}) -> BeforeValidator:
    """What reads one of the names, or another name of it."""

    def choose(value: object) -> object:
        name = aliases.get(value.lower(), value) if isinstance(value, str) else value
        if name not in choices.names:
            raise ValueError(f"expected one of {', '.join(choices.names)}")
        return name

    return BeforeValidator(choose)


_ANNOTATED = Choices(("auto", *(name for name, row in FORMATS.items() if row.has_tags)))
_IN_NETWORK = Choices(tuple(name for name in SPAN_SCHEMES if SCHEMES[name].separates))
_IN_FILES = Choices(("auto", *SCHEMES))
DataFormat = Annotated[str, _among(_ANNOTATED), _ANNOTATED]
NetworkScheme = Annotated[str, _among(_IN_NETWORK, ALIASES), _IN_NETWORK]
DataScheme = Annotated[str, _among(_IN_FILES, ALIASES), _IN_FILES]


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
    def settings(cls) -> dict[str, FieldInfo]:
        """The settings by the keys that a plan has for them."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    @classmethod
    def _optional(cls) -> set[str]:
        """The settings that may be left out altogether."""
        return {key for key, field in cls.settings().items() if type(None) in get_args(field.annotation)}


class Chars(Table):
    """A character part: alphabet, character embedding and character GRU (paper, section 3.2.1)."""

    dimension: Size = Field(25, description="of the character embedding")
    hidden: Size = Field(80, description="width of the character GRU in each direction")
    layers: Size = Field(2, description="of the character GRU")
    cell: Cell = Field("reset_before", description=_CELLS)
    bias: Flag = Field(False, description=_BIASES)
    boundaries: Flag = Field(True, description="give each word a start and an end symbol")
    dropout: Fraction = Field(0.0, description="at the input of each layer")


class Words(Table):
    """A word part: word list, word embedding, pretrained vectors and word GRU (paper, section 3.2.2)."""

    vectors: str | None = Field(None, description="file of pretrained word vectors")
    vector_std: Positive | None = Field(None, description="rescale the vectors to this standard deviation")
    clusters: Annotated[Paths, BeforeValidator(_listed)] | None = Field(
        None,
        description="'auto' for those of the vectors, or files of Brown paths or classes: features of the linear CRF",
    )
    embedding: Flag = Field(True, description="false leaves word embeddings out: characters alone")
    dimension: Size = Field(50, description="of the word embedding; where there are vectors, theirs")
    hidden: Size = Field(300, description="width of the word GRU in each direction")
    layers: Size = Field(2, description="of the word GRU")
    cell: Cell = Field("reset_before", description=_CELLS)
    bias: Flag = Field(False, description=_BIASES)
    dropout: Fraction = Field(0.0, description="at the input of each layer")
    unknown: Annotated[float, Field(ge=0.0, allow_inf_nan=False, strict=True)] = Field(
        0.0,
        description="a: while training, a word that occurs n times is read as unknown with probability a / (a + n)",
    )
    lowercase: Flag = Field(True, description="look words up in lower case; false: only if not known as they are")
    zero_digits: Flag = Field(True, description="look words up with every digit as 0")
    max_characters: Size = Field(35, description="longer words are cut for the character GRU only")
    tokeniser: Annotated[str, BeforeValidator(_tokeniser)] = Field(
        UNICODE, description=f"what cuts text into words, in records and raw text: {TOKENISERS}"
    )
    language: Language | None = Field(
        None, description="code of the language, such as 'en', as a server is asked for it"
    )
    vocabulary: Literal["train", "all"] = Field("train", description="'all' takes the words of dev and test files too")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.vectors is not None and not self.embedding:
            raise ValueError("vectors need the word embedding; leave 'vectors' out or set embedding = true")
        if AUTO in (self.clusters or ()) and self.vectors is None:
            raise ValueError(f"clusters '{AUTO}' are those of word vectors; give 'vectors', or name files of clusters")
        return self


class Tags(Table):
    """A tag part: tag set, gazetteer input, emission projection and CRF (paper, section 3.3)."""

    output: Literal["crf", "softmax"] = Field(
        "crf", description="crf scores whole tag sequences; softmax each word's tag for itself, without a margin"
    )
    layer: Size | None = Field(
        None, description="of the word GRU whose states are read, 1 the lowest; unless given, the highest"
    )
    scheme: NetworkScheme = Field("bioes", description="how the network sees spans")
    gazetteer: str | None = Field(None, description="CoNLL list, 'TYPE entity words' per line")
    gazetteer_dropout: Fraction = Field(
        0.0, description="of words, while training: their gazetteer column is as if no entry had matched"
    )
    features: Flag = Field(
        False, description="train a linear CRF on affixes, shapes and neighbours of words too, and add its scores"
    )
    constrained: Flag = Field(False, description="decode valid tag sequences only")
    dropout: Fraction = Field(0.0, description="at the input of the CRF or softmax")


class Columns(Table):
    """Where words and tags stand: column numbers from 0 (negative from the end), or names as the format has them."""

    word: Annotated[int | str, BeforeValidator(_column)] = Field(0, description="column of the words (conll, csv)")
    tag: Annotated[int | str, BeforeValidator(_column)] = Field(-1, description="column or key of the tags")
    names: tuple[str, ...] = Field((), description="of tags that are numbers, from 0 on, if no file has them")


class Task(Table):
    """One tagging problem: its files, and the names of the parts it uses."""

    chars: Name | None = Field(None, description="the character part that the task uses; left out: no characters")
    words: Name = Field(description="the word part that the task uses: its language")
    tags: Name = Field(
        "",
        description="the tag part that the task uses; one of its own, with the task's name, unless given",
        validate_default=False,
    )
    train: Paths = Field(description="annotated files to train on")
    dev: Paths | None = Field(None, description="files whose score chooses the epoch to keep")
    test: Paths | None = Field(None, description="files that are scored once, at the end")
    format: DataFormat = Field("auto", description="how the files are written; auto goes by their suffix")
    encoding: str = Field("auto", description="a codec; auto is UTF-8, else latin-1")
    columns: Columns = Field(Columns(), description="where words and tags stand")
    scheme: DataScheme = Field(
        "auto", description="how the files mark spans; auto is detected, told and checked; plain: tags are no spans"
    )
    overlaps: Literal["longest", "first", "refuse"] = Field(
        "longest", description="which of two spans of characters over each other is read; the others are told"
    )
    outside: Annotated[str, BeforeValidator(_tag), Field(min_length=1)] = Field(
        "O", description="the files' tag of words in no span, such as 0, _ or NONE; O is read as such in any case"
    )
    marks: Names | None = Field(
        None, description="types of spans that the files mark: O is none of these, and may be any other; left out: all"
    )
    holdout: Fraction = Field(0.0, description="share of the training sentences held out as the development set")
    rate: Annotated[float, Field(gt=0.0, le=1.0, strict=True)] = Field(
        1.0, description="labeling rate: share of training sentences"
    )
    rate_draw: Literal["nested", "replacement"] = Field(
        "nested", description="lower rates draw from the sentences of higher ones, or each with replacement"
    )
    rate_seed: Seed = Field(13, description="of the draw; training.seed does not touch it")

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
    """What weights start from: another model's, or normal distributions of these standard deviations."""

    gru: Positive = Field(0.1, description="of the matrices of all GRUs and LSTMs")
    chars: Positive = Field(0.01, description="of character embeddings")
    words: Positive = Field(0.001, description="of words without a pretrained vector")
    model: str | None = Field(None, alias="from", description="model, a directory or a packed file, to learn on from")
    parts: Names | None = Field(
        None,
        description="what is taken from it: chars.latin, or words.en=words.english where it has another name there; "
        "unless given, all parts of one name",
    )
    freeze: Names | None = Field(None, description="parts that stay as they start, such as chars.latin")

    @property
    def taken(self) -> dict[str, str]:
        """The parts that are taken from the other model, as ``parts`` has them, each with its name there."""
        pairs = ([side.strip() for side in part.partition("=")[::2]] for part in self.parts or ())
        return {part: source or part for part, source in pairs}


class Training(Table):
    """How the parts are trained (paper, sections 3.4 and 4)."""

    recipe: str = Field("paper", description="table of defaults: paper, authors or best")
    seed: Seed = Field(1, description="of weights, order of sentences and dropout")
    epochs: Annotated[int | Literal["auto"], BeforeValidator(_epochs)] = Field(
        50, description="passes through a task's sentences; auto: the more, the fewer there are (8 to 25)"
    )
    epoch_of: Literal["largest", "smallest"] = Field(
        "largest", description="which task's sentences an epoch of rounds goes through; scores come after each epoch"
    )
    batch_sentences: Count = Field(10, description="sentences of a mini-batch")
    optimizer: Literal["adagrad", "adam"] = Field("adagrad", description="how weights are moved")
    learning_rate: Positive = Field(0.01, description="at the start")
    final_learning_rate: Positive | None = Field(None, description="decay linearly to this over all epochs")
    feature_learning_rate: Positive = Field(
        1.0, description="at the start, of the linear CRF on features: stochastic gradient descent"
    )
    epsilon: Positive = Field(1e-6, description="AdaGrad: inside the square root; Adam: outside it")
    average: Positive | None = Field(
        None, description="epochs that weights are averaged over, exponentially; the averages are scored and kept"
    )
    accumulators: Literal["shared", "task"] = Field(
        "shared", description="of AdaGrad and Adam in shared parts: one set, or one for each task"
    )
    clip: Positive | None = Field(None, description="largest norm of a step's gradient")
    margin: Annotated[float, Field(ge=0.0, allow_inf_nan=False, strict=True)] = Field(
        5.0, description="kappa of a CRF's softmax-margin"
    )
    task_sampling: Literal["round", "proportional"] = Field(
        "round", description="a mini-batch of each task in turn, or each task in proportion to its size"
    )
    patience: Count | None = Field(
        None, description="stop after so many epochs without a better score, once it was above 0"
    )
    select: str = Field("mean", description="'mean' or a task: whose development score keeps the best epoch")
    best_per_task: Flag = Field(False, description="also keep the best weights of each task")
    track_test: Flag = Field(False, description="score the test split at every epoch, for best-on-test figures only")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of the products of the recurrent layers; sums, weights and gradients are float32"
    )
    threads: Count | None = Field(None, description="CPU threads; unless given, as PyTorch chooses: all cores")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.epoch_of == "smallest" and self.task_sampling == "proportional":
            raise ValueError(
                "an epoch_of 'smallest' needs task_sampling 'round': 'proportional' goes through every task"
            )
        return self


class Plan(Table):
    """A whole plan, checked, with every default filled in."""

    chars: dict[Name, Chars] = {}
    words: dict[Name, Words]
    tags: dict[Name, Tags] = {}
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
        """Plain tables, as TOML can hold them: every setting is written out, those that are None as "none"."""
        tables = self.model_dump(mode="json", by_alias=True)
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
