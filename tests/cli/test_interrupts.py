"""An interrupt that meets an import is neither swallowed by it nor leaves a module half made."""

import signal
import subprocess
import sys
from pathlib import Path

from polytag.cli.interrupts import after_imports
from tests.cli.conftest import ENVIRONMENT

SWALLOWS = """
import os, signal, time

try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)
except BaseException:
    pass
whole = True
"""
PROGRAM = """
import sys, time, types
import click
import polytag.cli

@click.command()
def slow():
    import swallows
    print(swallows.whole, flush=True)
    time.sleep(60)

polytag.cli.COMMANDS["slow"] = ""
sys.modules["polytag.cli.slow"] = types.SimpleNamespace(slow=slow)
polytag.cli.main(["slow"])
"""


def test_an_interrupt_during_an_import_comes_after_it(tmp_path: Path) -> None:
    (tmp_path / "swallows.py").write_text(SWALLOWS)
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr.strip(), done.returncode) == ("True\n", "polytag: interrupted", 130)


def test_somebody_elses_way_with_interrupts_stays() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with after_imports():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    with after_imports():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
