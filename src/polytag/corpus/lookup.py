"""Where a corpus that somebody names lies: at the path as given, or else in the data directory."""

from os import PathLike
from pathlib import Path

from polytag.errors import CorpusError


def find_file(path: str | PathLike[str], data: str | PathLike[str] | None) -> Path:
    """The path as given if something is there, else below ``data``; a suffix such as ``#sections=0-18`` is kept.

    Without ``data`` it is the path as given, whether or not something is there.

    Raises:
        CorpusError: nothing is there, nor below ``data``.
    """
    given = Path(path)
    plain, mark, suffix = str(path).partition("#")
    if data is None or given.is_absolute() or given.exists() or Path(plain).exists():
        return given
    if (below := Path(data) / given).exists():
        return below
    if mark and (below := Path(data) / plain).exists():
        return Path(f"{below}{mark}{suffix}")
    raise CorpusError(f"no such file, nor is there one in {data}", path=path)
