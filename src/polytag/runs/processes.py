"""Trainings as processes: each in a session of its own, ended with whoever started them."""

import signal
import subprocess
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

GRACE_SECONDS = 20.0  # between SIGTERM and SIGKILL


def stop(processes: Collection["subprocess.Popen[bytes]"]) -> None:
    """End what is under way; a training is resumed by the next call."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        close(process)


def close(process: "subprocess.Popen[bytes]") -> None:
    """Let go of a process that has ended."""
    if process.stdin is not None:
        process.stdin.close()


def last_line(log: Path) -> str:
    """What a process said last, without the program's name before it."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("polytag: ") if lines else f"see {log}"


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends the trainings too, instead of leaving them behind."""
    if threading.current_thread() is not threading.main_thread():  # where signals cannot be handled
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
