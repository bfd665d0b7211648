"""calibration.json of a model directory: what each task's scores are divided by before they become probabilities.

{"format": "polytag-calibration", "version": 1,
 "weights": {"weights.safetensors": {"checksum": "9f2c...", "temperatures": {"ner": 2.31}, "texts": {"ner": {...}}}}}

``texts`` says how well the model knew the text that each temperature comes from: what others are held against.

It belongs to weights that it names by their checksum; a directory without it, or a task that it does not name, has
temperature 1.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from polytag.errors import ModelError
from polytag.files import write_json
from polytag.model.array_file import read_metadata
from polytag.scoring.familiarity import Familiarity

CALIBRATION = "calibration.json"
FORMAT, VERSION = "polytag-calibration", 1
HOTTEST = 1e6  # all sequences are as probable long before it


def save_temperatures(
    directory: Path, weights: str, temperatures: Mapping[str, float], texts: Mapping[str, Familiarity] = {}
) -> None:
    """Write the temperatures of some tasks with one file of weights, and of which texts; what is known of others stays.

    Raises:
        ModelError: the file that is there is damaged.
        PolytagError: it cannot be written.
    """
    known = _read(directory / CALIBRATION)
    checksum = _checksum_of(directory / weights)
    old = known.get(weights, {})
    kept = old if old.get("checksum") == checksum else {}
    known[weights] = {
        "checksum": checksum,
        "temperatures": kept.get("temperatures", {}) | dict(temperatures),
        "texts": kept.get("texts", {}) | {task: text.as_dict() for task, text in texts.items()},
    }
    write_json(directory / CALIBRATION, {"format": FORMAT, "version": VERSION, "weights": known})


def load_temperatures(directory: Path, weights: str, *, tasks: Iterable[str]) -> dict[str, float]:
    """The temperatures of the tasks that were calibrated with one file of weights.

    Raises:
        ModelError: the file is damaged, of another version, of other weights, or of other tasks.
    """
    path = directory / CALIBRATION
    entry = _read(path).get(weights)
    if entry is None:
        return {}
    if entry["checksum"] != _checksum_of(directory / weights):
        raise ModelError(
            f"{path}: made for other weights than {weights} holds, expected none of it or one made anew: remove it"
        )
    for task in entry["temperatures"]:
        if task not in tasks:
            raise ModelError(f"{path}: has a temperature for '{task}', expected tasks of the model")
    return dict(entry["temperatures"])


def load_texts(directory: Path, weights: str) -> dict[str, Familiarity]:
    """How well the model knew the text of each temperature, as far as that was written."""
    return texts_of(_read(directory / CALIBRATION).get(weights, {}).get("texts", {}))


def texts_of(content: Any) -> dict[str, Familiarity]:
    """The same from what a file holds.

    Raises:
        ValueError: it holds something else.
    """
    try:
        return {task: Familiarity.from_dict(numbers) for task, numbers in content.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"found {content!r:.80}, expected counts of words and characters for each task") from error


def remove_temperatures(directory: Path) -> None:
    """Remove the file: the weights will change."""
    (directory / CALIBRATION).unlink(missing_ok=True)


def are_valid(temperatures: Any) -> bool:
    """Whether what was read are temperatures by name."""
    return isinstance(temperatures, dict) and all(
        isinstance(value, int | float) and 0 < value <= HOTTEST for value in temperatures.values()
    )


def _checksum_of(path: Path) -> str:
    """The checksum in the header of a file of weights, which holds for all of the model."""
    return str(read_metadata(path).get("checksum"))


def _read(path: Path) -> dict[str, Any]:
    """What the file holds of each file of weights; nothing where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from None
    named = content.get("format") if isinstance(content, dict) else None
    if named != FORMAT or content.get("version") != VERSION:
        raise ModelError(f"{path}: expected format '{FORMAT}' in version {VERSION}, found {str(content)!r:.60}")
    entries: dict[str, Any] = content.get("weights")
    if not isinstance(entries, dict) or not all(map(_is_entry, entries.values())):
        raise ModelError(f"{path}: damaged, expected a checksum and temperatures above 0 for each file of weights")
    return entries


def _is_entry(entry: Any) -> bool:
    keys = {"checksum", "temperatures"}
    if not isinstance(entry, dict) or set(entry) - {"texts"} != keys or not are_valid(entry["temperatures"]):
        return False
    try:
        texts_of(entry.get("texts", {}))
    except ValueError:
        return False
    return True
