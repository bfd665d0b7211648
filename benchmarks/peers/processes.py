"""One contender, one process: ask, wait, and take an answer or say what became of it."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import ContenderError, variables


@dataclass(frozen=True)
class Process:
    """How to run a contender: its interpreter, script, directory for requests and logs, and how long to wait."""

    python: str
    script: Path
    directory: Path
    core: int | None
    timeout: float

    def ask(self, action: str, **request: Any) -> dict[str, Any]:
        """Have one request answered; the answer holds, as ``wall``, the seconds from start to end of the process.

        Raises:
            ContenderError: the process died, did not answer or took too long.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        asked, answered, log = (self.directory / f"{action}{suffix}" for suffix in (".json", ".answer.json", ".log"))
        asked.write_text(json.dumps({"action": action, "core": self.core, **request}), encoding="utf-8")
        answered.unlink(missing_ok=True)
        began = time.perf_counter()
        self._run([self.python, str(self.script), str(asked), str(answered)], action, log)
        wall = time.perf_counter() - began
        try:
            return {**json.loads(answered.read_text(encoding="utf-8")), "wall": wall}
        except (OSError, ValueError):
            raise ContenderError(f"{action}: ended without an answer") from None

    def _run(self, command: list[str], action: str, log: Path) -> None:
        with log.open("wb") as output:
            try:
                done = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                    cwd=self.directory, env=variables(), timeout=self.timeout, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise ContenderError(f"{action}: not done after {self.timeout:,.0f} s") from None
            except OSError as error:
                raise ContenderError(f"{action}: cannot be started: {error.strerror or error}") from None
        if done.returncode < 0:
            raise ContenderError(f"{action}: killed by signal {-done.returncode}{last_line(log)}")
        if done.returncode:
            raise ContenderError(f"{action}: exit code {done.returncode}{last_line(log)}")


def last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f": {lines[-1].strip()[:200]}" if lines else ""
