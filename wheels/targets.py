"""The platforms that wheels are built for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A platform: what `zig c++ -target` and a wheel's name call it.

    The tags promise what the compiler was told: glibc 2.17, musl 1.2, macOS 11.
    """

    zig: str
    tag: str

    @property
    def system(self) -> str:
        """linux, macos or windows."""
        return self.zig.split("-")[1].partition(".")[0]

    @property
    def processor(self) -> str:
        """x86_64 or aarch64."""
        return self.zig.split("-")[0]

    @property
    def library(self) -> str:
        """The core's file in the wheel."""
        suffix = {"linux": "so", "macos": "dylib", "windows": "dll"}[self.system]
        return f"polytag/native/core.{suffix}"


TARGETS = (
    Target("x86_64-linux-gnu.2.17", "manylinux_2_17_x86_64"),
    Target("aarch64-linux-gnu.2.17", "manylinux_2_17_aarch64"),
    Target("x86_64-linux-musl", "musllinux_1_2_x86_64"),
    Target("aarch64-linux-musl", "musllinux_1_2_aarch64"),
    Target("aarch64-macos.11.0", "macosx_11_0_arm64"),
    Target("x86_64-macos.11.0", "macosx_11_0_x86_64"),
    Target("x86_64-windows-gnu", "win_amd64"),
)
