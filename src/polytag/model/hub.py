"""Models on the Hugging Face Hub. Needs huggingface_hub, the extra ``polytag[hub]``."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from polytag.errors import ModelError, PolytagError

PREFIX = "hf:"
MISSING = "huggingface_hub is not installed, expected it for models of the Hub: pip install 'polytag[hub]'"
FILES = ("plan.toml", "vocabulary/*.json", "*.safetensors", "calibration.json")  # what a model is made of
TOLD = ("README.md", "metrics.jsonl", "curves.svg")  # report.json names the machine and the command

REFUSALS = {  # what the status of an answer means here
    401: "the Hub does not know who you are: 'hf auth login', or HF_TOKEN",
    403: "the Hub does not let this user do so",
    404: "the Hub has no such model, or it is private and you are not logged in ('hf auth login', or HF_TOKEN)",
}


def is_of_hub(path: str | PathLike[str]) -> bool:
    """Whether ``hf:USER/NAME``, or ``hf:USER/NAME@REVISION``, is meant."""
    return str(path).startswith(PREFIX)


def fetched(path: str | PathLike[str]) -> Path:
    """The directory, among those that the library keeps, of a model ``hf:USER/NAME``.

    Raises:
        ModelError: there is no such model, or the Hub cannot be reached and it was never fetched.
        PolytagError: huggingface_hub is not installed.
    """
    hub = _library()
    repository, _, revision = str(path).removeprefix(PREFIX).partition("@")
    _check_name(repository, str(path))
    with _told(f"{path}: cannot be fetched"):
        wanted = {"revision": revision or None, "allow_patterns": [*FILES], "tqdm_class": _silent()}
        return Path(hub.snapshot_download(repository, **wanted))


def upload(directory: Path, repository: str, *, private: bool) -> str:
    """Write a model directory into a repository, which is made where there is none; returns its address.

    ``report.json``, which names the machine and the command, stays here.

    Raises:
        ModelError: the repository is no ``USER/NAME``, or the Hub refuses it or cannot be reached.
        PolytagError: huggingface_hub is not installed.
    """
    api = _library().HfApi()
    _check_name(repository, repository)
    with _told(f"{repository}: cannot be written"):
        address = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(
            folder_path=directory, repo_id=repository, allow_patterns=[*FILES, *TOLD],
            commit_message="polytag push",
        )  # fmt: skip
    return str(address)


def _library() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise PolytagError(MISSING) from error
    return huggingface_hub


def _silent() -> type:
    """A bar that nobody sees: a library does not print."""
    from tqdm import tqdm  # here, as it takes a tenth of a start

    class Silent(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **{**more, "disable": True})

    return Silent


def _check_name(repository: str, told: str) -> None:
    if not re.fullmatch(r"[^/@\s]+/[^/@\s]+", repository):
        raise ModelError(f"{told}: a model of the Hub is USER/NAME, found '{repository}'")


@contextmanager
def _told(what: str) -> Iterator[None]:
    """What the library and the network raise, which is of many kinds, as one sentence."""
    try:
        yield
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        status = getattr(getattr(error, "response", None), "status_code", 0)
        raise ModelError(f"{what}: {REFUSALS.get(status, lines[0])}") from error
