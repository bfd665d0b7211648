"""Where and how quiet: the machine, and how much of it others used while something was measured."""

import os
import platform
import resource
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

INSTRUCTIONS = (
    "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8",
)  # fmt: skip
QUIET_LOAD = 0.5  # of the minute before
QUIET_CORES = 0.1  # that others use meanwhile


def describe() -> dict[str, Any]:
    """The machine in words, without any name or path of it."""
    from polytag import native
    from polytag.tagger.precision import choose_precision

    return {
        "processor": processor(),
        "instructions": ", ".join(name for name in INSTRUCTIONS if name in _flags()) or "unknown",
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "core": native.description(),
        "auto": choose_precision("auto", own="float32"),
    }


def processor() -> str:
    """The processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def has_amx() -> bool:
    """Whether the processor multiplies tiles, by which some bounds differ."""
    return "amx_int8" in _flags()


def load() -> float:
    """The load average of the last minute; 0 where the system tells none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _flags() -> set[str]:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return set(next((line.split(": ")[1] for line in lines if line.startswith("flags")), "").split())


@dataclass
class Watch:
    """How many cores all others used, on average, since this was made; steal by other guests of the host included."""

    began: float = field(default_factory=time.monotonic)
    busy: float = field(default_factory=lambda: _busy())
    own: float = field(default_factory=lambda: _own())

    def others(self) -> float:
        """Average cores from then to now, less those of this process and of its children that have ended."""
        seconds = max(time.monotonic() - self.began, 1e-3)
        return max(0.0, (_busy() - self.busy) - (_own() - self.own)) / seconds


def _busy() -> float:
    """Seconds that all cores together have spent on anything but waiting."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return _own()
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.read_text().splitlines()[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    who = (resource.getrusage(kind) for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in who)
