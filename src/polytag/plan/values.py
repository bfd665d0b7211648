"""What the values of a plan are: their types and bounds, and the names that stand for nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from polytag.corpus.formats import FORMATS
from polytag.tag_schemes import ALIASES, SCHEMES, SPAN_SCHEMES

Size = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]  # what every generator takes
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, strict=True)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Text = Annotated[str, Field(min_length=1)]
MEMORY = "<memory>"  # in the place of files: the sentences came from a program, no file has them
AUTO = "auto"  # among files of clusters: those that are made of the word vectors
NONE = "none"  # how a plan file leaves out a value that its recipe sets: TOML has no null


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(_listed)]
Paths = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_listed)]


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
