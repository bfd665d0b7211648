"""What the C library does with memory that a step has freed."""

import ctypes
import platform

# mallopt's names and our values: blocks up to 32 MB come from the heap, whose top is not given back below 1 GB.
_SETTINGS = {-3: 1 << 25, -1: 1 << 30, -2: 1 << 26}  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD


def keep_freed_memory() -> bool:
    """Keep freed memory for the next step instead of giving it back page by page; whether that could be arranged.

    It holds for the whole process from then on, so it is for a program of our own to call, and only for glibc. A step
    of the paper's network with batches of 10 faults 20 pages instead of 1,340; what that brings depends on the machine
    (2 to 11 per cent were measured) and stands in docs/benchmarks/ablations.md.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return all(bool(library.mallopt(name, value)) for name, value in _SETTINGS.items())
