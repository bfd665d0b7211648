"""The plan that trains on what was fetched: a template of the package, filled in; never over what a user has edited."""

import hashlib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from string import Template

from polytag.downloads.catalogue import Dataset
from polytag.downloads.record import Record
from polytag.files import atomic_write


def write_plans(dataset: Dataset, data: Path, record: Record, *, absent: Iterable[str]) -> list[Path]:
    """Write the dataset's plans into the data directory and note them in the record; the paths of all its plans.

    A plan whose template the package has not is left out: Polyglot's vectors of most languages have none. A file that
    is there stays as it is unless it is what was written here before.
    """
    found = []
    for name, template in dataset.plans.items():
        source = files("polytag.downloads").joinpath("plans", template)
        if not source.is_file():
            continue
        text = Template(source.read_text(encoding="utf-8")).substitute(dataset.fields)
        text = _without(text, dataset, set(absent))
        path = data / name
        if not path.exists() or _digest(path.read_text(encoding="utf-8")) == record.plans.get(name):
            with atomic_write(path) as file:
                file.write(text)
            record.plans[name] = _digest(text)
        found.append(path)
    return found


def _without(text: str, dataset: Dataset, absent: set[str]) -> str:
    """The plan without the files that the source has not."""
    instead = {target: file.instead for file in dataset.files for target in file.targets if target in absent}
    lines = []
    for line in text.splitlines():
        missing = next((target for target in instead if f'"{target}"' in line), None)
        if missing is None:
            lines.append(line)
        elif instead[missing]:
            lines.append(instead[missing])
    return "\n".join(lines) + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
