"""`python -m wheels.light [WHEEL]`: a wheel alone in a fresh environment: no PyTorch, its size, its start, its memory.

Without a wheel it makes one for this machine, as pip does of the sources. Needs nothing but pip.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "examples" / "news" / "demo.polytag"
TEXT = "Angela Merkel visited Lima .\n"
SIZE = 100e6  # bytes of site-packages without pip and setuptools
START = 0.4  # seconds from nothing to the first tag
MEMORY = 150e6  # bytes beyond the model's weights
STARTS = 5  # of which the fastest counts: others may be using the machine
_PEAK = "import resource as r, sys; print(r.getrusage(r.RUSAGE_CHILDREN).ru_maxrss * 1024, file=sys.stderr)"


@dataclass(frozen=True)
class Row:
    """A measured figure and what it may be."""

    name: str
    found: str
    expected: str
    good: bool


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m wheels.light", description=__doc__)
    parser.add_argument("wheel", nargs="?", type=Path, help="made of the sources where it is not given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = arguments.wheel or _made(Path(folder, "wheel"))
        _run(sys.executable, "-m", "venv", folder + "/light")
        python = Path(folder, "light", "bin", "python")
        _run(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
        good = True
        for row in chain(rows(python), [_without_compiler(Path(folder, "without"))]):
            print(
                f"{'ok' if row.good else 'FAILED':8} {row.name:34} {row.found:24} expected {row.expected}", flush=True
            )
            good &= row.good
    sys.exit(0 if good else 1)


def rows(python: Path) -> Iterator[Row]:
    """What is measured of an environment that a wheel alone was installed into."""
    installed = {line.split()[0] for line in _run(python, "-m", "pip", "list", "--format=freeze").splitlines()}
    torch = sorted(name for name in installed if name.startswith(("torch", "nvidia")))
    yield Row("PyTorch", ", ".join(torch) or "none", "none", not torch)
    size = installed_size(python)
    yield Row("site-packages, bytes", f"{size:,}", f"at most {SIZE:,.0f}", size <= SIZE)
    polytag = python.with_name("polytag")
    version = _run(polytag, "--version").splitlines()
    yield Row("polytag --version", version[-1], "a native core", version[-1].startswith("native core"))
    yield _least("start, --help, s", lambda: _seconds([polytag, "--help"]), START)
    if MODEL.exists():
        tag: list[Path | str] = [polytag, "tag", MODEL, "--task", "en-pos", "--task", "en-ner", "--from", "tokenised"]
        yield _least("start to first tag, s", lambda: _seconds(tag), START)
        most = MEMORY + MODEL.stat().st_size
        peak = _peak(python, tag)
        yield Row("memory while tagging, bytes", f"{peak:,}", f"at most {most:,.0f}", peak <= most)
        yield _same(tag)
        yield _by_numpy(tag)


def _same(tag: list[Path | str]) -> Row:
    """The light install's bytes beside those of the full one that runs this."""
    full = Path(sys.executable).with_name("polytag")
    if not full.exists():
        return Row("tags of the full install", "not run: none beside this Python", "the same", True)
    same = _run(*tag, text=TEXT) == _run(full, *tag[1:], text=TEXT)
    return Row("tags of the full install", "the same" if same else "others", "the same", same)


def _by_numpy(tag: list[Path | str]) -> Row:
    """The same bytes where numpy computes instead of the core."""
    same = _run(*tag, text=TEXT) == _run(*tag, text=TEXT, environment={"POLYTAG_NATIVE": "0"})
    return Row("tags without the core", "the same" if same else "others", "the same", same)


def _without_compiler(folder: Path) -> Row:
    """What pip calls the wheel that it makes of the sources where no compiler works."""
    name = _made(folder, environment={"CXX": "false"}).name.removesuffix(".whl")
    end = "0_without_the_compiled_core-py3-none-any"
    return Row("without a compiler", name, f"...-{end}", name.endswith(end))


def _made(folder: Path, *, environment: dict[str, str] | None = None) -> Path:
    command = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    _run(*command, environment=environment)
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed_size(python: Path) -> int:
    """Bytes of site-packages, compiled Python included, but for what every new environment holds."""
    folder = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('platlib'))"))
    own = [
        path for path in folder.iterdir() if not path.name.startswith(("pip", "setuptools", "_distutils", "distutils"))
    ]
    files = [file for path in own for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files if file.is_file())


def _least(name: str, measure: Callable[[], float], most: float) -> Row:
    measure()  # Python compiles what it imports first
    least = min(measure() for _ in range(STARTS))
    return Row(name, f"{least:.3f}", f"at most {most}", least <= most)


def _seconds(command: list[Path | str]) -> float:
    began = time.perf_counter()
    _run(*command, text=TEXT)
    return time.perf_counter() - began


def _peak(python: Path, command: list[Path | str]) -> int:
    """The most memory that a command held at once, bytes."""
    program = f"import subprocess as s, sys; s.run(sys.argv[1:], check=True, stdout=s.DEVNULL); {_PEAK}"
    done = subprocess.run([python, "-c", program, *command], input=TEXT, capture_output=True, text=True, check=True)
    return int(done.stderr.split()[-1])


def _run(*command: Path | str, text: str | None = None, environment: dict[str, str] | None = None) -> str:
    env = os.environ | (environment or {})
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
