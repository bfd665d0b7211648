"""What holds for all tests: property tests draw the same examples each time, however slow the machine is."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.zygote import zygote

# `make test-all` draws as many examples as Hypothesis does by itself.
settings.register_profile("polytag", deadline=None, derandomize=True, max_examples=15)
settings.register_profile("thorough", parent=settings.get_profile("polytag"), max_examples=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "polytag"))

gc.set_threshold(50_000, 20, 20)  # thousands of tests and torch are many objects: looking through them is a fifth
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a script: programs that tests interrupt
    signal.signal(signal.SIGINT, signal.default_int_handler)  # would inherit it and go on for good
os.fsync = lambda _: None  # no test takes the power away, and a disk that is waited for is most of a small training


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PATH that begins with `polytag` and `python`, which start at once: see `tests.zygote`."""
    with zygote(tmp_path_factory.mktemp("zygote")) as path:
        yield path


@pytest.fixture(scope="session")
def quick_python(programs: str) -> str:
    """What `sys.executable` may be for code that starts itself again."""
    return str(Path(programs.partition(":")[0], "python"))


@pytest.fixture(scope="module")
def quick_start(quick_python: str) -> Iterator[None]:
    """Trainings that a module's commands start begin at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", quick_python)
        yield


@pytest.fixture(scope="module", autouse=True)
def no_curves(request: pytest.FixtureRequest) -> Iterator[None]:
    """Small trainings spend a third of their time on pictures; modules that look at these say so: LOOKS_AT_CURVES."""
    with pytest.MonkeyPatch.context() as patch:
        if "polytag.training.passes" in sys.modules and not getattr(request.module, "LOOKS_AT_CURVES", False):
            patch.setattr("polytag.training.passes.write_curves", lambda *_: None)
        yield
