"""``python benchmarks/growth``: see `growth.cli`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # this directory holds a package, not modules
    from growth.cli import main

    raise SystemExit(main())
