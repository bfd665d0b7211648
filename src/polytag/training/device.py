"""Devices by name: where a network and its batches lie, and what they can be computed in there."""

import os

import torch

from polytag.errors import PolytagError, nearest
from polytag.native import Precision, supports
from polytag.tagger.precision import lacking

DEVICES = ("cpu", "cuda")


def find_device(name: str | torch.device = "cpu") -> torch.device:
    """A device by its name: "cpu", "cuda" or, of several GPUs, "cuda:1".

    Without a number, each process that ``torchrun`` starts on a machine takes the next of its GPUs.

    Raises:
        PolytagError: the name is unknown, or there is no such device here.
    """
    kind = str(name).partition(":")[0]
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or kind not in DEVICES:
        hint = ", expected cpu, cuda or cuda:0" if kind in DEVICES else nearest(kind, DEVICES)
        raise PolytagError(f"unknown device '{name}'{hint}")
    if kind == "cpu":
        return torch.device("cpu")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        raise PolytagError(f"device '{name}': PyTorch {torch.__version__} finds no GPU on this machine; use 'cpu'")
    index = int(os.environ.get("LOCAL_RANK", "0")) % count if device.index is None else device.index
    if index >= count:
        raise PolytagError(f"device '{name}': found {count} GPU{'s'[: count > 1]} on this machine, counted from 0")
    return torch.device("cuda", index)


def training_precision(precision: Precision, device: torch.device) -> Precision:
    """The same precision, seen to be possible for training on a device.

    Raises:
        PolytagError: it is not: nothing is emulated in silence.
    """
    if precision == "float32" or (device.type == "cpu" and supports(precision)):
        return precision
    why = lacking() if device.type == "cpu" else f"it is for CPUs, not for {device}"
    raise PolytagError(f"training.precision = '{precision}': {why}, expected 'float32'")
