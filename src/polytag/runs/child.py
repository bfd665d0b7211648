"""``polytag`` as the child of a process without which it must not go on: the end of standard input ends it."""

import os
import runpy
import signal
import threading


def main() -> None:
    """Run the command line until it is done, or the process at the other end of standard input is gone."""
    threading.Thread(target=_end_with_parent, args=(os.dup(0),), daemon=True).start()
    runpy.run_module("polytag", run_name="__main__")


def _end_with_parent(parent: int) -> None:
    os.read(parent, 1)  # nothing comes
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
