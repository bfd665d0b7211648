"""Which code a run is made by: a copy of the package, so that edits of the tree do not reach a run under way."""

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polytag
from polytag.errors import PolytagError

PACKAGE = Path(polytag.__file__).parent
UNKNOWN = "unknown"


@cache
def commit() -> str:
    """``git rev-parse HEAD``, shortened, with + behind it if files below src differ from it."""
    head = _git("rev-parse", "--short=12", "HEAD")
    if head is None:
        return UNKNOWN
    return head + ("+" if _git("status", "--porcelain", "--", str(PACKAGE)) else "")


def snapshot(runs: Path, *, committed: bool = False) -> tuple[str, Path]:
    """The commit, and a directory for PYTHONPATH with the package; the same code is copied once.

    ``committed`` takes HEAD's files instead of those in the tree, and compiles what they compile.

    Raises:
        PolytagError: HEAD is asked for and the package lies in no git repository, or HEAD cannot be built.
    """
    if committed:
        name = commit().removesuffix("+")
        return name, _kept(runs / "code" / f"{name}-head", _copy_head)
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / PACKAGE.name
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        place = runs / "code" / f"{commit()}-{_digest(copy)}"
        return commit(), _kept(place, lambda target: shutil.copytree(copy, target))


def _kept(place: Path, make: Callable[[Path], object]) -> Path:
    """A directory that holds the package: made beside its place, then renamed."""
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=place.parent))
        make(beside / PACKAGE.name)
        try:
            beside.rename(place)
        except OSError:  # another process was first
            shutil.rmtree(beside)
    return place


def _copy_head(target: Path) -> None:
    top = _git("rev-parse", "--show-toplevel")
    if top is None or not PACKAGE.resolve().is_relative_to(Path(top).resolve()):
        raise PolytagError(f"{PACKAGE}: lies in no git repository, expected one to take the committed code from")
    archive = subprocess.run(["git", "-C", top, "archive", "HEAD"], capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as temporary, tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(temporary, filter="data")
        installed = Path(temporary, "installed")
        _install(temporary, installed)
        shutil.copytree(installed / PACKAGE.name, target)


def _install(top: str, folder: Path) -> None:
    """The package with its native core, compiled; without a compiler it is left out."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), top]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise PolytagError(f"HEAD cannot be installed by {sys.executable} -m pip: {lines[-1]}")


def _digest(copy: Path) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(path for path in copy.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(copy)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(PACKAGE), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
