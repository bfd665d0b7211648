"""Servers to talk to: one in this process, one in its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
LIMITS = {
    "body": 200_000, "words": 3_000, "sentence_words": 1_500, "nbest": 5, "seconds": 60.0, "read_seconds": 2.0,
    "linger_seconds": 3.0, "queue": 310, "held": 40_000_000, "connections": 500,
}  # fmt: skip


@dataclass(frozen=True)
class Running:
    """A server in a process of its own."""

    port: int
    process: subprocess.Popen[str]
    idle_files: int = 0

    @property
    def files(self) -> int:
        """Open files and connections."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    @property
    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii")
        return int(status.split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process with pipes, which does not outlive the test."""
    started = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


@pytest.fixture(scope="package")
def server() -> Iterator[Running]:
    """A server of `tests.server.process.tagger` with small limits."""
    with process("-m", "tests.server.process", json.dumps(LIMITS)) as started:
        assert started.stdout is not None
        line = started.stdout.readline()
        assert line, started.communicate()[1]
        found = Running(int(line), started)
        yield replace(found, idle_files=found.files)
        assert started.poll() is None, "the server died"
