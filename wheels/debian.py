"""Programs for other processors from Debian's archive, unpacked into a folder: nothing is installed, nobody is root."""

import os
import platform
import shutil
import subprocess
from functools import cached_property
from pathlib import Path

ARCHITECTURES = ("amd64", "arm64")


class MissingError(Exception):
    """What a trial needs and this machine has not; the text says what."""


class Debian:
    """Packages of Debian (the release that this machine's apt knows) below one folder, each architecture apart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def unpacked(self, architecture: str, *packages: str) -> Path:
        """The root of a file system that holds packages and what they depend on.

        Raises:
            MissingError: this machine has no apt.
        """
        root = self._folder / architecture
        cache = self._folder / "-".join((architecture, *packages))
        if not cache.exists():
            self._apt("install", "--download-only", "--no-install-recommends", "--yes", *self._cache(cache), "--",
                      *(f"{package}:{architecture}" for package in packages))  # fmt: skip
        for file in (cache / "archives").glob("*.deb"):
            if file.stem.endswith((architecture, "all")):
                subprocess.run(["dpkg", "-x", file, root], check=True)
        return root

    def emulator(self, processor: str) -> Path:
        """A program that runs those of another processor, or of this one with fewer instructions."""
        name = f"qemu-{processor}-static"
        if installed := shutil.which(name):
            return Path(installed)
        own = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
        return self.unpacked(own, "qemu-user-static") / "usr" / "bin" / name

    def _apt(self, *arguments: str) -> None:
        environment = os.environ | {"APT_CONFIG": str(self._configuration)}
        done = subprocess.run(["apt-get", *arguments], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingError(f"apt-get {arguments[0]}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")

    @staticmethod
    def _cache(folder: Path) -> list[str]:
        (folder / "archives" / "partial").mkdir(parents=True)
        return ["-o", f"Dir::Cache={folder}"]

    @cached_property
    def _configuration(self) -> Path:
        """apt's own sources; all that it writes goes into the folder, and nothing counts as installed."""
        if shutil.which("apt-get") is None:
            raise MissingError("no apt-get here")
        (self._folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        file = self._folder / "apt.conf"
        file.write_text(
            f"APT::Architectures {{ {' '.join(f'{chr(34)}{name}{chr(34)};' for name in ARCHITECTURES)} }};\n"
            f'Dir::State::lists "{self._folder}/lists";\nDir::State::status "/dev/null";\n'
            f'Dir::Cache "{self._folder}";\nDebug::NoLocking "true";\nAPT::Sandbox::User "";\n'
        )
        environment = os.environ | {"APT_CONFIG": str(file)}
        subprocess.run(
            ["apt-get", "update"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        return file
