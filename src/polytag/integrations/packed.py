"""A tagger as a model directory or as its files' bytes: what both integrations store it as; never a pickle."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from polytag.model.checkpoint import WEIGHTS, save_description
from polytag.model.temperatures import save_temperatures
from polytag.model.torch_network import save_weights
from polytag.tagging import Tagger


def write(tagger: Tagger, directory: Path) -> None:
    """Write a model directory that `Tagger.load` reads; whatever the tagger was read from may be gone."""
    save_description(directory, tagger.plan, tagger.vocabularies)
    save_weights(directory, tagger.network)
    if tagger.network.temperatures:
        save_temperatures(directory, WEIGHTS, tagger.network.temperatures)


def to_bytes(tagger: Tagger) -> dict[str, bytes]:
    """The files of a model directory, by their names in it."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place, "model")
        write(tagger, directory)
        return {
            path.relative_to(directory).as_posix(): path.read_bytes()
            for path in sorted(directory.rglob("*"))
            if path.is_file()
        }


def from_bytes(files: Mapping[str, bytes], *, precision: str) -> Tagger:
    """The inverse of `to_bytes`.

    Raises:
        ModelError: a file is missing, damaged or of another version.
    """
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place, "model")
        for name, content in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return Tagger.load(directory, precision=precision)
