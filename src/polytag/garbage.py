"""How often a process that is polytag's own looks for garbage."""

import atexit
import gc

OBJECTS = 100_000  # new ones, after which Python looks for cycles that nobody reaches


def look_rarely() -> None:
    """Look rarely, and not at the end: loading and tagging make many objects and no cycles."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
