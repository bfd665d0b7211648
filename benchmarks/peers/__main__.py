"""``python benchmarks/peers``: see `benchmarks.peers.cli`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])  # this directory holds a package, not modules
    from benchmarks.peers.cli import main

    raise SystemExit(main())
