"""What people annotate, as a file of Label Studio's export that is whole at any time, whichever tool it came from.

One task a line: {"id": 7, "data": {"text": "Lima."}, "annotations": [{"id": 17, "result": [...]}]}.
The file is read as any export is; a task that it could not be read with again never comes into it.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from polytag.corpus.formats import FORMATS
from polytag.corpus.notes import Notes
from polytag.corpus.text import Layout, Line
from polytag.errors import CorpusError, PolytagError
from polytag.files import atomic_write
from polytag.server.refusals import RefusedError, unusable

FORMAT = "label-studio"
TAG = "spans"  # where the tags of the file are
_KEPT = ("id", "result", "was_cancelled", "ground_truth", "completed_by", "updated_at")  # of an annotation

Task = dict[str, Any]


class Change(NamedTuple):
    """Tasks to remove, by their ids, and then others to put in place of those of the same ids."""

    put: Sequence[Task] = ()
    remove: Sequence[object] = ()


class Annotations:
    """The annotated tasks by their ids, in memory and on disk."""

    def __init__(self, path: Path, *, tokeniser: str, say: Callable[[str], None]) -> None:
        """Read the file, if there is one.

        Args:
            path: of the file.
            tokeniser: what cuts texts into words.
            say: takes what is left out of a task, or repaired in it.

        Raises:
            PolytagError: the file cannot be read.
        """
        self.path, self._tokeniser, self._say = path, tokeniser, say
        self._lines = dict[str, str]()
        self._sentences = dict[str, int]()
        self._lock = asyncio.Lock()
        try:
            for task in tasks_of(path):
                self._put(task)
        except RefusedError as error:
            raise PolytagError(f"{path}: {error}") from None

    def __len__(self) -> int:
        """Tasks that have an annotation to learn from."""
        return sum(map(bool, self._sentences.values()))

    def task(self, name: object) -> Task | None:
        """A task by its id."""
        line = self._lines.get(str(name))
        return None if line is None else json.loads(line)

    def holding(self, annotation: object) -> Task | None:
        """The task that an annotation is of, by the annotation's id."""
        return next((task for task in self if any(one.get("id") == annotation for one in task["annotations"])), None)

    def __iter__(self) -> Iterator[Task]:
        return map(json.loads, self._lines.values())

    def state(self) -> dict[str, str]:
        """Each task as it is written, by its id."""
        return dict(self._lines)

    def changed_since(self, before: Mapping[str, str]) -> int:
        """Sentences of the tasks that are otherwise than they were."""
        changed = [name for name in {*before, *self._lines} if before.get(name) != self._lines.get(name)]
        return sum(self._sentences.get(name, 1) for name in changed)

    async def change(self, decide: Callable[[], Change]) -> None:
        """Do what is decided when no other change is under way, and come back when that is on disk.

        Raises:
            PolytagError: a task cannot be read, and nothing changes; or the file cannot be written.
        """
        async with self._lock:
            change = decide()
            before = self._lines, self._sentences
            self._lines, self._sentences = dict(self._lines), dict(self._sentences)
            try:
                for name in map(str, change.remove):
                    self._lines.pop(name, None)
                    self._sentences.pop(name, None)
                for task in change.put:
                    self._put(task, self._say)
                await asyncio.to_thread(write, self.path, self._lines)
            except BaseException:
                self._lines, self._sentences = before
                raise

    def _put(self, task: Task, say: Callable[[str], None] = lambda _: None) -> None:
        kept = [{key: one[key] for key in _KEPT if key in one} for one in task["annotations"]]
        line = json.dumps({"id": task["id"], "data": task["data"], "annotations": kept}, ensure_ascii=False)
        name, notes = str(task["id"]), Notes()
        layout = Layout(str(self.path), tags={TAG: TAG}, tokeniser=self._tokeniser, notes=notes)
        try:
            count = sum(1 for _ in FORMATS[FORMAT].sentences([Line(1, line, "")], layout))
        except CorpusError as error:
            raise unusable(_of_task(name, str(error.__cause__ or error))) from None
        for note in notes:
            say(_of_task(name, note.text))
        self._lines[name], self._sentences[name] = line, count


def _of_task(name: str, said: str) -> str:
    return said if said.startswith(f"task {name}") else f"task {name}: {said}"


def tasks_of(path: Path) -> list[Task]:
    """The tasks of a file that `write` wrote; none where there is no file.

    Raises:
        PolytagError: it is another file.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise PolytagError(f"{path}: cannot be read: {error}") from None
    if not isinstance(found, list) or not all(map(_is_task, found)):
        raise PolytagError(f"{path}: expected a list of tasks of Label Studio, each with its id, data and annotations")
    return found


def _is_task(value: Any) -> bool:
    if not (isinstance(value, dict) and "id" in value and isinstance(value.get("data"), dict)):
        return False
    annotations = value.get("annotations")
    return isinstance(annotations, list) and all(isinstance(one, dict) for one in annotations)


def write(path: Path, lines: Mapping[str, str]) -> None:
    """Write tasks as they are written, one a line.

    Raises:
        PolytagError: the file cannot be written; the one before stays.
    """
    with atomic_write(path) as file:
        file.write("[\n" + ",\n".join(lines.values()) + "\n]\n")
