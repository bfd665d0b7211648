"""The sdist, and the wheels from it: scikit-build-core drives CMake, and `zig c++` compiles for each platform."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import ziglang

from wheels.targets import Target

ROOT = Path(__file__).parent.parent
ZIG = Path(ziglang.__file__).parent / "zig"


def sdist(folder: Path, work: Path) -> Path:
    """Make the source distribution of this tree; the folder below ``work`` that it is unpacked into."""
    _build("sdist", ROOT, folder)
    (archive,) = folder.glob("polytag-*.tar.gz")
    source = work / archive.name.removesuffix(".tar.gz")
    shutil.rmtree(source, ignore_errors=True)
    with tarfile.open(archive) as files:
        files.extractall(work, filter="data")
    return source


def wheel(target: Target, source: Path, folder: Path) -> Path:
    """A wheel of an unpacked sdist for a platform."""
    environment = {
        "CMAKE_GENERATOR": "Ninja",
        "CMAKE_TOOLCHAIN_FILE": str(source / "wheels" / "zig.cmake"),
        "POLYTAG_ZIG": str(ZIG),
        "POLYTAG_TARGET": target.zig,
        "POLYTAG_CORE_REQUIRED": "1",
        "_PYTHON_HOST_PLATFORM": target.tag,  # what the wheel is named by
    }
    settings = {"install.strip": "false", "cmake.python-hints": "false"}  # both take this machine for the target
    _build("wheel", source, folder, settings=settings, environment=environment)
    (made,) = folder.glob(f"*-{target.tag}.whl")
    return made


def _build(
    kind: str,
    source: Path,
    folder: Path,
    *,
    settings: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Call the build backend as pip does; what it prints is shown where it fails."""
    options = [f"-C{name}={value}" for name, value in (settings or {}).items()]
    command = [
        sys.executable,
        "-m",
        "build",
        f"--{kind}",
        "--no-isolation",
        "--outdir",
        str(folder),
        *options,
        str(source),
    ]
    done = subprocess.run(
        command, env=os.environ | (environment or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        sys.stdout.buffer.write(done.stdout)
        sys.exit(f"{kind} of {source} failed: {' '.join(command)}")
