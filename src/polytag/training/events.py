"""What a training tells of itself, event by event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from polytag.model import Model


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know about the data."""

    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One mini-batch of one task was trained on."""

    task: str
    epoch: int  # from 1
    step: int  # of the whole training, from 1
    steps: int  # in all epochs of the plan
    words: int
    loss: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An epoch has ended."""

    epoch: int
    loss: Mapping[str, float]
    dev: Mapping[str, float]
    test: Mapping[str, float]  # empty unless training.track_test
    selected: float | None  # what the best epoch is chosen by
    is_best: bool
    seconds: float  # of training and evaluation so far


@dataclass(frozen=True, slots=True)
class Trained:
    """The training has come to its end; the last event.

    ``model`` has the best epoch's weights, and `polytag.Tagger` tags with it; ``report`` is what `report.json` of a
    model directory holds: the scores, and all that is needed to make them again.
    """

    model: Model
    report: Mapping[str, Any]


Event = Note | Step | Evaluation | Trained
