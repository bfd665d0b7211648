"""How a plan's parts are trained, and what their weights start from."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from polytag.plan.values import Count, Flag, Names, Positive, Seed, Table


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


def _epochs(value: object) -> object:
    if value != "auto" and (type(value) is not int or value < 1):
        raise ValueError("expected a whole number of at least 1, or 'auto'")
    return value


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
    refit: Flag = Field(
        False, description="then train again, on train and dev together, for as many epochs as dev has chosen"
    )
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
