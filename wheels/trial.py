"""What of the wheels can be run on one Linux machine: natively, under qemu, by musl's loader, under wine."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zipfile import ZipFile

from wheels.build import ROOT, ZIG
from wheels.debian import Debian, MissingError
from wheels.targets import Target

TESTS = ("pytest", "hypothesis")  # what tests/native need beside the wheel
PYTHON = (3, 11)  # Debian's, under qemu
NO_DOT_PRODUCTS = "cortex-a72"
OLD = "Nehalem"  # the oldest that numpy runs on: no AVX


@dataclass(frozen=True)
class Outcome:
    """What one trial of a wheel showed."""

    tag: str
    trial: str
    state: str  # passed, failed or not run
    told: str


@dataclass(frozen=True)
class Bench:
    """Where trials keep what they need: a folder, and Debian's programs for other processors."""

    folder: Path
    debian: Debian


Trial = Callable[[Path, Target, Bench], str]


def outcomes(wheel: Path, target: Target, bench: Bench) -> Iterator[Outcome]:
    """Run what can be run of a wheel."""
    for name, trial in TRIALS.get(target.tag, {"": partial(_never, why="no such machine here")}).items():
        try:
            state, told = "passed", trial(wheel, target, bench)
        except MissingError as error:
            state, told = "not run", str(error)
        except subprocess.CalledProcessError as error:
            state, told = "failed", (error.stdout or b"").decode(errors="replace")
        yield Outcome(target.tag, name, state, told)


def _never(wheel: Path, target: Target, bench: Bench, *, why: str) -> str:
    raise MissingError(why)


# ---- By Python: the wheel alone in an environment of its own, and the tests of the native core.


def _native(wheel: Path, target: Target, bench: Bench) -> str:
    """tests/native on each instruction set of this processor, then without the core."""
    place = bench.folder / "native"
    _output([sys.executable, "-m", "venv", "--clear", str(place)])
    python = place / "bin" / "python"
    _output([str(python), "-m", "pip", "install", "--quiet", *_constraints(), str(wheel), *TESTS])
    return _python_trials([str(python)], bench)


def _emulated(wheel: Path, target: Target, bench: Bench, *, cpu: str) -> str:
    """The same by Debian's Python for that processor, under qemu."""
    site = bench.folder / f"site-{target.tag}"
    shutil.rmtree(site, ignore_errors=True)
    platforms = [f"--platform=manylinux_2_{minor}_{target.processor}" for minor in (17, 27, 28)]
    version = "--python-version={}.{}".format(*PYTHON)
    _output([sys.executable, "-m", "pip", "install", "--quiet", *_constraints(), "--only-binary=:all:", *platforms,
             version, f"--target={site}", str(wheel), *TESTS])  # fmt: skip
    root = bench.debian.unpacked("arm64", "python{}.{}".format(*PYTHON), "libstdc++6")
    emulator = bench.debian.emulator(target.processor)
    python = root / "usr" / "bin" / "python{}.{}".format(*PYTHON)
    return _python_trials([str(emulator), "-cpu", cpu, "-L", str(root), str(python)], bench, site=site)


