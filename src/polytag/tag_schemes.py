"""The table of tag schemes: with which letters each writes a span, as one tag for each of its words."""

from dataclasses import dataclass

from polytag.errors import PlanError, nearest


@dataclass(frozen=True, slots=True)
class Scheme:
    """The letters of a span's words.

    ``after_own`` starts a span right after another of its own type, and ``before_own`` ends one right before another,
    in schemes that write spans otherwise there. ``habit`` tells people what to look for.
    """

    first: str = ""
    inside: str = ""
    last: str = ""
    single: str = ""
    after_own: str = ""
    before_own: str = ""
    habit: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def letters(self) -> str:
        """Every letter that may stand in this scheme, O first."""
        return "O" + self.first + self.inside + self.last + self.single + self.after_own + self.before_own

    @property
    def separates(self) -> bool:
        """Whether spans of one type that touch can be told apart."""
        return len(set(self.letters)) > 2

    def starts(self, *, touching: bool) -> str:
        """The letters that may start a span; ``touching`` says that one of its own type ends just before."""
        return self.after_own if touching and self.after_own else self.first + self.single + self.before_own

    def ends(self, *, touching: bool) -> str:
        """The letters that may end a span; ``touching`` says that one of its own type starts just after."""
        return self.before_own if touching and self.before_own else self.last + self.single + self.after_own

    def letters_of(self, length: int, *, after_own: bool = False, before_own: bool = False) -> str:
        """The letters of a span of ``length`` words, between others of its own type or not."""
        letters = self.single if length == 1 else self.first + self.inside * (length - 2) + self.last
        if after_own and self.after_own:
            letters = self.after_own + letters[1:]
        return letters[:-1] + self.before_own if before_own and self.before_own else letters


SCHEMES = {  # the first is the default, and of several that fit the first is taken
    "iob2": Scheme("B", "I", "I", "B", habit="every span starts with B-", aliases=("bio", "bio2")),
    "iob1": Scheme(
        "I", "I", "I", "I", after_own="B", habit="B- only between adjacent spans of one type", aliases=("bio1",)
    ),
    "bioes": Scheme(
        "B", "I", "E", "S", habit="E- ends a span, S- is a span of one word", aliases=("iobes", "bieos", "bieso")
    ),
    "bilou": Scheme("B", "I", "L", "U", habit="L- ends a span, U- is a span of one word", aliases=("bilu", "bioul")),
    "bmes": Scheme(
        "B", "M", "E", "S", habit="M- is inside, E- ends a span, S- is a span of one word", aliases=("bmeso", "bmoes")
    ),
    "bmewo": Scheme(
        "B", "M", "E", "W", habit="M- is inside, E- ends a span, W- is a span of one word", aliases=("bmew", "bmeow")
    ),
    "ioe1": Scheme("I", "I", "I", "I", before_own="E", habit="E- only between adjacent spans of one type"),
    "ioe2": Scheme("I", "I", "E", "E", habit="every span ends with E-"),
    "io": Scheme("I", "I", "I", "I", habit="adjacent spans of one type are one"),
    "plain": Scheme(habit="labels of single words"),
}
SPAN_SCHEMES = tuple(name for name in SCHEMES if name != "plain")
ALIASES = {alias: name for name, row in SCHEMES.items() for alias in (name, *row.aliases)}


def scheme_name(name: str) -> str:
    """The name of a scheme as the table has it, for one of its usual names in either case.

    Raises:
        PlanError: no scheme has this name.
    """
    found = ALIASES.get(name.lower())
    if found is None:
        raise PlanError(f"unknown tag scheme {name!r}{nearest(name, SCHEMES)}")
    return found
