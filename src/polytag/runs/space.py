"""What a search varies: settings, each with a range or with choices."""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polytag.errors import PlanError
from polytag.plan import Plan
from polytag.plan.values import NONE

if TYPE_CHECKING:
    from optuna import Trial

Value = bool | int | float | str
EXPECTED = (
    'expected KEY=LOW..HIGH or KEY=[A, B], such as training.learning_rate=0.001..0.01 or size=["small", "medium"]'
)
FAR = 10  # a range whose ends are so many times apart is searched by its logarithm


@dataclass(frozen=True)
class Dimension:
    """One setting, ``*`` for the name of every part or task of its kind, and its choices, or the ends of its range."""

    key: str
    choices: Sequence[Value] = ()
    low: float = 0
    high: float = 0

    def __str__(self) -> str:
        return f"{self.key}={json.dumps(list(self.choices)) if self.choices else f'{self.low}..{self.high}'}"

    @property
    def ends(self) -> Sequence[Value]:
        """The values to try before a search begins."""
        return self.choices or (self.low, self.high)

    def suggest(self, trial: "Trial") -> Value:
        """The value of a trial."""
        if self.choices:
            chosen: Value = trial.suggest_categorical(self.key, list(self.choices))  # type: ignore[assignment]  # or None
            return chosen
        is_far = self.low > 0 and self.high >= FAR * self.low
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.key, self.low, self.high, log=is_far)
        return trial.suggest_float(self.key, self.low, self.high, log=is_far)

    def settings(self, value: Value, plan: Plan) -> list[str]:
        """The value as it is laid over the plan, numbers to three digits."""
        short = float(f"{value:.3g}") if isinstance(value, float) else value
        return [f"{key}={json.dumps(short)}" for key in self._keys(plan)]

    def value_of(self, plan: Plan) -> Value | None:
        """What the plan has, where that is one value and lies in the range."""
        values = [_value(plan.to_dict(), key) for key in self._keys(plan)]
        first: Any = values[0] if values else None
        is_there = first in self.choices if self.choices else _is_number(first) and self.low <= first <= self.high
        return first if is_there and all(value == first for value in values) else None

    def _keys(self, plan: Plan) -> list[str]:
        kind, star, rest = self.key.partition(".*.")
        if not star:
            return [self.key]
        named = getattr(plan, kind, None)
        if not isinstance(named, Mapping):
            raise PlanError(f"--vary {self}: * stands for the names below chars, words, tags or tasks, found '{kind}'")
        return [f"{kind}.{name}.{rest}" for name in named]


def dimension(text: str) -> Dimension:
    """Read ``KEY=LOW..HIGH`` or ``KEY=[A, B]``.

    Raises:
        PlanError: it is neither.
    """
    key, equals, values = (part.strip() for part in text.partition("="))
    low, dots, high = values.partition("..")
    try:
        ends = tomllib.loads(f"found = [{low}, {high}]" if dots else f"found = {values}")["found"]
    except (ValueError, RecursionError):
        ends = None
    if not equals or not all(key.split(".")) or not isinstance(ends, list) or len(ends) < 2:
        raise PlanError(f"--vary {text}: {EXPECTED}")
    if not dots and all(isinstance(value, bool | int | float | str) for value in ends):
        return Dimension(key, tuple(ends))
    if not all(map(_is_number, ends)) or ends[0] >= ends[1]:
        raise PlanError(f"--vary {text}: {EXPECTED}")
    return Dimension(key, low=ends[0], high=ends[1])


def default_space(plan: Plan, changes: Callable[[str], bool]) -> list[Dimension]:
    """What is searched unless something else is asked for; ``changes`` says whether a setting changes the plan.

    The learning rate up to four times lower and higher, the sentences of a batch, dropout at the words and at the
    tags, and the size, where the plan leaves layers and units to it.
    """
    training = plan.training
    batches = sorted({8, 16, 32, training.batch_sentences})
    sizes = list(dict.fromkeys(["small", "medium", plan.size or "paper"]))
    found = [
        Dimension("training.learning_rate", low=training.learning_rate / 4, high=training.learning_rate * 4),
        Dimension("training.batch_sentences", batches),
        Dimension("words.*.dropout", low=0.0, high=0.6),
        Dimension("tags.*.dropout", low=0.0, high=0.6),
    ]
    if NONE in sizes:
        sizes[sizes.index(NONE)] = "paper"
    differs = {size: changed for size in sizes if (changed := _changes(size, changes)) is not None}
    return [*found, Dimension("size", [*differs])] if any(differs.values()) else found


def _changes(size: str, changes: Callable[[str], bool]) -> bool | None:
    """Whether a size changes the plan; None where its tasks read a layer that this lacks."""
    try:
        return changes(f'size="{size}"')
    except PlanError:
        return None


def _value(tables: Any, key: str) -> Any:
    for step in key.split("."):
        tables = tables.get(step) if isinstance(tables, Mapping) else None
    return tables


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
