"""Run the code of the notebooks beside this file, all in one process: examples/notebooks.py [NOTEBOOK...]."""

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run(notebook: Path) -> None:
    os.chdir(HERE)  # as Jupyter does
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    names = {"__name__": "__main__"}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), notebook.name, "exec"), names)


if __name__ == "__main__":
    for given in [*map(Path, sys.argv[1:])] or sorted(HERE.glob("*.ipynb")):
        run(given.resolve())
