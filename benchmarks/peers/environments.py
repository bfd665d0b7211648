"""A virtual environment for each peer, made once from its pinned requirements."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from wheels.light import installed_size

THREADS = ("OMP", "MKL", "OPENBLAS", "BLIS", "NUMEXPR", "VECLIB_MAXIMUM", "RAYON")


class ContenderError(Exception):
    """A contender could not do its part; the message is what its row says."""


def installed_mb(sources: Path | None, work: Path) -> float | None:
    """MB of site-packages of an environment that has only this: requirements, or the folder of a project."""
    return installed_size(Path(python_of(sources, work))) / 1e6 if sources else None


def python_of(requirements: Path | None, work: Path) -> str:
    """The interpreter to run a contender with; without requirements, the one that runs the driver.

    A folder in their place is a project, which is installed itself.

    Raises:
        ContenderError: the packages cannot be installed.
    """
    if requirements is None:
        return sys.executable
    place = work / "environments" / requirements.stem
    python, ready = place / "bin" / "python", place / ".requirements"
    is_project = requirements.is_dir()
    wanted = hashlib.sha256((requirements / "pyproject.toml" if is_project else requirements).read_bytes()).hexdigest()
    if not ready.exists() or ready.read_text() != wanted:
        shutil.rmtree(place, ignore_errors=True)  # half an environment, or one of other versions
        _run([sys.executable, "-m", "venv", str(place)], place.with_suffix(".log"))
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, *([] if is_project else ["--requirement"]), str(requirements)], place.with_suffix(".log"))
        ready.write_text(wanted)
    return str(python)


def variables() -> dict[str, str]:
    """The environment of every contender: one thread, no GPU, no network, nothing of the driver's Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    one = {f"{name}_NUM_THREADS": "1" for name in THREADS}
    quiet = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    return {**kept, **one, **quiet, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


def _run(command: list[str], log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=variables(), check=False)
    if done.returncode:
        lines = log.read_text(errors="replace").strip().splitlines()
        raise ContenderError(f"not installed: {lines[-1] if lines else f'exit code {done.returncode}'}")
