"""What to say of sentences: one class from the command line, bulk tagging, the server, spaCy and Python alike."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TypedDict

from polytag.corpus.sentence import MOST_ALTERNATIVES
from polytag.errors import PolytagError, nearest


class Options(TypedDict, total=False):
    """The fields of a `Request` as keywords, for those who would rather write them one by one."""

    tasks: Sequence[str]
    confidence: bool
    nbest: int
    constrained: bool | None
    min_probability: float | Mapping[str, float]
    consistent: bool


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
            type; of types that it does not name, all are kept. Alternatives stay as they are.
        consistent: tag names with an eye to their other mentions in the sentences that are given together, of which one
            often tells what the others leave open; what is said of a sentence then depends on the others. For tasks
            whose tags mark spans; other tasks stay as they are (`polytag.tagger.consistency`).

    Raises:
        PolytagError: a field has a value that it cannot have, such as tasks that are no names, more alternatives than
            can be had, or a probability that is none.
    """

    tasks: Sequence[str] = ()
    confidence: bool = False
    nbest: int = 0
    constrained: bool | None = None
    min_probability: float | Mapping[str, float] = 0.0
    consistent: bool = False

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
        flags: dict[str, object] = {"confidence": self.confidence, "consistent": self.consistent}
        flags["constrained"] = self.constrained or False
        for name, flag in flags.items():
            if not isinstance(flag, bool):
                raise PolytagError(f"{name} is {flag!r:.60}, expected True or False")
        if isinstance(self.min_probability, Mapping):
            object.__setattr__(self, "min_probability", dict(self.min_probability))  # the caller may change its own
            if not all(isinstance(type_, str) and type_ for type_ in self.min_probability):
                raise PolytagError(f"min_probability is {self.min_probability!r:.60}, expected numbers by type of span")
        values: Iterable[object] = self._leasts().values()
        for value in values:
            if isinstance(value, bool) or not isinstance(value, Real) or value < 0 or not value <= 1:
                raise PolytagError(f"min_probability is {value!r:.60}, expected a number from 0 to 1")

    def __hash__(self) -> int:
        least = frozenset(self._leasts().items())
        return hash((self.tasks, self.confidence, self.nbest, self.constrained, least, self.consistent))

    def least(self, type_: str) -> float:
        """The probability that a span of a type needs."""
        leasts = self._leasts()
        return leasts.get(type_, leasts.get("", 0.0))

    def check_types(self, types: Collection[str]) -> None:
        """See to it that there are spans that `min_probability` is of, where tasks have spans of those ``types``.

        Raises:
            PolytagError: there are none at all, or none of a type that it names.
        """
        if not types:
            raise PolytagError(
                f"min_probability is {self.min_probability!s:.60}, but the tasks have no spans to leave out"
            )
        for name in sorted(self._leasts().keys() - {"", *types}):
            known = nearest(name, sorted(types))
            raise PolytagError(f"min_probability: there is no type '{name:.60}'{known}")

    def _leasts(self) -> Mapping[str, float]:
        """The least probability by type; that of all types has no name."""
        least = self.min_probability
        return least if isinstance(least, Mapping) else {"": least}

    def with_options(self, options: Options) -> "Request":
        """The same request with some fields anew."""
        return replace(self, **options) if options else self


ANYTHING = Request()  # the tags of all tasks
