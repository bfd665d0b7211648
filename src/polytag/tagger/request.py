"""What to say of sentences: one class from the command line, bulk tagging, the server, spaCy and Python alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TypedDict

from polytag.corpus.sentence import MOST_ALTERNATIVES
from polytag.errors import PolytagError


class Options(TypedDict, total=False):
    """The fields of a `Request` as keywords, for those who would rather write them one by one."""

    tasks: Sequence[str]
    confidence: bool
    nbest: int
    constrained: bool | None
    min_probability: float | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Request:
    """What to say of each sentence.

    Args:
        tasks: names, or one name; all tasks of the model's language unless given.
        confidence: also give the marginal probability of each tag and the probability of each span.
        nbest: also give so many of the most probable tag sequences, fewer where there are fewer; the first is the
            sentence's own.
        constrained: allow valid tag sequences only; as the plan says unless given.
        min_probability: spans that are less probable are left out: their words are outside. One for all types, or by
            type; of types that are not there, all are kept. Alternatives stay as they are.

    Raises:
        PolytagError: the tasks are no names, more alternatives are wanted than can be had, or a probability is none.
    """

    tasks: Sequence[str] = ()
    confidence: bool = False
    nbest: int = 0
    constrained: bool | None = None
    min_probability: float | Mapping[str, float] = 0.0

    def __post_init__(self) -> None:
        if type(self.nbest) is not int or not 0 <= self.nbest <= MOST_ALTERNATIVES:
            raise PolytagError(
                f"nbest is {self.nbest!r}, expected a number from 1 to {MOST_ALTERNATIVES:,}, or 0 for none"
            )
        try:
            tasks = (self.tasks,) if isinstance(self.tasks, str) else tuple(self.tasks or ())
        except TypeError as error:
            raise PolytagError(f"tasks is {self.tasks!r:.60}, expected names of tasks") from error
        object.__setattr__(self, "tasks", tasks)
        least = self.min_probability
        values: Iterable[object] = least.values() if isinstance(least, Mapping) else (least,)
        for value in values:
            if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
                raise PolytagError(f"min_probability is {value!r:.60}, expected a number from 0 to 1")

    def least(self, type_: str) -> float:
        """The probability that a span of a type needs."""
        least = self.min_probability
        return least.get(type_, 0.0) if isinstance(least, Mapping) else least

    def with_options(self, options: Options) -> "Request":
        """The same request with some fields anew."""
        return replace(self, **options) if options else self


ANYTHING = Request()  # the tags of all tasks
