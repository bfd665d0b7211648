"""results.csv: one line per run and task, appended under a lock, never edited by hand."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock

from polytag.errors import PolytagError
from polytag.files import atomic_write

FILE = "results.csv"


@dataclass(frozen=True, slots=True)
class Result:
    """What one run says of one task; scores are percent, empty where there is no such split."""

    row: str  # with @variant
    task: str
    seed: int
    vectors: str  # whose: "ours", "senna", "polyglot", several joined by +, or "none"
    dev: float | None
    test: float | None  # at the epoch that the development split chose
    best_on_test: float | None  # the highest of all epochs: to be compared with the paper's figure only
    selected_epoch: int
    best_on_test_epoch: int | None
    epochs: int
    minutes: float
    commit: str  # + behind it: with changes not committed; several where a run was resumed by later code
    plan: str
    plan_checksum: str
    vectors_checksum: str
    data_checksum: str
    machine: str
    finished: str

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes a run another run: row, vectors, seed."""
        return self.row, self.vectors, self.seed


COLUMNS = [field.name for field in fields(Result)]
_NUMBERS: Mapping[str, Callable[[str], float]] = {
    "seed": int,
    "selected_epoch": int,
    "best_on_test_epoch": int,
    "epochs": int,
} | dict.fromkeys(("dev", "test", "best_on_test", "minutes"), float)


def read_results(folder: Path) -> list[Result]:
    """All lines of a folder's results.csv, in order; none if there is no such file.

    Raises:
        PolytagError: a line is not one of ours.
    """
    path = folder / FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.DictReader(file)
        if list(lines.fieldnames or ()) != COLUMNS:
            raise PolytagError(f"{path}:1: columns {lines.fieldnames}, expected {COLUMNS}")
        return [_result(line, f"{path}:{lines.line_num}") for line in lines]


def latest(results: Iterable[Result]) -> list[Result]:
    """The last line of each run and task: what was run anew counts."""
    return list({(result.key, result.task): result for result in results}.values())


def append(folder: Path, results: Sequence[Result], *, lock: Path) -> None:
    """Add lines, all or none; two processes that name the same ``lock`` file may do so at once.

    Raises:
        PolytagError: the file cannot be written.
    """
    path = folder / FILE
    with FileLock(lock):
        before = path.read_text(encoding="utf-8") if path.exists() else _line(COLUMNS)
        with atomic_write(path) as file:
            file.write(before + "".join(_line([_text(value) for value in asdict(r).values()]) for r in results))


def scores(metrics: Path, task: str, *, epoch: int | None = None) -> dict[str, Any]:
    """What metrics.jsonl says of one task, as the fields of a `Result`.

    The chosen epoch is the first with the task's highest development score; ``epoch`` names it where there is no
    development split (the last one, if training ended before).
    """
    history = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    dev = [line["dev"].get(task) for line in history]
    test = [line["test"].get(task) for line in history]
    chosen = _argmax(dev) if dev[0] is not None else min(epoch or len(history), len(history)) - 1
    highest = None if test[0] is None else _argmax(test)
    return {
        "dev": dev[chosen],
        "test": test[chosen],
        "best_on_test": None if highest is None else test[highest],
        "selected_epoch": chosen + 1,
        "best_on_test_epoch": None if highest is None else highest + 1,
        "epochs": len(history),
    }


def _argmax(values: Sequence[float]) -> int:
    return max(range(len(values)), key=lambda i: (values[i], -i))


def _result(line: Mapping[str, Any], place: str) -> Result:
    try:
        return Result(**{key: _value(key, text) for key, text in line.items()})
    except (TypeError, ValueError) as error:
        raise PolytagError(f"{place}: {error}, expected the columns {', '.join(COLUMNS)}") from None


def _value(key: str, text: str) -> Any:
    number = _NUMBERS.get(key)
    return text if number is None else number(text) if text else None


def _text(value: object) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def _line(values: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
