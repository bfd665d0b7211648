"""Bodies of requests and replies, as OpenAPI describes them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation, WithJsonSchema

OFFSETS = "start and end of each word in the text, counted in Unicode code points (JavaScript counts UTF-16 units)"


def _sentences(value: Any) -> Any:
    """One sentence, ["a", "b"], as a list of one."""
    return [value] if isinstance(value, list) and value and isinstance(value[0], str) else value


Word = Annotated[str, Field(min_length=1)]
_LIST = {"type": "array", "items": {"type": "string"}}
Words = Annotated[
    list[list[Word]],
    BeforeValidator(_sentences),
    WithJsonSchema({"anyOf": [_LIST, {"type": "array", "items": _LIST}]}),
]


Probability = Annotated[float, Field(ge=0, le=1)]


class TagRequest(BaseModel):
    """What to tag, and what to say of it: either ``text`` or ``words``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str | None = Field(None, description="raw text, which the server cuts into sentences and words")
    words: Words | None = Field(None, description="the words of one sentence, or of several")
    model: str | None = Field(None, description="its name in /models, where several are served; else the first")
    tokenised: bool = Field(False, description="the text has a sentence per line, words parted by blanks")
    language: str | None = Field(None, description="its name or code in /model; needed where a model reads several")
    tasks: list[str] | None = Field(None, min_length=1, description="all tasks of the language unless given")
    confidence: bool = Field(False, description="also give the probability of each tag and of each span")
    min_probability: SkipValidation[Probability | dict[str, Probability]] = Field(  # `Request` checks it
        0.0, description="leave out spans that are less probable; one for all types, or by type"
    )
    consistent: bool = Field(False, description="tag names with an eye to their other mentions in the request")
    nbest: int = Field(0, ge=0, description="also give so many of the most probable tag sequences")


class SpanReply(BaseModel):
    """A typed stretch: words[start:end], in a text the characters[0] to characters[1]."""

    type: str
    start: int
    end: int
    characters: tuple[int, int] | None = Field(None, description="of a text only, in Unicode code points")
    probability: float | None = Field(None, description="with confidence only")


class SequenceReply(BaseModel):
    """One of the most probable tag sequences."""

    tags: list[str]
    probability: float


class SentenceReply(BaseModel):
    """Words and, for each task, what the model says of them; keys that do not apply are absent."""

    words: list[str]
    offsets: list[tuple[int, int]] | None = Field(None, description=OFFSETS)
    tags: dict[str, list[str]]
    confidence: dict[str, list[float]] | None = None
    alternatives: dict[str, list[SequenceReply]] | None = Field(None, description="with nbest; the best is the first")
    predicted_spans: dict[str, list[SpanReply]] = Field(description="of tasks that mark spans")


class TagReply(BaseModel):
    """The answer to a request to tag."""

    tasks: list[str]
    sentences: list[SentenceReply]


class LanguageReply(BaseModel):
    """A language: a word part of the plan."""

    name: str
    code: str = Field(description="of the language, by which requests may name it; xx is any")
    tokeniser: str = Field(description="what cuts text into words")
    words: int = Field(description="in its vocabulary")
    tasks: list[str]
    example: str = Field(description="text to try it on, tokenised: the first words that it was trained on")


class TaskReply(BaseModel):
    """A task."""

    name: str
    language: str
    kind: Literal["spans", "tags"] = Field(description="whether it marks stretches of words or tags word by word")
    types: list[str] = Field(description="of spans, or all tags")
    scheme: str = Field(description="in which tags are given")
    tags: int = Field(description="how many there are in the network")


class LimitsReply(BaseModel):
    """What one request may hold."""

    body_bytes: int
    words: int
    sentence_words: int
    nbest: int = Field(description="tag sequences")
    seconds: float


class ModelReply(BaseModel):
    """What the server tags with."""

    polytag: str = Field(description="version")
    model: str = Field(description="name of its directory")
    precision: str
    parameters: int
    languages: list[LanguageReply]
    tasks: list[TaskReply]
    limits: LimitsReply


class LiveReply(BaseModel):
    """A model that learns from what people annotate."""

    version: str = Field(description="that answers now")
    task: str = Field(description="that people annotate")
    annotated: int = Field(description="tasks with an annotation")
    pending: int = Field(description="sentences annotated since the last training began")
    every: int = Field(description="so many begin the next")
    training: bool
    failure: str | None = Field(None, description="of the last training, in one sentence")


class HealthReply(BaseModel):
    """That the server is alive, and how busy."""

    status: Literal["ok"]
    waiting: int
    running: int
    answered: int
    live: LiveReply | None = Field(None, description="with serve --live only")


class ErrorReply(BaseModel):
    """Every error."""

    error: str = Field(description="one sentence")
