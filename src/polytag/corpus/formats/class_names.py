"""The names of numbered tags, as Hugging Face datasets keep them: with the data, or in a file beside it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from polytag.errors import CorpusError

FILES = ("dataset_info.json", "dataset_infos.json", "README.md")
UNLABELLED = (-1, -100)  # how datasets and models write that nobody has said what the tag is


def names_in(features: Any, column: str) -> tuple[str, ...]:
    """The names of a column's classes in what describes a dataset; none where it says nothing of them.

    Raises:
        ValueError: it has several lists of them, for several configurations.
    """
    found = set(_lists(features, column))
    if len(found) > 1:
        raise ValueError(f"{len(found)} lists of names for '{column}', expected one")
    return next(iter(found), ())


def names_beside(source: str, column: str) -> tuple[str, ...]:
    """The names of a column's classes in a file beside the data, or one folder above; none where no file has them.

    Raises:
        CorpusError: such a file cannot be read, or has several lists of names.
    """
    folder = Path(source).absolute().parent
    for path in (place / name for place in (folder, folder.parent) for name in FILES):
        if path.is_file():
            try:
                if found := names_in(_described(path), column):
                    return found
            except (OSError, ValueError, RecursionError) as error:
                raise CorpusError(f"{error}, expected the names of the classes of '{column}'", path=path) from error
    return ()


def _described(path: Path) -> Any:
    """What a file says of a dataset: JSON, or what stands in YAML between the first lines of dashes."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    _, _, rest = text.partition("---\n")
    head, dashes, _ = rest.partition("\n---")
    if not text.startswith("---\n") or not dashes or "class_label" not in head:
        return None
    try:
        import yaml
    except ImportError as error:
        raise ValueError(
            "its names of classes are YAML, and PyYAML is not installed (pip install 'polytag[tables]')"
        ) from error
    try:
        return yaml.load(head, yaml.BaseLoader)  # texts alone: NO is a name, not false
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML ({' '.join(str(error).split()):.80})") from error


def _lists(value: Any, column: str) -> Iterator[tuple[str, ...]]:
    """All lists of names of a column: it is a key (JSON), or the "name" of an object (YAML)."""
    if isinstance(value, dict):
        own = value if value.get("name") == column else value.get(column)
        yield from _names(own)
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _lists(inner, column)


def _names(feature: Any) -> Iterator[tuple[str, ...]]:
    """The names within the description of one column, however deep: as a list, or by number."""
    if isinstance(feature, list):
        for inner in feature:
            yield from _names(inner)
    if not isinstance(feature, dict):
        return
    names = feature.get("names")
    if isinstance(names, dict):
        names = [names[key] for key in sorted(names, key=int)]
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        yield tuple(names)
        return
    for inner in feature.values():
        yield from _names(inner)


def named(numbers: Sequence[int], names: Sequence[str], column: str, unknown: str) -> list[str]:
    """Numbers of classes as their names; raises ValueError for one without."""
    for number in numbers:
        if not (0 <= number < len(names) or number in UNLABELLED):
            raise ValueError(f"class {number} of '{column}', expected 0 to {len(names) - 1} ({', '.join(names):.80})")
    return [unknown if number in UNLABELLED else names[number] for number in numbers]
