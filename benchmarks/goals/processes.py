"""A function in a process of its own: fresh caches and allocator, nobody's threads, and a crash that harms nothing."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

REPOSITORY = Path(__file__).resolve().parents[2]
THREADS = ("OMP_", "GOMP_", "KMP_", "MKL_")  # settings of the surroundings: a user has none of them

T = TypeVar("T")


class MeasurementError(Exception):
    """A measurement could not be made."""


def environment(path: str = "") -> dict[str, str]:
    """The environment less what rules threads; modules in the directory ``path`` come before others."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(THREADS)}
    paths = [found for found in (path, kept.get("PYTHONPATH")) if found]
    return kept | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})


def call(function: str, /, *, timeout: float | None = None, **arguments: Any) -> Any:
    """Call ``module:function`` in a fresh process; arguments and result go through JSON.

    Raises:
        MeasurementError: it raised an error, died or took too long.
    """
    with tempfile.TemporaryDirectory() as directory:
        answer, log = Path(directory) / "answer.json", Path(directory) / "log"
        command = [sys.executable, "-m", __name__, function, json.dumps(arguments), str(answer)]
        with log.open("wb") as output:
            try:
                done = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=REPOSITORY,
                    env=environment(), timeout=timeout, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise MeasurementError(f"not done after {timeout:,.0f} s") from None
        if done.returncode < 0:
            raise MeasurementError(f"killed by signal {-done.returncode}")
        if done.returncode:
            raise MeasurementError(_last_line(log) or f"exit code {done.returncode}")
        return json.loads(answer.read_text(encoding="utf-8"))


def interleaved(contenders: Mapping[str, Callable[[], T]], *, rounds: int) -> dict[str, list[T] | MeasurementError]:
    """Run all contenders in turn, round by round, each round beginning with another one; a failure ends its own."""
    results: dict[str, list[T] | MeasurementError] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            so_far = results[name]
            if isinstance(so_far, MeasurementError):
                continue
            try:
                so_far.append(contenders[name]())
            except MeasurementError as error:
                results[name] = error
    return results


def peak_megabytes() -> float:
    """The largest resident set this process has had, in MB (of Linux, which knows it for the program alone)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise MeasurementError("the system does not tell the peak of the memory (VmHWM)")


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip().split("MeasurementError: ")[-1][:300] if lines else ""


def _main(function: str, arguments: str, answer: str) -> None:
    module, _, name = function.partition(":")
    result = getattr(import_module(module), name)(**json.loads(arguments))
    Path(answer).write_text(json.dumps(result, default=asdict), encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
