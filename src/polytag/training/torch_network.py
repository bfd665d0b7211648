"""Weights between files and the tensors of a PyTorch network."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from polytag.model import checkpoint
from polytag.model.array_file import Array, load_arrays, save_arrays
from polytag.model.checkpoint import FORMAT, WEIGHTS
from polytag.model.reading import check_arrays
from polytag.training.network import Network


def save_weights(directory: Path, weights: Mapping[str, Tensor], name: str = WEIGHTS) -> None:
    """Write the weights of a network; see `polytag.model.checkpoint.save_weights`."""
    checkpoint.save_weights(directory, arrays_of(weights), name)


def load_weights(path: Path, network: Network) -> None:
    """Put the weights of one file into a network.

    Raises:
        ModelError: the file is damaged, or its weights do not fit.
    """
    arrays = load_arrays(path, expected=FORMAT)[0]
    check_arrays(path, arrays, {name: ("float32", tuple(t.shape)) for name, t in network.state_dict().items()})
    network.load_state_dict(tensors_of(arrays))


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write named tensors; see `polytag.model.array_file.save_arrays`."""
    save_arrays(path, arrays_of(tensors), metadata)


def load_tensors(path: Path, *, expected: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what `save_tensors` wrote, as copies.

    Raises:
        ModelError: as `polytag.model.array_file.load_arrays`.
    """
    arrays, metadata = load_arrays(path, expected=expected)
    return tensors_of(arrays), metadata


def arrays_of(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    """The same values, in the same memory where they are on a CPU."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def tensors_of(arrays: Mapping[str, Array]) -> dict[str, Tensor]:
    """Copies: arrays may be views of a file."""
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
