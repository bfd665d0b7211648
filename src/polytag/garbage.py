"""How often a process that is polytag's own looks for garbage."""

import gc

OBJECTS = 100_000  # new ones, after which Python looks for cycles that nobody reaches


def look_rarely() -> None:
    """Loading and tagging make many objects and no cycles: looking for some took a tenth of the time."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
