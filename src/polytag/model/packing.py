"""From a model directory to one packed file."""

from os import PathLike
from pathlib import Path

from polytag.errors import ModelError, PolytagError
from polytag.model.array_file import read_metadata
from polytag.model.checkpoint import load_model
from polytag.model.packed import FORMAT, Packed, is_packed, save_packed


def pack(
    model: str | PathLike[str],
    output: str | PathLike[str],
    *,
    precision: str = "float32",
    vectors: int | None = None,
    coarse: bool = False,
    best_for: str | None = None,
) -> Packed:
    """Pack a model directory into one file for shipping, which `polytag.load` takes in its place.

    Args:
        model: the directory.
        output: the file to write.
        precision: of the weights in the file, ``"float32"``, ``"float16"`` or ``"int8"``; an int8 file is also computed
            in int8, where the processor has instructions for it.
        vectors: words to keep beside those of the training files, the most frequent ones; all unless given.
        coarse: in int8, round word vectors to a few values, which take less than half of the room.
        best_for: take the weights kept for one task (`training.best_per_task`).

    Raises:
        ModelError: the model cannot be read, is a packed file already, or does not fit into the precision.
        PolytagError: there is no such precision, coarse is not for it, or the output is a file of the model itself or
            cannot be written.
    """
    source, target = Path(model), Path(output)
    if source.is_file():
        raise ModelError(f"{source}: this is a file, expected a model directory: what is left out is not packed again")
    if _is_part(target, source):
        raise PolytagError(f"{target}: is a file of the model itself, expected another one to write")
    return save_packed(
        target, load_model(source, best_for=best_for), precision=precision, vectors=vectors, coarse=coarse
    )


def _is_part(file: Path, model: Path) -> bool:
    """Whether a file is there and stands in the model's directory, and `pack` did not write it."""
    if not file.is_file() or model.resolve() not in file.resolve().parents:
        return False
    return not is_packed(file) or read_metadata(file).get("format") != FORMAT
