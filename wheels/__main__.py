"""`python -m wheels`: the sdist and all wheels into dist/, what they are, and what of them ran here, as a table."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from wheels.build import ROOT, sdist, wheel
from wheels.check import faults
from wheels.debian import Debian
from wheels.targets import TARGETS, Target
from wheels.trial import Bench, outcomes


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m wheels", description=__doc__)
    parser.add_argument("--only", metavar="TAG", help="the platforms whose tags contain this")
    parser.add_argument("--no-trials", action="store_true", help="build and check, run nothing")
    arguments = parser.parse_args()
    targets = [target for target in TARGETS if (arguments.only or "") in target.tag]
    work, dist = ROOT / "build" / "wheels", ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    source = sdist(dist, work)
    wheels = {target: _made(target, source, dist) for target in targets}
    bad = _checked(wheels)
    if not arguments.no_trials:
        bad |= _tried(wheels, Bench(work, Debian(work / "debian")))
    sys.exit(1 if bad else 0)


def _made(target: Target, source: Path, dist: Path) -> Path:
    began = time.perf_counter()
    made = wheel(target, source, dist)
    print(f"{made.name}  {made.stat().st_size:,} bytes, {time.perf_counter() - began:.0f} s", flush=True)
    return made


def _checked(wheels: dict[Target, Path]) -> bool:
    """Print every fault; whether there is any."""
    told = [f"{made.name}: {fault}" for target, made in wheels.items() for fault in faults(made, target)]
    print("\n".join(told) or "all wheels are what their names say", flush=True)
    return bool(told)


def _tried(wheels: dict[Target, Path], bench: Bench) -> bool:
    """Print what each trial showed; whether any failed."""
    failed = False
    for target, made in wheels.items():
        for outcome in outcomes(made, target, bench):
            print(f"{outcome.tag:24} {outcome.state:8} {outcome.trial:24} {outcome.told}", flush=True)
            failed |= outcome.state == "failed"
    return failed


if __name__ == "__main__":
    main()
