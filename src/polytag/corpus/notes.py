"""What reading says of files: what it refuses, and what it repairs, leaves out or finds odd.

One code path: training, tagging and `data check` read through the same readers; only what becomes of a note differs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from polytag.errors import CorpusError

MOST_KEPT = 20  # refusals, and notes of a kind, that are kept with their lines; all are counted


@dataclass(slots=True)
class Note:
    """One kind of thing that was told of one file: how often, where it was first, and where after that.

    The ``others`` are the names of records that have one, else their lines.
    """

    kind: str
    path: str
    line: int
    text: str
    count: int = 1
    others: list[int | str] = field(default_factory=list)

    def listed(self) -> str:
        """The same with the places of the others, as far as they were kept."""
        places = ", ".join(other if isinstance(other, str) else f"{other:,}" for other in self.others)
        what = "lines " if self.others and not isinstance(self.others[0], str) else ""
        return f"{self}{f': {what}{places}' if places else ''}{', ...' if places and self.count > MOST_KEPT else ''}"

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}: " if self.line else f"{self.path}: "
        return place + self.text + (f" (and {self.count - 1:,} more like this)" if self.count > 1 else "")


class Notes:
    """Where readers say what they find.

    A refusal is raised, unless refusals are ``collected``: then the reader goes on with the next record, sentence or
    line that it can make sense of.
    """

    def __init__(self, *, collects: bool = False) -> None:
        self.collects = collects
        self.refused: list[CorpusError] = []  # the first MOST_KEPT of `refusals`
        self.refusals = 0
        self.encodings = set[str]()  # in which files were read
        self._told: dict[tuple[str, str], Note] = {}

    def refuse(self, message: str, *, path: str, line: int, cause: Exception | None = None) -> None:
        """Refuse what stands in a line; comes back only where refusals are collected.

        Raises:
            CorpusError: they are not.
        """
        error = CorpusError(message, path=path, line=line)
        error.__cause__ = cause
        self.take(error)

    def take(self, error: CorpusError) -> None:
        """Raise what was refused, or collect it.

        Raises:
            CorpusError: refusals are not collected.
        """
        if not self.collects:
            raise error
        self.refusals += 1
        if len(self.refused) < MOST_KEPT:
            self.refused.append(error)

    def tell(self, kind: str, text: str, *, path: str, line: int = 0, name: str = "") -> None:
        """Say what was repaired, left out or is odd; each ``kind`` is said once for a file, with the first example.

        ``name`` is that of the record, where it has one: "task 7".
        """
        text = f"{name}: {text}" if name else text
        note = self._told.setdefault((kind, path), Note(kind, path, line, text, 0))
        note.count += 1
        if 1 < note.count <= MOST_KEPT and (place := name or line):
            note.others.append(place)

    def add(self, others: Iterable[Note]) -> None:
        """Say as well what was told elsewhere, of later parts of the same files or of others."""
        for other in others:
            note = self._told.setdefault((other.kind, other.path), replace(other, count=0, others=[*other.others]))
            note.count += other.count

    def __iter__(self) -> Iterator[Note]:
        """What was told, in the order of first sight."""
        return iter(self._told.values())
