"""The command ``polytag``; its last word on stderr is the process's largest resident set in MB ("nan" off Linux)."""

import re
import sys
from pathlib import Path


def peak_memory() -> float:
    """In MB. Not from getrusage, whose figure starts at what the parent held when it started this process."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    from polytag.cli import main

    try:
        main(sys.argv[1:])
    finally:
        print(f"\n{peak_memory():.1f}", file=sys.stderr)