def _python_trials(python: list[str], bench: Bench, *, site: Path | None = None) -> str:
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        shutil.copytree(ROOT / "tests" / "native", Path(folder, "tests", "native"))
        Path(folder, "tests", "__init__.py").touch()
        Path(folder, "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # no settings from folders above
        environment = {"OMP_NUM_THREADS": "1"}
        if site:
            python = [str(_script(Path(folder, "python"), python))]
            # PATH without compilers: what a test compiles would be for this machine
            environment |= {"PYTHONPATH": str(site), "POLYTAG_TEST_PYTHON": python[0], "PATH": folder}
        run = partial(_output, folder=Path(folder), environment=environment)
        sets = run([*python, "-c", "from polytag import native; print(', '.join(native.instructions()))"])
        run([*python, "-c", "import importlib.util as u; assert u.find_spec('torch') is None"])
        tests = [*python, "-c", _PYTEST]
        last = run(tests).splitlines()[-1]
        without = run(tests, environment=environment | {"POLYTAG_NATIVE": "0"}).splitlines()[-1]
    return f"{sets}: {last}; without the core: {without}"


# Under qemu a test that starts sys.executable must start qemu.
_PYTEST = """
import os, sys, pytest
sys.executable = os.environ.get("POLYTAG_TEST_PYTHON", sys.executable)
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "tests/native"]))
"""


def _script(file: Path, command: list[str]) -> Path:
    """A program that is the beginning of a command line."""
    file.write_text(f'#!/bin/sh\nexec {" ".join(map(shlex.quote, command))} "$@"\n', encoding="utf-8")
    file.chmod(0o755)
    return file


def _constraints() -> list[str]:
    return [f"--constraint={ROOT / 'constraints.txt'}"]


# ---- By the driver, where there is no Python.


def _driver(wheel: Path, target: Target, bench: Bench, *, runner: Callable[[Bench, Target], list[str]]) -> str:
    """The kernels against plain loops, see driver.cpp."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder, ZipFile(wheel) as files:
        core = Path(files.extract(target.library, folder))
        program = Path(folder, "driver.exe" if target.system == "windows" else "driver")
        dynamic = ["-dynamic"] if "musl" in target.zig else []
        _output([str(ZIG), "c++", "-target", target.zig, *dynamic, "-O2", str(ROOT / "wheels" / "driver.cpp"),
                 "-o", str(program)])  # fmt: skip
        told = _output([*runner(bench, target), str(program), str(core)], environment={"WINEDEBUG": "-all"})
    sets = dict.fromkeys(line[9:33].strip() for line in told.splitlines() if line.startswith("ok "))
    return f"{', '.join(sets)}: {told.splitlines()[-1]}"


def _glibc(bench: Bench, target: Target, *, cpu: str) -> list[str]:
    root = "/" if target.processor == "x86_64" else str(bench.debian.unpacked("arm64", "libc6"))
    return [str(bench.debian.emulator(target.processor)), "-cpu", cpu, "-L", root]


def _musl(bench: Bench, target: Target) -> list[str]:
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[target.processor]
    root = bench.debian.unpacked(architecture, "musl")
    loader = str(root / "lib" / f"ld-musl-{target.processor}.so.1")
    return (
        [loader] if target.processor == os.uname().machine else [str(bench.debian.emulator(target.processor)), loader]
    )


def _wine(bench: Bench, target: Target) -> list[str]:
    places = (shutil.which("wine64"), shutil.which("wine"), "/usr/lib/wine/wine64")
    found = next((place for place in places if place and Path(place).exists()), None)
    if found is None:
        raise MissingError("no wine here: apt-get install wine64")
    return ["env", f"WINEPREFIX={bench.folder / 'wine'}", "WINEDLLOVERRIDES=mscoree,mshtml=", found]


def _output(command: list[str], *, folder: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """What a command prints; both of its streams are in the error where it fails."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | (environment or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=True,
    )  # fmt: skip
    return done.stdout.decode(errors="replace").strip()


TRIALS: dict[str, dict[str, Trial]] = {
    "manylinux_2_17_x86_64": {
        "tests/native here": _native,
        f"driver, qemu {OLD}": partial(_driver, runner=partial(_glibc, cpu=OLD)),
    },
    "manylinux_2_17_aarch64": {
        "tests/native, qemu": partial(_emulated, cpu="max"),
        f"driver, qemu {NO_DOT_PRODUCTS}": partial(_driver, runner=partial(_glibc, cpu=NO_DOT_PRODUCTS)),
    },
    "musllinux_1_2_x86_64": {"driver, musl here": partial(_driver, runner=_musl)},
    "musllinux_1_2_aarch64": {"driver, musl, qemu": partial(_driver, runner=_musl)},
    "win_amd64": {"driver, wine": partial(_driver, runner=_wine)},
}
