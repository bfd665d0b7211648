"""The tasks of a plan: their files, and how these are written."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from polytag.corpus.formats.record import is_spans
from polytag.corpus.labels import Labels, wrong_map
from polytag.plan.values import MEMORY, DataFormat, DataScheme, Fraction, Name, Names, Seed, Table, Text

SPLITS = ("train", "dev", "test")


def _column(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("expected the number or the name of a column")
    return value


def _tag(value: Any) -> Any:
    return str(value) if type(value) is int else value  # --set tasks.ner.outside=0


OutsideTag = Annotated[str, BeforeValidator(_tag), Field(min_length=1)]
LabelMap = dict[str, str]


class Columns(Table):
    """Where words and tags stand: column numbers from 0 (negative from the end), or names as the format has them."""

    word: Annotated[int | str, BeforeValidator(_column)] = Field(0, description="column of the words (conll, csv)")
    tag: Annotated[int | str, BeforeValidator(_column)] = Field(-1, description="column or key of the tags")
    names: tuple[Text, ...] = Field((), description="of tags that are numbers, from 0 on, if no file has them")


class DataFile(Table):
    """A file of a task that is otherwise than the task says of all its files; what is left out is as for these."""

    file: Text = Field(description="the file")
    format: DataFormat | None = Field(None, description="how it is written")
    encoding: str | None = Field(None, description="its codec")
    columns: Columns | None = Field(None, description="where its words and tags stand")
    outside: OutsideTag | None = Field(None, description="its tag of words in no span")
    map: LabelMap | None = Field(None, description="its labels -> those of the task")
    min_probability: Fraction | None = Field(None, description="its least score of a span that is read")


def _kind_of_file(value: Any) -> str:
    return "[file]" if isinstance(value, Mapping | DataFile) else "[path]"


def _files(value: Any) -> Any:
    return (value,) if isinstance(value, str | Mapping | DataFile) else value


File = Annotated[Annotated[str, Tag("[path]")] | Annotated[DataFile, Tag("[file]")], Discriminator(_kind_of_file)]
Files = Annotated[tuple[File, ...], Field(min_length=1), BeforeValidator(_files)]


class Task(Table):
    """One tagging problem: its files, and the names of the parts it uses."""

    chars: Name | None = Field(None, description="the character part that the task uses; left out: no characters")
    words: Name = Field(description="the word part that the task uses: its language")
    tags: Name = Field(
        "",
        description="the tag part that the task uses; one of its own, with the task's name, unless given",
        validate_default=False,
    )
    train: Files = Field(description="annotated files to train on")
    dev: Files | None = Field(None, description="files whose score chooses the epoch to keep")
    test: Files | None = Field(None, description="files that are scored once, at the end")
    format: DataFormat = Field("auto", description="how the files are written; auto goes by their suffix")
    encoding: str = Field("auto", description="a codec; auto is UTF-8, else latin-1")
    columns: Columns = Field(Columns(), description="where words and tags stand")
    scheme: DataScheme = Field(
        "auto", description="how the files mark spans; auto is detected, told and checked; plain: tags are no spans"
    )
    overlaps: Literal["longest", "first", "refuse"] = Field(
        "longest", description="which of two spans of characters over each other is read; the others are told"
    )
    min_probability: Fraction = Field(
        0.0, description="words of a span of characters that has a lower score are unknown; those without one are sure"
    )
    outside: OutsideTag = Field(
        "O", description="the files' tag of words in no span, such as 0, _ or NONE; O is read as such in any case"
    )
    map: LabelMap = Field(
        {}, description="types of spans, or plain tags, of the files -> those of the task, or O for none; others stay"
    )
    marks: Names | None = Field(
        None, description="types of spans that the files mark: O is none of these, and may be any other; left out: all"
    )
    holdout: Fraction = Field(0.0, description="share of the training sentences held out as the development set")
    fold: Annotated[str, Field(pattern=r"^[0-9]{1,4}/[0-9]{1,4}$")] | None = Field(
        None, description="K/N: the K-th of N parts of the training sentences is the development set"
    )
    rate: Annotated[float, Field(gt=0.0, le=1.0, strict=True)] = Field(
        1.0, description="labeling rate: share of training sentences"
    )
    rate_draw: Literal["nested", "replacement"] = Field(
        "nested", description="lower rates draw from the sentences of higher ones, or each with replacement"
    )
    mention_replacement: Fraction = Field(
        0.0, description="while training: probability that a span makes room for another of its type in training files"
    )
    case_augmentation: Fraction = Field(
        0.0, description="while training: probability that a sentence is read in small letters or in capitals alone"
    )
    rate_seed: Seed = Field(13, description="of the draw; training.seed does not touch it")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = {"dev files": self.dev, "holdout": self.holdout, "fold": self.fold}
        if len(names := [name for name, value in given.items() if value]) > 1:
            raise ValueError(f"give {names[0]} or {names[1]}, not both")
        if self.fold and not 1 <= self.fold_of[0] <= self.fold_of[1] >= 2:
            raise ValueError(f"fold '{self.fold}': expected K/N with K from 1 to N, and N of at least 2")
        maps = [self.map, *(file.map or {} for split in SPLITS for file in self.files(split))]
        if problem := next(filter(None, (wrong_map(of, plain=self.scheme == "plain") for of in maps)), ""):
            raise ValueError(f"map: {problem}")
        return self

    def files(self, split: str) -> list[DataFile]:
        """The files of a split, each with all that is said of it."""
        return [self.described(file) for file in getattr(self, split) or ()]

    def described(self, file: str | DataFile) -> DataFile:
        """A file with what the task says of all its files, as far as it says nothing itself."""
        file = file if isinstance(file, DataFile) else DataFile.model_construct(file=file)
        unsaid = [key for key in DataFile.model_fields if getattr(file, key) is None]
        return file.model_copy(update={key: getattr(self, key) for key in unsaid})

    def with_names(self, name: Callable[[str, str], str]) -> "Task":
        """The task with other names of its files, each by the one that it has and its split."""

        def named(file: str | DataFile, split: str) -> str | DataFile:
            if isinstance(file, DataFile):
                return file.model_copy(update={"file": name(file.file, split)})
            return name(file, split)

        files = {split: tuple(named(file, split) for file in getattr(self, split) or ()) or None for split in SPLITS}
        return self.model_copy(update=files)

    def with_map(self, more: Mapping[str, str]) -> "Task":
        """The task with more said of the labels of all its files, as they are read so far or as the files have them."""

        def mapped(own: Mapping[str, str]) -> dict[str, str]:
            return {**{label: more.get(new, new) for label, new in own.items()}, **more}

        files = {
            split: tuple(
                of.model_copy(update={"map": mapped(of.map)}) if isinstance(of, DataFile) and of.map is not None else of
                for of in getattr(self, split)
            )
            for split in SPLITS
            if getattr(self, split)
        }
        return self.model_copy(update={"map": mapped(self.map), **files})

    def labels(self, file: DataFile | None = None) -> Labels:
        """How tags are read, those of a file or, without one, those of sentences from memory."""
        described = file or self.described(MEMORY)
        plain = self.scheme == "plain" and not is_spans(described.columns.tag if described.columns else -1)
        return Labels(described.outside or "O", described.map or {}, plain)

    @property
    def fold_of(self) -> tuple[int, int]:
        """Of a task with a fold: which part of the training sentences is held out, from 1, and of how many."""
        part, _, parts = (self.fold or "").partition("/")
        return int(part), int(parts)

    @property
    def holds_out(self) -> bool:
        """Whether training sentences are the development set."""
        return self.holdout > 0 or self.fold is not None
