"""Run a queue: several processes, one per core; what is done is skipped, what was killed is resumed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.catalogue import Stage
from experiments.queued import runs
from experiments.results import Result
from experiments.training import Place, Run, forget, is_recorded, is_trained, record, source, training
from polytag.errors import PolytagError
from polytag.runs import work

Say = Callable[[str], None]


@dataclass
class Summary:
    """What a call of `supervise` did."""

    done: list[Run] = field(default_factory=list)
    failed: list[Run] = field(default_factory=list)
    stopped: list[Run] = field(default_factory=list)  # to be resumed


@dataclass
class Queue:
    """The runs of stages in their order, from what is asked for to what has become of it; see `supervise`."""

    place: Place
    stages: Sequence[Stage]
    say: Say
    summary: Summary = field(default_factory=Summary)
    anew: set[Run] = field(default_factory=set)
    under_way: dict[work.Run, Run] = field(default_factory=dict)
    before: dict[work.Run, int] = field(default_factory=dict)  # epochs of an earlier call

    def forget_done(self) -> None:
        """Train anew what is done; what an earlier call began anew is resumed."""
        self.anew = {run for run in runs(self.stages, self.place) if is_recorded(run, self.place)}
        for run in self.anew:
            if is_trained(run, self.place):
                forget(run, self.place)

    def asked(self) -> Iterator[work.Run | None]:
        """What to train next, for ever; None where nothing may start before another has ended."""
        while True:
            left = self._left()
            busy = {*self.under_way.values(), *self.summary.failed}
            run = next((run for run in left if run not in busy and source(run, self.place) not in left), None)
            if run is None:
                active = list(self.under_way)
                while active == list(self.under_way):
                    yield None
            elif is_trained(run, self.place):  # but not recorded
                self._record(run)
            elif started := self._training(run):
                self.say(f"{len(left)} left in the queue")
                yield started

    def show_epoch(self, started: work.Run, line: Mapping[str, Any]) -> bool:
        """Say what an epoch brought."""
        if line["epoch"] > self.before[started]:
            self.say(f"{started}: {epoch_told(line)}")
        return True

    def ended(self, started: work.Run, reason: str) -> None:
        """Record a training, or that it failed."""
        run = self.under_way.pop(started)
        if reason:
            self._failed(run, f"failed: {reason}")
        else:
            self._record(run)

    def stopped(self) -> None:
        """See to what was under way: a training loses at most the minute since its last saved state."""
        for started, run in self.under_way.items():
            if started.is_done:
                self._record(run)
            else:
                self.say(f"{run}: stopped, to be resumed")
                self.summary.stopped.append(run)

    def _left(self) -> list[Run]:
        """What is left to do, in order; variants may join when results come in."""
        return [run for run in runs(self.stages, self.place) if run in self.anew or not is_recorded(run, self.place)]

    def _training(self, run: Run) -> work.Run | None:
        try:
            started = training(run, self.place)
        except PolytagError as error:
            self._failed(run, f"cannot start: {error}")
            return None
        self.under_way[started], self.before[started] = run, len(started.epochs())
        return started

    def _failed(self, run: Run, reason: str) -> None:
        self.say(f"{run}: {reason}")
        self.summary.failed.append(run)

    def _record(self, run: Run) -> None:
        for result in record(run, self.place):
            self.say(f"{run}: done: {told(result)}")
        self.anew.discard(run)
        self.summary.done.append(run)


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
    queue = Queue(place, stages, say)
    if again:
        queue.forget_done()
    try:
        work.train_all(queue.asked(), jobs=jobs, seconds=seconds, say=say, ended=queue.ended, goes_on=queue.show_epoch)
    except KeyboardInterrupt:
        say("interrupted")
    finally:
        queue.stopped()
    return queue.summary


def epoch_told(line: Mapping[str, Any]) -> str:
    """A line of metrics.jsonl for people, with the time that is left."""
    shown = "; ".join(
        f"{task} {' '.join(f'{split} {line[split][task]:.2f}' for split in ('dev', 'test') if task in line[split])}"
        for task in line["loss"]
    )
    each = line["seconds"] / line["epoch"]
    left = (line["epochs"] - line["epoch"]) * each / 60
    progress = f"epoch {line['epoch']} of at most {line['epochs']}: {shown}"
    return f"{progress}; {each:,.0f} s an epoch; at most {left:,.0f} min left"


def told(result: Result) -> str:
    """A result for people."""
    dev = "" if result.dev is None else f"dev {result.dev:.2f}, "
    test = "" if result.test is None else f"test {result.test:.2f}, best on test {result.best_on_test:.2f}, "
    return f"{result.task} {dev}{test}epoch {result.selected_epoch} of {result.epochs}, {result.minutes:.1f} min"
