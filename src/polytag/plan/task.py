"""The tasks of a plan: their files, and how these are written."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from polytag.plan.values import DataFormat, DataScheme, Fraction, Name, Names, Paths, Seed, Table, Text


def _column(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("expected the number or the name of a column")
    return value


def _tag(value: Any) -> Any:
    return str(value) if type(value) is int else value  # --set tasks.ner.outside=0


class Columns(Table):
    """Where words and tags stand: column numbers from 0 (negative from the end), or names as the format has them."""

    word: Annotated[int | str, BeforeValidator(_column)] = Field(0, description="column of the words (conll, csv)")
    tag: Annotated[int | str, BeforeValidator(_column)] = Field(-1, description="column or key of the tags")
    names: tuple[Text, ...] = Field((), description="of tags that are numbers, from 0 on, if no file has them")


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

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.holdout and self.dev:
            raise ValueError("give dev files or holdout, not both")
        return self
