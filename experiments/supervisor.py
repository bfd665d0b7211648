"""Run a queue: several processes, one per core; what is done is skipped, what was killed is resumed."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from experiments.catalogue import Stage
from experiments.queued import runs
from experiments.results import Result
from experiments.training import (
    Place,
    Run,
    directory,
    forget,
    is_recorded,
    is_trained,
    log,
    record,
    source,
    start,
)
from polytag.errors import PolytagError
from polytag.runs import processes

POLL_SECONDS = 1.0

Say = Callable[[str], None]


@dataclass
class Active:
    """A training under way."""

    run: Run
    process: "subprocess.Popen[bytes]"
    metrics: Path
    lines: int = 0  # of metrics.jsonl that were shown


@dataclass
class Summary:
    """What a call of `supervise` did."""

    done: list[Run] = field(default_factory=list)
    failed: list[Run] = field(default_factory=list)
    stopped: list[Run] = field(default_factory=list)  # to be resumed


class Supervisor:
    """Trains the runs of stages in their order; see `supervise`."""

    def __init__(self, place: Place, stages: Sequence[Stage], *, say: Say) -> None:
        self.place, self.stages, self.say = place, stages, say
        self.active: list[Active] = []
        self.anew: set[Run] = set()
        self.summary = Summary()

    def forget_done(self) -> None:
        """Train anew what is done; what an earlier call began anew is resumed."""
        self.anew = {run for run in runs(self.stages, self.place) if is_recorded(run, self.place)}
        for run in self.anew:
            if is_trained(run, self.place):
                forget(run, self.place)

    def pending(self) -> list[Run]:
        """What is left to do, in order; variants may join when results come in."""
        return [run for run in runs(self.stages, self.place) if run in self.anew or not is_recorded(run, self.place)]

    def work(self, jobs: int, deadline: float) -> None:
        """Until nothing is left or the deadline, in `time.monotonic`'s seconds, has come."""
        while time.monotonic() < deadline:
            self._reap()
            for run in islice(self._startable(), max(0, jobs - len(self.active))):
                self._start(run)
            if not self.active:
                return
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End what is under way; a training loses at most the minute since its last saved state."""
        processes.stop([active.process for active in self.active])
        for active in self.active:
            self._show_epochs(active)
            if is_trained(active.run, self.place):
                self._finish(active)
            else:
                self.say(f"{active.run}: stopped, to be resumed")
                self.summary.stopped.append(active.run)
        self.active = []

    def _reap(self) -> None:
        for active in list(self.active):
            ended = active.process.poll() is not None
            self._show_epochs(active)
            if ended:
                self.active.remove(active)
                self._finish(active)

    def _finish(self, active: Active) -> None:
        if active.process.returncode or not is_trained(active.run, self.place):
            self.say(f"{active.run}: failed: {processes.last_line(log(active.run, self.place))}")
            self.summary.failed.append(active.run)
        else:
            self._record(active.run)

    def _record(self, run: Run) -> None:
        for result in record(run, self.place):
            self.say(f"{run}: done: {told(result)}")
        self.anew.discard(run)
        self.summary.done.append(run)

    def _startable(self) -> Iterator[Run]:
        """What may start now; runs that were trained but not recorded are recorded on the way."""
        busy = {active.run for active in self.active} | set(self.summary.failed)
        pending = self.pending()
        for run in pending:
            if run in busy or source(run, self.place) in pending:
                continue
            if is_trained(run, self.place):
                self._record(run)
            else:
                yield run

    def _start(self, run: Run) -> None:
        try:
            process = start(run, self.place)
        except PolytagError as error:
            self.say(f"{run}: cannot start: {error}")
            self.summary.failed.append(run)
            return
        metrics = directory(run, self.place) / "metrics.jsonl"
        active = Active(run, process, metrics, lines=len(_lines(metrics)))
        self.active.append(active)
        resumed = f"resumed after epoch {active.lines}" if active.lines else "started"
        self.say(f"{run}: {resumed}; {len(self.pending())} runs left in the queue")

    def _show_epochs(self, active: Active) -> None:
        lines = _lines(active.metrics)
        for line in lines[active.lines :]:
            self.say(f"{active.run}: {epoch_told(line)}")
        active.lines = max(active.lines, len(lines))


def supervise(
    place: Place,
    stages: Sequence[Stage],
    *,
    jobs: int,
    seconds: float | None = None,
    again: bool = False,
    say: Say,
) -> Summary:
    """Train what is not done of some stages, in order, ``jobs`` at a time.

    Args:
        place: where everything lies.
        stages: what to run.
        jobs: how many processes.
        seconds: end cleanly after so many; whatever is under way then is resumed by the next call.
        again: train anew what is done; its new lines in results.csv take precedence over the old ones.
        say: gets a line for each start, epoch and end.
    """
    place.runs.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(place, stages, say=say)
    if again:
        supervisor.forget_done()
    with processes.terminated_as_interrupted():
        try:
            supervisor.work(jobs, float("inf") if seconds is None else time.monotonic() + seconds)
        except KeyboardInterrupt:
            say("interrupted")
        finally:
            supervisor.stop()
    return supervisor.summary


def epoch_told(line: str) -> str:
    """A line of metrics.jsonl for people, with the time that is left."""
    entry = json.loads(line)
    shown = "; ".join(
        f"{task} {' '.join(f'{split} {entry[split][task]:.2f}' for split in ('dev', 'test') if task in entry[split])}"
        for task in entry["loss"]
    )
    each = entry["seconds"] / entry["epoch"]
    left = (entry["epochs"] - entry["epoch"]) * each / 60
    progress = f"epoch {entry['epoch']} of at most {entry['epochs']}: {shown}"
    return f"{progress}; {each:,.0f} s an epoch; at most {left:,.0f} min left"


def told(result: Result) -> str:
    """A result for people."""
    dev = "" if result.dev is None else f"dev {result.dev:.2f}, "
    test = "" if result.test is None else f"test {result.test:.2f}, best on test {result.best_on_test:.2f}, "
    return f"{result.task} {dev}{test}epoch {result.selected_epoch} of {result.epochs}, {result.minutes:.1f} min"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
