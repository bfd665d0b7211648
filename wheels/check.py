"""What is promised of a wheel, read from its files: platform, libraries that it needs, functions that it has."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from zipfile import ZipFile

import lief

from wheels.targets import Target

lief.logging.disable()  # it tells of what it makes good itself

PROCESSORS = {"x86_64": ("X86_64", "AMD64"), "aarch64": ("AARCH64", "ARM64")}
SYSTEMS_OWN = {  # libraries that every such system has: what a core may need
    "gnu": ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "ld-linux-*.so.?"),
    "musl": ("libc.musl-*.so.1",),
    "macos": ("/usr/lib/libSystem.B.dylib",),
    "windows": ("KERNEL32.dll", "ntdll.dll", "api-ms-win-crt-*.dll"),
}
FUNCTIONS = ("polytag_abi", "polytag_select", "polytag_layer", "polytag_states", "polytag_project", "polytag_viterbi")
BINARIES = (".so", ".dylib", ".dll", ".pyd", ".a", ".lib")


def faults(wheel: Path, target: Target) -> Iterator[str]:
    """What is wrong with a wheel; nothing where it is as it should be."""
    with ZipFile(wheel) as files, tempfile.TemporaryDirectory() as folder:
        binaries = [name for name in files.namelist() if name.endswith(BINARIES)]
        if binaries != [target.library]:
            yield f"binaries {binaries}, expected {target.library} alone"
        (info,) = (name for name in files.namelist() if name.endswith(".dist-info/WHEEL"))
        if f"Tag: py3-none-{target.tag}\n" not in files.read(info).decode():
            yield f"{info} has another tag than py3-none-{target.tag}"
        if target.library in binaries:
            yield from _of_library(Path(files.extract(target.library, folder)), target)
    if target.system == "linux":
        yield from _of_policy(wheel, target)


def _of_library(file: Path, target: Target) -> Iterator[str]:
    library = lief.parse(str(file))
    header = library.header
    machine = getattr(header, "machine_type", None) or getattr(header, "machine", None) or header.cpu_type
    if machine.name not in PROCESSORS[target.processor]:
        yield f"a core for {machine.name}, expected {target.processor}"
    own = SYSTEMS_OWN[target.zig.split("-")[2].partition(".")[0] if target.system == "linux" else target.system]
    for name in needed(file):
        if not any(fnmatch(name.lower(), pattern.lower()) for pattern in own):
            yield f"needs {name}, expected none but {', '.join(own)}"
    exported = {name.removeprefix("_") for name in _exported(library)}
    if lacking := [name for name in FUNCTIONS if name not in exported]:
        yield f"lacks the functions {', '.join(lacking)}"
    if target.system == "macos":
        yield from _of_macos(library, target)


def needed(file: Path) -> list[str]:
    """The names of the libraries that a core is linked with."""
    library = lief.parse(str(file))
    names = [entry if isinstance(entry, str) else entry.name for entry in library.libraries]
    return [name for name in names if not name.startswith("@rpath/core")]  # a Mach-O library names itself first


def _exported(library: lief.Binary) -> Iterator[str]:
    if isinstance(library, lief.PE.Binary):
        yield from (entry.name for entry in library.get_export().entries)
    else:
        yield from (symbol.name for symbol in library.exported_symbols)


def _of_macos(library: lief.MachO.Binary, target: Target) -> Iterator[str]:
    oldest = "_".join(map(str, library.build_version.minos[:2]))
    if f"_{oldest}_" not in target.tag:
        yield f"is for macOS {oldest} or later, expected {target.tag}"
    if target.processor == "aarch64" and not library.has_code_signature:
        yield "has no signature, without which macOS loads nothing on arm64"


def _of_policy(wheel: Path, target: Target) -> Iterator[str]:
    """auditwheel's judgement: the tag that it finds must be the one that the wheel has."""
    nowhere = f"--ldpaths={wheel.parent / 'none'}"  # else it reads this machine's libraries, of another libc
    command = [sys.executable, "-m", "auditwheel", "show", nowhere, str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = " ".join((done.stdout + done.stderr).split())
    if done.returncode or f'consistent with the following platform tag: "{target.tag}"' not in told:
        yield f"auditwheel: {told}"
