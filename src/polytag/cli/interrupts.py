"""Ctrl-C that waits for imports: a module in the making may swallow an interrupt, or stay half made."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 0.05  # seconds until an interrupt that met an import is tried again
IMPORTING = "<frozen importlib"  # the files of all frames by which a module is made


@contextmanager
def after_imports() -> Iterator[None]:
    """While this lasts, an interrupt is raised as soon as nothing is being imported.

    Nothing changes outside the main thread, and where somebody else handles or ignores interrupts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, or somebody else's
        yield
        return
    signal.signal(signal.SIGINT, _interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted(number: int, frame: FrameType | None) -> None:
    if not _is_importing(frame):
        raise KeyboardInterrupt
    again = threading.Timer(AGAIN, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being made, somewhere in the calls that led here."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(IMPORTING):
            return True
        frame = frame.f_back
    return False
