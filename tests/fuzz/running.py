"""Cases one after the other, each with its limits: what comes of it, how long it takes, how much memory it wants."""

import faulthandler
import random
import resource
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import format_exception
from types import FrameType
from typing import NamedTuple

from polytag.errors import PolytagError
from tests.fuzz.mutations import mutated
from tests.fuzz.subjects import Subject

MOST_SECONDS = 5.0  # of processor time: the machine may be busy
MOST_MEMORY = 1 << 30  # bytes more than before the first case
STUCK_SECONDS = 300  # that nothing is waited for longer than


class HangError(BaseException):
    """A case takes too long; no `Exception`, which a case could catch."""


class Fault(NamedTuple):
    """A case that did not come to a good end."""

    subject: str
    case: int
    what: str

    def __str__(self) -> str:
        return f"{self.subject}, case {self.case}: {self.what.rstrip()}"


@contextmanager
def limited() -> Iterator[None]:
    """Limits for this process, which must have nothing else to do: it is ended where nothing else helps."""
    before, resources = signal.signal(signal.SIGPROF, _hang), resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_MEMORY, resources[1]))
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        resource.setrlimit(resource.RLIMIT_AS, resources)
        signal.signal(signal.SIGPROF, before)


def run(
    subject: Subject,
    seed: int,
    cases: range,
    *,
    until: float = float("inf"),
    says: Callable[[str], object] | None = None,
) -> Iterator[Fault | bool]:
    """Run cases of a subject, up to a time of `time.monotonic`; for each a fault, or whether it was read.

    ``says`` gets the sentences of refusals.
    """
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            if time.monotonic() > until:
                return
            outcome = _outcome(subject, seed, case, Path(folder), says)
            yield Fault(subject.name, case, outcome) if isinstance(outcome, str) else outcome


def case_of(subject: Subject, seed: int, case: int) -> tuple[random.Random, bytes]:
    """The bytes of a case, and the source of chance for whatever else it is made of."""
    source = random.Random(f"{seed} {subject.name} {case}")
    return source, mutated(source, source.choice(subject.examples))


def _outcome(subject: Subject, seed: int, case: int, folder: Path, says: Callable[[str], object] | None) -> bool | str:
    """Whether the case was read, not refused; or what is wrong with it."""
    source, content = case_of(subject, seed, case)
    faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    is_read = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            subject.run(source, content, folder)
    except PolytagError as error:
        is_read = False
        if says:
            says(str(error))
        if is_no_sentence(str(error)):
            return f"said {len(str(error)):,} characters: {str(error)[:300]!r}"
    except HangError:
        return f"took more than {MOST_SECONDS:g} seconds"
    except MemoryError:
        return f"wanted more than {MOST_MEMORY:,} bytes"
    except Exception as error:
        return "".join(format_exception(error))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return left_over(folder) or is_read


def is_no_sentence(text: str) -> bool:
    """Whether an error says more, or less, than a user can read."""
    return not text or "Traceback" in text or "object at 0x" in text or len(text) > 2_000


def left_over(folder: Path) -> str:
    """What a case left half-written."""
    found: Sequence[Path] = list(folder.rglob("*.partial"))
    return f"left {', '.join(path.name for path in found)}" if found else ""


def _hang(number: int, frame: FrameType | None) -> None:
    raise HangError
