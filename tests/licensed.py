"""The licensed corpora, which are not part of the project: a test that needs them skips, saying so, without them."""

import os
from pathlib import Path

import pytest

TOKENS = {  # the paper's Table 1, but for the Spanish files, which are as they were released
    "conll2000/train.txt": 211_727,
    "conll2000/test.txt": 47_377,
    "conll2002/ned.train": 202_931,
    "conll2002/ned.testa": 37_761,
    "conll2002/ned.testb": 68_994,
    "conll2002/esp.train": 264_715,
    "conll2002/esp.testa": 52_923,
    "conll2002/esp.testb": 51_533,
    "conll2003/eng.train": 204_567,
    "conll2003/eng.testa": 51_578,
    "conll2003/eng.testb": 46_666,
}


def licensed(name: str) -> Path:
    """The path of a file under POLYTAG_DATA; skips the test that asks where it is not there."""
    directory = os.environ.get("POLYTAG_DATA", "")
    path = Path(directory, name)
    if not directory or not path.exists():
        pytest.skip(f"{name} is licensed data; set POLYTAG_DATA to a directory that holds it")
    return path
