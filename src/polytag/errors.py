"""What can go wrong through the user's input, as a tree.

    PolytagError             catch this one to catch them all
    ├── PlanError            a plan file or a setting: unknown key, impossible value, missing part
    ├── CorpusError          an annotated file or text to tag: holds the file and the line
    ├── VectorsError         a file of word vectors, clusters or a gazetteer: holds the file and the line
    └── ModelError           a model directory: missing, damaged, of another version

Each message is one sentence that names the place, what was found and what was expected. The library raises
these and never prints or exits; the command line turns them into one line on stderr and exit code 1.
"""

import difflib
from collections.abc import Iterable
from os import PathLike

LONGEST_NAME = 60  # characters of a name that others are compared with
MOST_SAID = 1_000  # characters of a sentence


class PolytagWarning(UserWarning):
    """Something works, but probably not as the user means it; the command line shows it in a line on stderr."""


class PolytagError(Exception):
    """Base of every error that the user's input can cause; of what is quoted without end, the middle is left out."""

    def __init__(self, sentence: str = "") -> None:
        long = len(sentence) > MOST_SAID
        super().__init__(f"{sentence[: MOST_SAID // 2]} ... {sentence[-MOST_SAID // 2 :]}" if long else sentence)


class PlanError(PolytagError):
    """A plan or a setting cannot be used."""


class LocatedError(PolytagError):
    """An error at a place in a file; reads ``file:line: message``."""

    def __init__(self, message: str, *, path: str | PathLike[str] = "", line: int = 0) -> None:
        self.path, self.line, self.message = str(path), line, message
        place = f"{self.path}:{line}: " if line else f"{self.path}: " if self.path else ""
        super().__init__(place + message)


class CorpusError(LocatedError):
    """An annotated file or a text to tag cannot be read."""


class VectorsError(LocatedError):
    """Word vectors, clusters or a gazetteer cannot be read."""


class ModelError(PolytagError):
    """A model directory cannot be used."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Say what is allowed: ``"; did you mean 'words'?"`` or ``"; known are a, b"`` (for the end of a message)."""
    options = [str(k) for k in known]
    close = difflib.get_close_matches(name[:LONGEST_NAME], options, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known are {', '.join(options)}" if options else ""


def counted(count: int, noun: str) -> str:
    """A number and what it counts: 1 sentence, 2,000 sentences."""
    return f"{count:,} {noun}{'s' if count != 1 else ''}"
